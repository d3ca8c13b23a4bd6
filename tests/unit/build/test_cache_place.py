"""Caches besides the builder's own: one place an image, and refused before a build where none can be written."""

import json
from pathlib import Path

import pytest
from fake_docker import FakeDocker

from layerstack.build.bake import BakeCall, bake_argv, document
from layerstack.build.cache_place import CachePlaces, require_usable
from layerstack.dockerfile.image import Image
from layerstack.errors import EngineError, UsageError
from layerstack.project.project import Project

REGISTRY = "type=registry,ref=h:1/cache:{image}"


def uses(docker: FakeDocker, driver: str, store: str) -> None:
    plugins = [{"Name": name, "Version": "1.2.3"} for name in ("buildx", "compose")]
    info = {"ServerVersion": "28.5.2", "Driver": store, "ClientInfo": {"Plugins": plugins}}
    docker.answers("buildx inspect", f"Name:   x\nDriver:  {driver}\n")
    docker.answers("info *", json.dumps(info))


@pytest.mark.parametrize(
    ("driver", "store", "is_usable"),
    [("docker", "overlay2", False), ("docker", "overlayfs", True), ("docker-container", "overlay2", True)],
)
def test_a_builder_that_exports_nothing_is_refused_before_a_build(
    docker: FakeDocker, driver: str, store: str, is_usable: bool
) -> None:
    uses(docker, driver, store)
    if is_usable:
        require_usable(CachePlaces(targets=(REGISTRY,)), ["a", "b"], {})
        return
    with pytest.raises(EngineError, match=store) as caught:
        require_usable(CachePlaces(targets=(REGISTRY,)), ["a", "b"], {})
    assert "type=inline" in caught.value.advice


def test_nothing_is_asked_for_what_every_builder_does(docker: FakeDocker) -> None:
    require_usable(CachePlaces((REGISTRY,), ("type=inline",)), ["a", "b"], {})
    require_usable(CachePlaces(), ["a"], {})
    assert docker.calls == []


@pytest.mark.parametrize("value", ["type=registry,ref=h:1/cache", "h:1/cache"])
def test_images_do_not_overwrite_each_others_cache(docker: FakeDocker, value: str) -> None:
    uses(docker, "docker", "overlayfs")
    with pytest.raises(UsageError):
        require_usable(CachePlaces(targets=(value,)), ["a", "b"], {})


def test_a_reference_alone_is_a_registry_as_for_buildx(docker: FakeDocker) -> None:
    uses(docker, "docker", "overlayfs")
    require_usable(CachePlaces(targets=("h:1/cache:{image}",)), ["a", "b"], {})
    with pytest.raises(UsageError, match="does not say where"):
        require_usable(CachePlaces(targets=("ref=h:1/cache:{image}",)), ["a"], {})


def test_each_image_gets_its_own_place_besides_those_it_names(tmp_path: Path) -> None:
    own = Image("a", "a", definition={"cache-from": ["type=gha"]})
    project = Project(tmp_path, "p", "cpu", (), (), {"a": own, "b": Image("b", "b")}, {})
    places = CachePlaces((REGISTRY, "type=local,src=../kept/{image}"), ("type=local,dest=cache/{image},mode=max",))
    call = BakeCall(("a", "b"), caches=places)
    targets = document(project, call)["target"]
    assert targets["a"]["cache-from"] == ["type=gha", "type=registry,ref=h:1/cache:a", "type=local,src=../kept/a"]
    assert targets["b"]["cache-to"] == ["type=local,dest=cache/b,mode=max"]
    assert {f"--allow=fs={tmp_path.parent / 'kept'}", f"--allow=fs={tmp_path / 'cache'}"} <= set(
        bake_argv(project, call)
    )
    assert "cache-to" not in document(project, BakeCall(("a",)))["target"]["a"]
