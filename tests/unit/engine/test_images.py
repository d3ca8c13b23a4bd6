"""Images as the engine tells them; `docker` answers from a table."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_docker import FakeDocker

from layerstack.dockerfile.image import Image
from layerstack.engine import images
from layerstack.engine.api import EngineRefused
from layerstack.engine.images import StoredImage
from layerstack.engine.unusable import HOW_TO_START
from layerstack.errors import EngineError, UsageError
from layerstack.project.project import Project, Service


def attributes(name: str, *layers: str, tags: tuple[str, ...] | None = None, **more: Any) -> dict[str, Any]:
    known = list(tags) if tags is not None else [f"{name}:latest"]
    return {"Id": f"sha256:{name}", "RepoTags": known, "Size": 5, "RootFS": {"Layers": list(layers)}, **more}


def has(docker: FakeDocker, *stored: dict[str, Any], missing: tuple[str, ...] = ()) -> None:
    lost = "".join(f"Error response from daemon: No such image: {name}\n" for name in missing)
    docker.answers("image inspect *", json.dumps(list(stored)), lost, 1 if missing else 0)


def test_what_is_there_is_found_and_the_rest_is_left_out(docker: FakeDocker) -> None:
    has(docker, attributes("a"), attributes("b", tags=("b:1", "c:2")), missing=("gone",))
    found = images.find_all(["a", "gone", "c:2", "sha256:b", "a"])
    assert {name: image.id for name, image in found.items()} == {
        "a": "sha256:a",
        "c:2": "sha256:b",
        "sha256:b": "sha256:b",
    }
    assert docker.calls == ["image inspect -- a gone c:2 sha256:b"]


def test_a_bare_id_and_a_name_without_a_tag_are_found(docker: FakeDocker) -> None:
    has(docker, attributes("abc", tags=()), attributes("web"))
    assert images.find_all(["abc", "web", "web:latest"]).keys() == {"abc", "web", "web:latest"}


@pytest.mark.parametrize(
    "name", ["docker.io/library/web:1", "web:1", f"web@sha256:{'a' * 64}", f"docker.io/library/web:1@sha256:{'a' * 64}"]
)
def test_a_name_is_found_however_it_is_written(docker: FakeDocker, name: str) -> None:
    has(docker, attributes("abc", tags=("web:1",), RepoDigests=[f"web@sha256:{'a' * 64}"]))
    assert images.find_all([name]).keys() == {name}


def test_nothing_asked_starts_nothing(docker: FakeDocker) -> None:
    assert images.find_all([]) == {}
    assert docker.calls == []


def test_one_that_is_not_there_is_none(docker: FakeDocker) -> None:
    has(docker, missing=("gone",))
    assert images.find("gone") is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Cannot connect to the Docker daemon", "No Docker daemon responds"),
        ('error during connect: Get "https://x:2376/": remote error: tls: certificate required', "TLS certificate"),
    ],
)
def test_an_engine_that_does_not_answer_is_an_error_and_not_an_empty_list(
    docker: FakeDocker, said: str, expected: str
) -> None:
    docker.answers("image inspect *", "[]", said, 1)
    with pytest.raises(EngineError, match=expected):
        images.find_all(["a"])


def test_missing_attributes_are_empty(docker: FakeDocker) -> None:
    has(docker, {"Id": "sha256:a", "RepoTags": None, "Config": None, "RootFS": None})
    assert images.find("sha256:a") == StoredImage("sha256:a", (), 0, "", {}, ())


def test_labels_are_read(docker: FakeDocker) -> None:
    has(docker, attributes("a", Config={"Labels": {"k": "v"}}))
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
    has(
        docker,
        attributes("system", "1"),
        attributes("base", "1", "2"),
        attributes("web", "1", "2", "3"),
        attributes("db", "9"),
        missing=("api.v2:latest",),
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


def test_a_name_that_looks_like_an_option_is_named(docker: FakeDocker) -> None:
    """`${TAG}-other:v1` in a Compose file, with TAG unset."""
    docker.answers("image inspect -- *", "[]", "Error response from daemon: invalid reference format\n", 1)
    with pytest.raises(UsageError, match="`-other:v1`"):
        images.find_all(["a", "-other:v1"])


def test_an_engine_that_is_not_there_is_told_as_everywhere(docker: FakeDocker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The docker command says it once for each image; a user needs it once, with what to do."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    said = "Cannot connect to the Docker daemon at unix:///nowhere.sock. Is the docker daemon running?\n"
    docker.answers("image inspect *", "[]", said * 2, 1)
    with pytest.raises(EngineError) as caught:
        images.find_all(["a", "b"])
    assert caught.value.advice == HOW_TO_START
    assert str(caught.value).count("Is the docker daemon running") == 1
