"""The guard of the unit tests itself."""

import shutil

import pytest

from layerstack import command
from layerstack.engine import engine


@pytest.mark.skipif(shutil.which("docker") is None, reason="no docker command is installed that could be reached")
def test_the_docker_command_is_blocked() -> None:
    with pytest.raises(pytest.fail.Exception, match="real docker command"):
        command.run(["docker", "version"])


def test_the_engine_is_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
    with pytest.raises(pytest.fail.Exception, match="Docker engine"):
        engine.client()


def test_other_programs_run() -> None:
    assert command.run(["true"]).ok
