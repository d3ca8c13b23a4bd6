"""Who is held while data is dumped or restored, and let go afterwards."""

from pathlib import Path

import fake_docker
import pytest
from fake_docker import FakeDocker
from verify_parts import make_project

from layerstack.backup import backup
from layerstack.errors import CommandFailed
from layerstack.project.project import Project

NEEDS_DB = {"depends_on": {"db": {"condition": "service_started"}}}


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    found = fake_docker.install(tmp_path, monkeypatch)
    found.answers("compose *")
    return found


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return make_project({"db": {}, "files": NEEDS_DB, "web": NEEDS_DB, "idle": NEEDS_DB}, tmp_path)


def held(project: Project, *names: str) -> None:
    with backup._held(project, names, {"db", "files", "web"}, ("pause", "unpause")):
        pass


def test_what_is_dumped_itself_is_not_held(shop: Project, docker: FakeDocker) -> None:
    held(shop, "db", "files")
    assert [call.partition("quiet ")[2] for call in docker.calls] == ["pause web", "unpause web"]


def test_without_users_nothing_is_asked(shop: Project, docker: FakeDocker) -> None:
    held(shop, "web")
    assert docker.calls == []


def test_what_stays_held_is_told(shop: Project, docker: FakeDocker) -> None:
    docker.answers("* unpause *", stderr="no such container", exit_code=1)
    with pytest.raises(CommandFailed):
        held(shop, "db")


def test_an_error_of_the_dump_goes_before_that(shop: Project, docker: FakeDocker) -> None:
    docker.answers("* unpause *", exit_code=1)
    with pytest.raises(RuntimeError), backup._held(shop, ["db"], {"db", "web"}, ("pause", "unpause")):
        raise RuntimeError
    assert "unpause" in docker.calls[-1]
