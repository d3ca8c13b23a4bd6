"""Installing an engine: what is said, what is done, and that a second or an interrupted run is safe."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_facts import FACTS

from layerstack import command
from layerstack.engine import engine
from layerstack.errors import EngineError
from layerstack.setup import daemon, debian_engine
from layerstack.setup.apt import Mirror, Say

MIRROR = Mirror("bookworm", "http://mirror.test/debian", "http://mirror.test/security")


class Machine:
    """A machine in a folder: what was installed, downloaded and started there."""

    def __init__(self, folder: Path) -> None:
        self.prefix = folder / "prefix"
        self.links = folder / "bin"
        self.said: list[str] = []
        self.done: list[str] = []
        self.lacks: tuple[str, ...] = ("runc", "tini")
        self.facts: engine.EngineFacts | None = None

    def install_engine(self) -> engine.EngineFacts:
        return debian_engine.install_engine(self.said.append)

    def read_facts(self) -> engine.EngineFacts:
        if not self.facts:
            raise EngineError("no daemon")
        return self.facts

    def start(self, program: Path, prefix: Path, say: Say) -> None:
        self.done.append(f"start {program.name}")
        self.facts = FACTS

    def run(self, argv: Sequence[str], **_: Any) -> command.CommandResult:
        """Plays dpkg-deb (unpacks the programs) and the programs' --version."""
        if argv[0] == "dpkg-deb":
            for program in ("usr/sbin/dockerd", "usr/bin/containerd", "usr/bin/docker"):
                self._put(self.prefix / program)
            for program in debian_engine.PLUGIN_PROGRAMS.values():
                self._put(program)
        return command.CommandResult(tuple(argv), 0, "", "", 0.0)

    def _put(self, program: Path) -> None:
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("")
        program.chmod(0o755)


class Source:
    """A package source that leaves one file for every package."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def run(self, arguments: Sequence[str], say: Say, cwd: Path | None = None) -> None:
        self.machine.done.append(f"{arguments[0]} {len(arguments) - 1}")
        for name in arguments[1:]:
            ((cwd or Path()) / f"{name}.deb").touch()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)

    @contextmanager
    def package_source(say: Say, sources: Sequence[str]) -> Iterator[Source]:
        made.done.append(" ".join(line.split("] ")[-1] for line in sources))
        yield Source(made)

    def install_packages(names: Sequence[str], mirror: Mirror, say: Say) -> None:
        made.done.append(f"apt {' '.join(names)}")

    programs = {tmp_path / "plugins" / name: made.prefix / name for name in ("docker-buildx", "docker-compose")}
    for name, value in {
        "PREFIX": made.prefix,
        "COMPLETE": made.prefix / ".complete",
        "LOCK": tmp_path / "lock",
        "CLIENT_LINK": made.links / "docker",
        "PLUGIN_FOLDER": tmp_path / "plugins",
        "PLUGIN_PROGRAMS": programs,
        "is_debian": lambda: True,
        "read_mirror": lambda: MIRROR,
        "missing_packages": lambda names: made.lacks,
        "package_source": package_source,
        "install_packages": install_packages,
    }.items():
        monkeypatch.setattr(debian_engine, name, value)
    monkeypatch.setattr(debian_engine.os, "geteuid", lambda: 0)
    monkeypatch.setattr(engine, "read_facts", made.read_facts)
    monkeypatch.setattr(engine, "daemon_answers", lambda: made.facts is not None)
    monkeypatch.setattr(daemon, "start", made.start)
    monkeypatch.setattr(command, "run", made.run)
    made.links.mkdir()
    monkeypatch.setenv("PATH", str(made.links))
    return made


def test_says_every_change_before_the_first_one(machine: Machine) -> None:
    machine.install_engine()
    announced = "\n".join(machine.said[: machine.said.index("installing runc tini")])
    for change in ("bookworm: runc tini", "docker.io", str(machine.prefix), "docker-buildx", str(daemon.LOG)):
        assert change in announced
    assert str(machine.links / "docker") in announced


def test_installs_own_packages_and_unpacks_newer_ones_aside(machine: Machine) -> None:
    assert machine.install_engine() == FACTS
    assert machine.done == ["apt runc tini", "http://mirror.test/debian forky main", "download 5", "start dockerd"]
    assert (machine.links / "docker").resolve() == machine.prefix / "usr/bin/docker"
    assert (machine.prefix / "usr/bin/docker-init").readlink() == Path("/usr/bin/tini-static")
    assert all(link.resolve() == program for link, program in debian_engine.PLUGIN_PROGRAMS.items())


def test_a_second_call_does_and_says_nothing(machine: Machine) -> None:
    machine.install_engine()
    machine.done.clear()
    machine.said.clear()
    machine.install_engine()
    assert (machine.done, machine.said) == ([], [])


def test_a_stopped_engine_is_only_started(machine: Machine) -> None:
    machine.install_engine()
    machine.done.clear()
    machine.facts = None
    machine.install_engine()
    assert machine.done == ["start dockerd"]


@pytest.mark.parametrize("lost", ["prefix/.complete", "prefix/usr/sbin/dockerd"])
def test_an_interrupted_installation_is_done_again(machine: Machine, tmp_path: Path, lost: str) -> None:
    machine.install_engine()
    (tmp_path / lost).unlink()
    machine.done.clear()
    machine.facts = None
    machine.install_engine()
    assert "download 5" in machine.done


def test_a_lost_plugin_link_comes_back(machine: Machine) -> None:
    machine.install_engine()
    link = next(iter(debian_engine.PLUGIN_PROGRAMS))
    link.unlink()
    machine.facts = None
    machine.install_engine()
    assert link.is_symlink()


def test_a_docker_command_that_is_there_stays(machine: Machine) -> None:
    own = machine.links / "docker"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    machine.install_engine()
    assert not own.is_symlink()
    assert any("is kept and used" in line for line in machine.said)


def test_an_engine_that_stays_too_old_is_an_error(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.facts = replace(FACTS, server_version="20.10.5")
    with pytest.raises(EngineError, match=r"Docker Engine 20\.10\.5 is too old"):
        machine.install_engine()


def test_a_program_that_does_not_run_here_is_an_error(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(argv: Sequence[str], **options: Any) -> command.CommandResult:
        result = machine.run(argv, **options)
        is_broken = argv[0].endswith("dockerd")
        return replace(result, exit_code=1, stderr="GLIBC_2.99 not found") if is_broken else result

    monkeypatch.setattr(command, "run", run)
    with pytest.raises(EngineError, match=r"GLIBC_2\.99"):
        machine.install_engine()
    assert not debian_engine.COMPLETE.exists()


def test_other_systems_and_other_users_get_the_way_on(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian_engine.os, "geteuid", lambda: 1000)
    with pytest.raises(EngineError, match="needs root"):
        machine.install_engine()
    monkeypatch.setattr(debian_engine, "is_debian", lambda: False)
    with pytest.raises(EngineError, match=r"on Debian only(.|\n)*docs\.docker\.com"):
        machine.install_engine()
    assert machine.done == []


def test_nothing_to_start(machine: Machine) -> None:
    with pytest.raises(EngineError, match="no dockerd to start"):
        debian_engine.start_engine(machine.said.append)
