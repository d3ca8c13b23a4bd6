"""The sessions: which there are, and that a missing GPU is skipped aloud or a failure, never a pass."""

from types import SimpleNamespace
from typing import Any

import pytest

import noxfile
from layerstack.errors import EngineError, GpuMissing, UsageError
from layerstack.project import Image

SESSIONS = set(
    ["lint", "typecheck", "unit", "docker_tests", "pose_tests", "gpu_tests", "api_tests", "web_tests", "browser_tests"]
)


class Skipped(Exception):
    """What nox raises to skip a session."""


class Failed(Exception):
    """What nox raises to fail a session."""


class Session:
    """A session that writes down what it was asked."""

    def __init__(self, *posargs: str) -> None:
        self.posargs = list(posargs)
        self.said: list[str] = []
        self.ran: list[tuple[Any, ...]] = []
        self.warn = self.log = self.said.append

    def run(self, *words: Any, **_options: Any) -> None:
        self.ran.append(words)

    def skip(self, reason: str) -> None:
        raise Skipped(reason)

    def error(self, reason: str) -> None:
        raise Failed(reason)


def no_gpu(_request: str) -> None:
    raise GpuMissing("No NVIDIA driver is loaded.")


def test_the_agreed_sessions_are_there() -> None:
    found = {getattr(one, "name", None) or name for name, one in vars(noxfile).items() if hasattr(one, "python")}
    names = {name.removesuffix("_session") for name in found}
    assert names >= SESSIONS
    assert names - SESSIONS <= {"benchmarks"}


def test_a_missing_gpu_is_a_skip_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noxfile.gpu, "decide", no_gpu)
    session = Session()
    with pytest.raises(Skipped, match="No NVIDIA driver"):
        noxfile.gpu_tests(session)
    assert session.ran == []


def test_a_missing_gpu_that_is_required_ends_with_exit_code_6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noxfile.gpu, "decide", no_gpu)
    session = Session("--require-gpu")
    with pytest.raises(SystemExit) as caught:
        noxfile.gpu_tests(session)
    assert caught.value.code == 6
    assert "No NVIDIA driver" in " ".join(session.said)
    assert session.ran == []


@pytest.mark.parametrize(("posargs", "ending"), [((), Skipped), (("--require-gpu",), SystemExit)])
def test_a_missing_gpu_base_is_never_built_behind_ones_back(
    monkeypatch: pytest.MonkeyPatch, posargs: tuple[str, ...], ending: type[BaseException]
) -> None:
    base = Image("base-python-pose", ".", tags=("base-python-pose:latest",))
    monkeypatch.setattr(noxfile.gpu, "decide", lambda _request: SimpleNamespace(why="one GPU"))
    monkeypatch.setattr(noxfile.project, "load", lambda *_: SimpleNamespace(base_images=(base,)))
    monkeypatch.setattr(noxfile.images, "find", lambda _tag: None)
    monkeypatch.setattr(noxfile.build, "build", lambda *_: pytest.fail("built a base"))
    session = Session(*posargs)
    with pytest.raises(ending) as caught:
        noxfile.gpu_tests(session)
    assert "base-python-pose:latest" in f"{caught.value} {session.said}"
    assert session.ran == []


@pytest.mark.parametrize("name", ["docker_tests", "pose_tests", "api_tests", "web_tests", "browser_tests"])
def test_a_missing_engine_is_a_failure_and_not_a_skip(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def no_engine() -> None:
        raise EngineError("No engine answers.")

    monkeypatch.setattr(noxfile.engine, "read_facts", no_engine)
    session = Session()
    with pytest.raises(Failed, match="No engine answers"):
        getattr(noxfile, name)(session)
    assert session.ran == []


def test_a_project_that_cannot_be_read_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise UsageError("The Compose file cannot be read.")

    monkeypatch.setattr(noxfile.project, "load", broken)
    with pytest.raises(Failed, match="cannot be read"):
        noxfile._project(Session(), "cpu")
