"""A command inside an image, as a session runs it."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from session_double import Failed, Session

from layerstack.errors import BuildFailed, GpuMissing, UsageError
from layerstack.gpu.nvml import Card
from layerstack.sessions import image


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """An engine and a project with one image; which images were built."""
    asked: list[list[str]] = []
    web = SimpleNamespace(tag="web:latest")
    monkeypatch.setattr(image.engine, "read_facts", lambda: None)
    monkeypatch.setattr(image.project, "find_root", lambda start: start)
    monkeypatch.setattr(image.project, "load", lambda *_: SimpleNamespace(images={"web": web}, image=lambda _name: web))
    monkeypatch.setattr(image.build, "build", lambda _project, names, _log: asked.append(list(names)))
    return asked


def test_the_image_is_built_and_the_command_run_in_it(builds: list[list[str]]) -> None:
    session = Session()
    image.run_in_image(session, "web", "npm", "test", options=("--network", "n"))  # type: ignore[arg-type]
    assert builds == [["web"]]
    (words,) = session.ran
    assert words[:3] == ("docker", "run", "--rm")
    assert words[-5:] == ("--network", "n", "web:latest", "npm", "test")
    assert "--gpus" not in words


def test_a_failed_build_fails_the_session(monkeypatch: pytest.MonkeyPatch, builds: list[list[str]]) -> None:
    def fail(*_: Any) -> None:
        raise BuildFailed("step 3 failed")

    monkeypatch.setattr(image.build, "build", fail)
    session = Session()
    with pytest.raises(Failed, match="step 3"):
        image.run_in_image(session, "web")  # type: ignore[arg-type]
    assert session.ran == []


def test_with_a_gpu_it_never_runs_without_one(monkeypatch: pytest.MonkeyPatch, builds: list[list[str]]) -> None:
    def none(*_: Any, **__: Any) -> None:
        raise GpuMissing("No NVIDIA driver.")

    monkeypatch.setattr(image.lease, "hold", none)
    session = Session()
    with pytest.raises(Failed, match="No NVIDIA driver"):
        image.run_in_image(session, "web", with_gpu=True)  # type: ignore[arg-type]
    assert session.ran == []


@pytest.mark.parametrize(("uuid", "named"), [("GPU-1", "device=GPU-1"), ("card-2", "device=2")])
def test_with_a_gpu_the_card_is_named_as_docker_takes_it(
    monkeypatch: pytest.MonkeyPatch, builds: list[list[str]], uuid: str, named: str
) -> None:
    card = Card(uuid, "A card", 2, None, None)
    monkeypatch.setattr(image.lease, "hold", lambda *_, **__: nullcontext(SimpleNamespace(card=card)))
    session = Session()
    image.run_in_image(session, "web", with_gpu=True)  # type: ignore[arg-type]
    assert named in session.ran[0]


def test_a_project_that_cannot_be_read_fails_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise UsageError("The Compose file cannot be read.")

    monkeypatch.setattr(image.project, "load", broken)
    with pytest.raises(Failed, match="cannot be read"):
        image.project_of(Session())  # type: ignore[arg-type]
