"""A linked worktree gets a name and ports once, that nobody else has; what a user set stays."""

from pathlib import Path
from typing import Any

import pytest
from git_repository import add_worktree, make_repository

from layerstack.engine import engine, ports
from layerstack.engine.container import FOLDER_LABEL, Container
from layerstack.engine.ports import Holder
from layerstack.project import choices
from layerstack.project.project import Port
from layerstack.setup import worktree_settings

COMPOSE = """
name: shop
services:
  web: {image: x, ports: ["127.0.0.1:${WEB_PORT:-8000}:80"]}
  db: {image: y, ports: ["${DB_PORT}:5432"]}
"""


class Machine:
    """Who holds which port, and from which folders which projects run."""

    def __init__(self) -> None:
        self.held: dict[int, str] = {}
        self.running: dict[str, str] = {}

    def find_holder(self, _client: Any, port: Port) -> Holder | None:
        return Holder(port.published, "c", project=self.held[port.published]) if port.published in self.held else None

    def read_all(self, _client: Any, name: str) -> dict[str, tuple[Container, ...]]:
        folder = self.running.get(name)
        return {"web": (Container("1", "c", "web", "running", "", labels={FOLDER_LABEL: folder}),)} if folder else {}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine()
    monkeypatch.setattr(engine, "client", lambda: None)
    monkeypatch.setattr(ports, "find_holder", found.find_holder)
    monkeypatch.setattr(worktree_settings, "read_all", found.read_all)
    for name in ("COMPOSE_PROJECT_NAME", "COMPOSE_FILE", "WEB_PORT", "DB_PORT"):
        monkeypatch.delenv(name, raising=False)
    return found


@pytest.fixture
def main(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "main", {"compose.yaml": COMPOSE, ".env.example": "# ours\nDB_PORT=5432\n"})


def settle(root: Path) -> list[str]:
    said: list[str] = []
    worktree_settings.settle_worktree(root, "cpu", said.append)
    return said


def test_the_main_worktree_is_left_alone(machine: Machine, main: Path) -> None:
    assert settle(main) == []
    assert not (main / ".env").exists()


def test_each_linked_one_gets_its_own_and_keeps_it(machine: Machine, main: Path) -> None:
    one, two = add_worktree(main, "one", "feature/one"), add_worktree(main, "two", "two")
    settle(one)
    settle(two)
    assert choices.chosen(one) == {"COMPOSE_PROJECT_NAME": "shop-feature-one", "WEB_PORT": "8100", "DB_PORT": "5532"}
    assert choices.chosen(two) == {"COMPOSE_PROJECT_NAME": "shop-two", "WEB_PORT": "8200", "DB_PORT": "5632"}
    # The example's line is the main one's port: here it would count above the choice.
    assert (one / ".env").read_text().startswith("# ours\n# DB_PORT=5432\n")
    before = (one / ".env").read_text()
    machine.held = {8100: "shop-feature-one"}
    settle(one)
    assert (one / ".env").read_text() == before
    assert not (one / choices.BAKE_FILE).exists()


def test_a_port_that_is_held_now_is_passed_over(machine: Machine, main: Path) -> None:
    one = add_worktree(main, "one", "one")
    machine.held = {5532: "other", 8200: ""}
    settle(one)
    assert choices.chosen(one)["DB_PORT"] == "5732"
    machine.held = {8300: "other"}
    settle(one)
    assert choices.chosen(one)["WEB_PORT"] == "8100"


def test_a_copied_env_file_gives_nothing_twice(machine: Machine, main: Path) -> None:
    (main / ".env").write_text("WEB_PORT=9000\nDB_PORT=6000\nPASSWORD=x\n")
    one, two = add_worktree(main, "one", "one"), add_worktree(main, "two", "two")
    (one / ".env").write_text((main / ".env").read_text())
    settle(one)
    assert choices.chosen(one) == {"COMPOSE_PROJECT_NAME": "shop-one", "WEB_PORT": "9100", "DB_PORT": "6100"}
    assert choices.own_values(one) == {"PASSWORD": "x"}
    (two / ".env").write_text((one / ".env").read_text())
    settle(two)
    assert choices.chosen(two) == {"COMPOSE_PROJECT_NAME": "shop-two", "WEB_PORT": "9200", "DB_PORT": "6200"}


def test_what_a_user_set_stays(machine: Machine, main: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = add_worktree(main, "one", "one")
    (one / ".env").write_text("WEB_PORT=4711\nCOMPOSE_PROJECT_NAME=mine\n")
    settle(one)
    assert choices.own_values(one) == {"WEB_PORT": "4711", "COMPOSE_PROJECT_NAME": "mine"}
    assert choices.chosen(one) == {"DB_PORT": "5532"}


def test_a_name_that_runs_elsewhere_or_is_the_folders_own(machine: Machine, tmp_path: Path) -> None:
    main = make_repository(tmp_path / "main", {"compose.yaml": "services: {web: {image: x}}\n"})
    one = add_worktree(main, "one", "one")
    # Compose calls a project as its folder: nothing meets.
    settle(one)
    assert not (one / ".env").exists()
    machine.running = {"one": str(tmp_path / "a" / "one"), "main-one": "/elsewhere"}
    settle(one)
    assert choices.chosen(one) == {"COMPOSE_PROJECT_NAME": "main-one-2"}


def test_bake_hears_the_name_only_where_its_file_uses_it(machine: Machine, tmp_path: Path) -> None:
    files = {"compose.yaml": COMPOSE, "docker-bake.hcl": 'variable "COMPOSE_PROJECT_NAME" {}\n'}
    one = add_worktree(make_repository(tmp_path / "main", files), "one", "one")
    settle(one)
    assert "shop-one" in (one / choices.BAKE_FILE).read_text()
    assert "8100" not in (one / choices.BAKE_FILE).read_text()
    choices.refresh(one)
    assert "8100" not in (one / choices.BAKE_FILE).read_text()


def test_lines_that_no_variable_moves_are_named(machine: Machine, tmp_path: Path) -> None:
    text = 'services: {web: {image: x, ports: ["8000:80"]}}\n'
    one = add_worktree(make_repository(tmp_path / "main", {"compose.yaml": text}), "one", "one")
    assert any("compose.yaml:1" in line and "${WEB_PORT:-8000}" in line for line in settle(one))
