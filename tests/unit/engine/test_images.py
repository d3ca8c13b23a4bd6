"""Images as the engine tells them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_docker import FakeDocker

from layerstack.dockerfile.image import Image
from layerstack.engine import images
from layerstack.engine.api import EngineRefused, ImageMissing
from layerstack.engine.images import StoredImage
from layerstack.errors import UsageError
from layerstack.project.project import Project, Service


def attributes(name: str, *layers: str, tags: tuple[str, ...] | None = None, **more: Any) -> dict[str, Any]:
    known = list(tags) if tags is not None else [f"{name}:latest"]
    return {"Id": f"sha256:{name}", "RepoTags": known, "Size": 5, "RootFS": {"Layers": list(layers)}, **more}


def test_what_is_there_is_found_and_the_rest_is_left_out(docker: FakeDocker) -> None:
    docker.holds(attributes("a"), attributes("b", tags=("b:1", "c:2")))
    found = images.find_all(["a", "gone", "", "c:2", "sha256:b", "a"])
    assert {name: image.id for name, image in found.items()} == {
        "a": "sha256:a",
        "c:2": "sha256:b",
        "sha256:b": "sha256:b",
    }
    assert images.find("gone") is None


def test_an_engine_elsewhere_is_asked_for_each_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """`${TAG}-other:v1` in a Compose file, with TAG unset, is no name."""

    def inspect(name: str) -> dict[str, Any]:
        if name == "a":
            return attributes("a")
        raise ImageMissing("gone") if name == "gone" else EngineRefused("The engine says: invalid reference format")

    client = SimpleNamespace(api=SimpleNamespace(inspect_image=inspect))
    monkeypatch.setattr(images.engine, "client", lambda: client)
    assert images.find_all(["a", "gone"]).keys() == {"a"}
    with pytest.raises(UsageError, match="`-other:v1`"):
        images.find_all(["a", "-other:v1"])


def test_nothing_asked_asks_no_engine() -> None:
    assert images.find_all([]) == {}


def test_missing_attributes_are_empty(docker: FakeDocker) -> None:
    docker.holds({"Id": "sha256:a", "RepoTags": None, "Config": None, "RootFS": None})
    assert images.find("sha256:a") == StoredImage("sha256:a", (), 0, "", {}, ())


def test_labels_are_read(docker: FakeDocker) -> None:
    docker.holds(attributes("a", Config={"Labels": {"k": "v"}}))
    stored = images.find("a")
    assert stored is not None
    assert stored.labels == {"k": "v"}


@pytest.mark.parametrize(
    ("child", "parent", "is_on"), [("123", "12", True), ("12", "12", True), ("132", "12", False), ("1", "12", False)]
)
def test_an_image_is_built_on_another_when_its_layers_begin_with_all_of_it(
    child: str, parent: str, is_on: bool
) -> None:
    one, other = (StoredImage("", (), 0, "", {}, tuple(layers)) for layers in (child, parent))
    assert images.is_built_on(one, other) is is_on


def test_layers_of_the_stack_name_the_nearest_image_below(docker: FakeDocker, tmp_path: Path) -> None:
    docker.holds(
        attributes("system", "1"),
        attributes("base", "1", "2"),
        attributes("web", "1", "2", "3"),
        attributes("db", "9"),
    )
    contexts = {"base": "target:base"}
    built = {
        "base": Image("base", "base", tags=("base:latest",), args={"FROM_WHAT": "system:latest"}),
        "web": Image("web", "web", tags=("web:latest",), contexts=contexts),
        # Buildx takes no dots in the name of a target.
        "api_v2": Image("api_v2", "web", tags=("api.v2:latest",), contexts=contexts),
    }
    for folder, text in {"base": "ARG FROM_WHAT\nFROM $FROM_WHAT\n", "web": "FROM base\n"}.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "Dockerfile").write_text(text)
    run = {
        "web": Service("web", "web:latest", (), {"build": {}}),
        "api.v2": Service("api.v2", "api.v2:latest", (), {"build": {}}),
        "db": Service("db", "db:latest", (), {}),
    }
    layers = images.read_layers(Project(tmp_path, "p", "cpu", (), (), built, run))
    assert {(one.layer, one.tag, one.built_on) for one in layers} == {
        ("system", "system:latest", ""),
        ("system", "db:latest", ""),
        ("base", "base:latest", "system:latest"),
        ("service", "web:latest", "base:latest"),
        ("service", "api.v2:latest", ""),
    }
    assert [one.layer for one in layers] == sorted(
        (one.layer for one in layers), key=["system", "base", "service"].index
    )
    absent = next(one.to_json() for one in layers if one.tag == "api.v2:latest")
    assert (absent["id"], absent["size_bytes"]) == (None, None)


def test_removing_passes_over_what_is_gone_or_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def remove(reference: str, **_options: Any) -> None:
        asked.append(reference)
        if reference == "busy":
            raise EngineRefused("conflict: image is being used by a running container")

    monkeypatch.setattr(images.engine, "client", lambda: SimpleNamespace(images=SimpleNamespace(remove=remove)))
    images.remove(["busy", "free"])
    assert asked == ["busy", "free"]
