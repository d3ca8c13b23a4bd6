"""Unit tests reach neither the docker command nor an engine; a stand-in program in a temporary folder is fine."""

import tempfile
from pathlib import Path

import fake_docker
import pytest
from fake_docker import FakeDocker

from layerstack import command
from layerstack.engine import local


def _is_temporary(path: str) -> bool:
    return Path(path).resolve().is_relative_to(Path(tempfile.gettempdir()).resolve())


@pytest.fixture(autouse=True)
def no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that starts the real docker command or connects to an engine."""
    from docker.transport import unixconn

    find_program, connect = command.find_program, unixconn.UnixHTTPConnection.connect

    def find_no_docker(name: str) -> str:
        found = find_program(name)
        if Path(name).name == "docker" and not _is_temporary(found):
            pytest.fail("a unit test started the real docker command")
        return found

    def connect_to_no_engine(connection: unixconn.UnixHTTPConnection) -> None:
        if not _is_temporary(connection.unix_socket):
            pytest.fail("a unit test connected to a Docker engine")
        connect(connection)

    monkeypatch.setattr(command, "find_program", find_no_docker)
    monkeypatch.setattr(local, "ask", lambda *_: None)
    monkeypatch.setattr(unixconn.UnixHTTPConnection, "connect", connect_to_no_engine)


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of images are kept by their id, and tests give the same ids to others."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    """A stand-in for the docker command, whose answers the test gives."""
    return fake_docker.install(tmp_path, monkeypatch)
