"""GPU tests as a session: a missing GPU is skipped with its reason or a failure, never a pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from session_double import Failed, Session, Skipped

from layerstack.dockerfile.image import Image
from layerstack.errors import GpuMissing
from layerstack.gpu.container_tests import ContainerTests, FileResult
from layerstack.gpu.lease import GpuBusy, Wanted
from layerstack.gpu.nvml import Card
from layerstack.sessions import gpu_tests


def run(session: Session) -> None:
    gpu_tests.run_gpu_tests(session, "trainer-test")  # type: ignore[arg-type]


def no_gpu(_request: str) -> None:
    raise GpuMissing("No NVIDIA driver is loaded.")


def test_a_missing_gpu_is_a_skip_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_tests.decision, "decide", no_gpu)
    session = Session()
    with pytest.raises(Skipped, match="No NVIDIA driver"):
        run(session)
    assert session.ran == []


def test_a_missing_gpu_that_is_required_ends_with_exit_code_6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_tests.decision, "decide", no_gpu)
    session = Session("--require-gpu")
    with pytest.raises(SystemExit) as caught:
        run(session)
    assert caught.value.code == 6
    assert "No NVIDIA driver" in " ".join(session.said)
    assert session.ran == []


@pytest.mark.parametrize(("posargs", "ending"), [((), Skipped), (("--require-gpu",), SystemExit)])
def test_a_missing_gpu_base_is_never_built_behind_ones_back(
    monkeypatch: pytest.MonkeyPatch, posargs: tuple[str, ...], ending: type[BaseException]
) -> None:
    base, test = Image("base-trainer", ".", tags=("base-trainer:latest",)), Image("trainer-test", ".")
    loaded = SimpleNamespace(base_images=(base,), with_parents=lambda _: (base, test))
    monkeypatch.setattr(gpu_tests.decision, "decide", lambda _request: SimpleNamespace(why="one GPU"))
    monkeypatch.setattr(gpu_tests, "project_with", lambda *_: loaded)
    monkeypatch.setattr(gpu_tests.images, "find", lambda _tag: None)
    monkeypatch.setattr(gpu_tests, "built", lambda *_: pytest.fail("built a base"))
    session = Session(*posargs)
    with pytest.raises(ending) as caught:
        run(session)
    assert "base-trainer:latest" in f"{caught.value} {session.said}"
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
    monkeypatch.setattr(gpu_tests.decision, "decide", lambda _request: SimpleNamespace(why="one GPU", host=host))
    monkeypatch.setattr(
        gpu_tests, "project_with", lambda *_: SimpleNamespace(base_images=(), with_parents=lambda _: ())
    )
    monkeypatch.setattr(gpu_tests, "built", lambda *_: "tests:latest")
    monkeypatch.setattr(gpu_tests.lease, "hold", hold)
    monkeypatch.setattr(gpu_tests.history, "append", lambda *_: None)
    monkeypatch.setattr(gpu_tests.container_tests, "run_tests", lambda *_: run)
    return asked


def test_gpu_tests_tell_device_driver_and_memory_of_each_file(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = with_a_run(monkeypatch, "passed")
    session = Session("--gpu-memory", "6g", "-k", "nms")
    run(session)
    assert [one.size_bytes for one in asked] == [6 * 2**30]
    said = "\n".join(session.said)
    for part in ("A card", "GPU-1", "550.1", "2.0 GiB", "tests/test_gpu.py: 4 passed", "peak 1.0 GiB"):
        assert part in said


def test_gpu_tests_take_a_whole_card_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = with_a_run(monkeypatch, "passed")
    run(Session())
    assert [one.size_bytes for one in asked] == [None]


@pytest.mark.parametrize("ending", ["failed", "no-tests-ran", "image-missing", "gpu-unused", "cannot-run"])
def test_a_run_that_did_not_pass_is_a_failure_by_its_name(monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    with_a_run(monkeypatch, ending)
    with pytest.raises(Failed, match=f"{ending.replace('-', ' ')}: for a reason"):
        run(Session())


@pytest.mark.parametrize(("posargs", "end"), [((), Skipped), (("--require-gpu",), SystemExit)])
def test_a_gpu_that_is_gone_when_the_tests_start(
    monkeypatch: pytest.MonkeyPatch, posargs: tuple[str, ...], end: type[BaseException]
) -> None:
    with_a_run(monkeypatch, "gpu-missing")
    session = Session(*posargs)
    with pytest.raises(end) as caught:
        run(session)
    assert "GPU missing" in f"{caught.value} {session.said}"


@pytest.mark.parametrize(("posargs", "end"), [((), Failed), (("--require-gpu",), SystemExit)])
def test_a_card_that_others_hold_too_long_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, posargs: tuple[str, ...], end: type[BaseException]
) -> None:
    with_a_run(monkeypatch, "passed")

    def busy(*_: Any) -> None:
        raise GpuBusy("others hold it")

    monkeypatch.setattr(gpu_tests.lease, "hold", busy)
    session = Session(*posargs)
    with pytest.raises(end) as caught:
        run(session)
    assert "others hold it" in f"{caught.value} {session.said}"


def test_a_size_that_is_none_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with_a_run(monkeypatch, "passed")
    with pytest.raises(Failed, match="no size"):
        run(Session("--gpu-memory", "much"))
