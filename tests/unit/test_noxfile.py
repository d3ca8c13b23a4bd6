"""The sessions: which there are, and that each fails where there is no engine."""

from pathlib import Path

import pytest
from session_double import Failed, Session

import noxfile
from layerstack.errors import EngineError
from layerstack.gpu.container_tests import DEMANDED
from layerstack.sessions import image

SESSIONS = {
    *("lint", "typecheck", "unit", "unit_elsewhere", "docker_tests", "machines_tests"),
    *("pose_tests", "gpu_tests", "api_tests", "web_tests", "browser_tests"),
}


def test_the_agreed_sessions_are_there() -> None:
    found = {getattr(one, "name", None) or name for name, one in vars(noxfile).items() if hasattr(one, "python")}
    names = {name.removesuffix("_session") for name in found}
    assert names >= SESSIONS
    assert names - SESSIONS <= {"benchmarks", "make_models", "quick"}


def test_the_folders_that_a_session_is_about_are_there() -> None:
    root = Path(noxfile.__file__).parent
    for starts in noxfile.OWNED.values():
        assert all(list(root.glob(f"{start}*")) for start in starts)


def test_the_gpu_tests_of_the_pose_service_say_the_word_that_is_listened_for() -> None:
    conftest = Path(noxfile.__file__).parent / "backend/pose-service/tests/conftest.py"
    assert f'pytest.fail(f"{DEMANDED}' in conftest.read_text()


@pytest.mark.parametrize(
    "name", ["docker_tests", "machines_tests", "pose_tests", "api_tests", "web_tests", "browser_tests"]
)
def test_a_missing_engine_is_a_failure_and_not_a_skip(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def no_engine() -> None:
        raise EngineError("No engine answers.")

    monkeypatch.setattr(image.engine, "read_facts", no_engine)
    session = Session()
    with pytest.raises(Failed, match="No engine answers"):
        getattr(noxfile, name)(session)
    assert session.ran == []
