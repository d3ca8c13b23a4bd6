"""Getting a machine ready: the order of the steps, what is made and what is only checked."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from engine_facts import FACTS

from layerstack.engine import engine
from layerstack.engine.engine import EngineFacts
from layerstack.errors import EngineError, GpuMissing, UsageError
from layerstack.project import choices
from layerstack.project.project import Project
from layerstack.project.settings import ProjectSettings
from layerstack.registry.team import TeamRegistry
from layerstack.setup import debian_engine, machine, system_images
from layerstack.setup.machine import Readiness
from layerstack.setup.system_images import SystemImage


class Bench:
    """A machine of parts that can be missing; `steps` are what was done, in order."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.steps: list[str] = []
        self.said: list[str] = []
        self.engine_error: EngineError | None = None
        self.device: Any = "cpu"
        (root / "docker-compose.yml").touch()
        (root / "docker-compose.cpu.yml").touch()
        monkeypatch.setattr(engine, "read_facts", self._read_facts)
        monkeypatch.setattr(engine, "require_ready", lambda facts: self.steps.append("require"))
        monkeypatch.setattr(debian_engine, "install_engine", self._install)
        monkeypatch.setattr(machine, "choose", self._choose)
        monkeypatch.setattr(system_images, "prepare", self._images)
        monkeypatch.setattr(machine, "load", self._load)
        self.project: Project | None = None

    def prepare(self, installs: bool = False) -> Readiness:
        return machine.prepare(self.root, "auto", installs_engine=installs, pulls=False, say=self.said.append)

    def _read_facts(self) -> EngineFacts:
        self.steps.append("facts")
        if self.engine_error:
            raise self.engine_error
        return FACTS

    def _install(self, say: Any) -> EngineFacts:
        self.steps.append("install")
        return FACTS

    def _choose(self, root: Path, request: str) -> Any:
        self.steps.append("device")
        if self.device == "missing":
            raise GpuMissing("no driver")
        return SimpleNamespace(device=self.device, why="seen", reason="fine")

    def _load(self, root: Path, device: str) -> Project:
        if self.project is None:
            raise UsageError("the Compose file is broken")
        return self.project

    def _images(self, root: Path, pull: bool, device: str, say: Any, team: TeamRegistry | None) -> list[SystemImage]:
        self.steps.append(f"images {device}{f' from {team.address}' if team else ''}")
        return [SystemImage("NODE_IMAGE", "stand-in/node", "node:18", is_stand_in=True)]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def test_everything_is_checked_in_the_order_in_which_it_is_needed(bench: Bench) -> None:
    ready = bench.prepare()
    assert bench.steps == ["facts", "require", "device", "images cpu"]
    assert (ready.facts, ready.decision.device) == (FACTS, "cpu")
    assert any("a stand-in for node:18" in line for line in bench.said)


def test_without_an_engine_nothing_is_installed_unasked(bench: Bench) -> None:
    bench.engine_error = EngineError("No engine answers.", "start it")
    with pytest.raises(EngineError, match=r"No engine answers") as caught:
        bench.prepare()
    assert bench.steps == ["facts"]
    assert caught.value.advice == "start it"


def test_an_engine_is_installed_when_asked(bench: Bench) -> None:
    bench.engine_error = EngineError("No engine answers.")
    bench.prepare(installs=True)
    assert bench.steps == ["facts", "install", "require", "device", "images cpu"]


def test_an_engine_that_answers_is_left_alone(bench: Bench) -> None:
    bench.prepare(installs=True)
    assert "install" not in bench.steps


def test_a_demanded_gpu_that_is_missing_ends_it_before_images_are_fetched(bench: Bench) -> None:
    bench.device = "missing"
    with pytest.raises(GpuMissing):
        bench.prepare()
    assert bench.steps == ["facts", "require", "device"]
    assert choices.read(bench.root) == {}


def test_the_device_is_remembered_for_plain_compose_and_bake(bench: Bench) -> None:
    bench.prepare()
    assert choices.read(bench.root) == {
        "DEVICE": "cpu",
        "COMPOSE_FILE": "docker-compose.yml:docker-compose.cpu.yml",
    }
    bench.device = "gpu"
    bench.prepare()
    assert choices.read(bench.root) == {"DEVICE": "gpu"}


def test_a_project_without_a_cpu_variant_needs_no_list_of_files(bench: Bench) -> None:
    (bench.root / "docker-compose.cpu.yml").unlink()
    (bench.root / "docker-bake.hcl").touch()
    bench.prepare()
    assert choices.read(bench.root) == {"DEVICE": "cpu"}


def test_a_project_that_is_the_same_on_both_devices_is_left_as_it_is(bench: Bench) -> None:
    (bench.root / "docker-compose.cpu.yml").unlink()
    bench.prepare()
    assert [path.name for path in bench.root.iterdir()] == ["docker-compose.yml"]


def test_a_second_run_writes_nothing(bench: Bench) -> None:
    bench.prepare()
    before = {path: path.stat().st_mtime_ns for path in bench.root.iterdir()}
    bench.prepare()
    assert {path: path.stat().st_mtime_ns for path in bench.root.iterdir()} == before


def test_the_users_own_line_stays_and_is_reported(bench: Bench) -> None:
    (bench.root / ".env").write_text("DEVICE=gpu\n")
    bench.prepare()
    assert (bench.root / ".env").read_text().startswith("DEVICE=gpu\n")
    assert any("DEVICE=gpu" in line and "cpu" in line for line in bench.said)


def test_what_the_projects_images_are_built_on_is_looked_for_at_the_team(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ProjectSettings("registry.example.com/team")
    bench.project = Project(bench.root, "p", "cpu", (), (), {}, {}, settings=settings)
    monkeypatch.setattr(machine, "absent_parents", lambda project: ("debian:12",))
    asked: list[Any] = []
    monkeypatch.setattr(machine, "fetch", lambda team, names, say: asked.append((team.address, names)))
    bench.prepare()
    assert bench.steps[-1] == "images cpu from registry.example.com/team"
    assert asked == [("registry.example.com/team", [["debian:12"]])]
