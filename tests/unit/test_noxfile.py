"""The sessions: which there are, and that a missing GPU is skipped aloud or a failure, never a pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import noxfile
from layerstack.dockerfile.image import Image
from layerstack.errors import EngineError, GpuMissing, UsageError
from layerstack.gpu.container_tests import ContainerTests
from layerstack.gpu.gpu_card import Card
from layerstack.gpu.lease import GpuBusy, Wanted
from layerstack.gpu.pytest_report import DEMANDED, FileResult

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


CARD = Card("GPU-1", "A card", 0, 24, 24)


def with_a_run(monkeypatch: pytest.MonkeyPatch, ending: str) -> list[Wanted]:
    """A machine with a GPU and an image whose tests end so; what is asked of the lease."""
    asked: list[Wanted] = []

    @contextmanager
    def hold(wanted: Wanted, _seconds: float, _say: Any) -> Iterator[Any]:
        asked.append(wanted)
        yield SimpleNamespace(card=CARD)

    files = (FileResult("tests/test_gpu.py", 4, 0, 0, 1.0, 2**30),)
    run = ContainerTests(ending, "for a reason", 1, 2.0, "A card", 2 * 2**30, files)  # type: ignore[arg-type]
    host = SimpleNamespace(driver="550.1")
    monkeypatch.setattr(noxfile.gpu, "decide", lambda _request: SimpleNamespace(why="one GPU", host=host))
    monkeypatch.setattr(noxfile.project, "load", lambda *_: SimpleNamespace(base_images=()))
    monkeypatch.setattr(noxfile, "_built", lambda *_: "tests:latest")
    monkeypatch.setattr(noxfile.lease, "hold", hold)
    monkeypatch.setattr(noxfile.history, "append", lambda *_: None)
    monkeypatch.setattr(noxfile.container_tests, "run_tests", lambda *_: run)
    return asked


def test_gpu_tests_tell_device_driver_and_memory_of_each_file(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = with_a_run(monkeypatch, "passed")
    session = Session("--gpu-memory", "6g", "-k", "nms")
    noxfile.gpu_tests(session)
    assert [one.size_bytes for one in asked] == [6 * 2**30]
    said = "\n".join(session.said)
    for part in ("A card", "GPU-1", "550.1", "2.0 GiB", "tests/test_gpu.py: 4 passed", "peak 1.0 GiB"):
        assert part in said


def test_gpu_tests_take_a_whole_card_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = with_a_run(monkeypatch, "passed")
    noxfile.gpu_tests(Session())
    assert [one.size_bytes for one in asked] == [None]


@pytest.mark.parametrize("ending", ["failed", "no-tests-ran", "image-missing", "gpu-unused", "cannot-run"])
def test_a_run_that_did_not_pass_is_a_failure_by_its_name(monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    with_a_run(monkeypatch, ending)
    with pytest.raises(Failed, match=f"{ending.replace('-', ' ')}: for a reason"):
        noxfile.gpu_tests(Session())


@pytest.mark.parametrize(("posargs", "end"), [((), Skipped), (("--require-gpu",), SystemExit)])
def test_a_gpu_that_is_gone_when_the_tests_start(
    monkeypatch: pytest.MonkeyPatch, posargs: tuple[str, ...], end: type[BaseException]
) -> None:
    with_a_run(monkeypatch, "gpu-missing")
    session = Session(*posargs)
    with pytest.raises(end) as caught:
        noxfile.gpu_tests(session)
    assert "GPU missing" in f"{caught.value} {session.said}"


@pytest.mark.parametrize(("posargs", "end"), [((), Failed), (("--require-gpu",), SystemExit)])
def test_a_card_that_others_hold_too_long_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, posargs: tuple[str, ...], end: type[BaseException]
) -> None:
    with_a_run(monkeypatch, "passed")

    def busy(*_: Any) -> None:
        raise GpuBusy("others hold it")

    monkeypatch.setattr(noxfile.lease, "hold", busy)
    session = Session(*posargs)
    with pytest.raises(end) as caught:
        noxfile.gpu_tests(session)
    assert "others hold it" in f"{caught.value} {session.said}"


def test_the_gpu_tests_of_the_pose_service_say_the_word_that_is_listened_for() -> None:
    conftest = Path(noxfile.__file__).parent / "backend/pose-service/tests/conftest.py"
    assert f'pytest.fail(f"{DEMANDED}' in conftest.read_text()


def test_a_size_that_is_none_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with_a_run(monkeypatch, "passed")
    with pytest.raises(Failed, match="no size"):
        noxfile.gpu_tests(Session("--gpu-memory", "much"))


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
