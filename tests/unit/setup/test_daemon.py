"""Starting dockerd: a stand-in program plays the daemon that answers, dies or stays silent."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from layerstack.engine import engine
from layerstack.errors import EngineError
from layerstack.setup import daemon


class Machine:
    """A folder with a pretended dockerd, its pid files and its log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.program = folder / "dockerd"

    def start(self, script: str) -> None:
        self.program.write_text(f"#!/bin/sh\n{script}\n")
        self.program.chmod(0o755)
        daemon.start(self.program, self.folder, self.said.append)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(daemon, "LOG", tmp_path / "log")
    monkeypatch.setattr(daemon, "SYSTEMD", tmp_path / "no-systemd")
    monkeypatch.setattr(daemon, "PID_FILES", {"dockerd": tmp_path / "a.pid", "containerd": tmp_path / "b.pid"})
    monkeypatch.setattr(daemon, "START_SECONDS", 5.0)
    monkeypatch.setattr(engine, "daemon_answers", (tmp_path / "answers").exists)
    return Machine(tmp_path)


@pytest.fixture
def other_process() -> Iterator[int]:
    process = subprocess.Popen(["sleep", "60"])
    yield process.pid
    process.kill()
    process.wait()


def test_waits_until_the_daemon_answers(machine: Machine) -> None:
    machine.start(f"sleep 0.3; touch {machine.folder}/answers; exec sleep 2")
    assert (machine.folder / "answers").exists()
    assert "the daemon responds" in machine.said[-1]


def test_the_daemons_own_programs_come_first_on_its_path(machine: Machine) -> None:
    report = machine.folder / "report"
    machine.start(f"(echo $PATH; pwd) > {report}; touch {machine.folder}/answers; exec sleep 2")
    path, folder = report.read_text().splitlines()
    assert path.startswith(f"{machine.folder}/usr/sbin:{machine.folder}/usr/bin:")
    assert folder == "/"


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("failed to start daemon: mkdir /var/lib/docker: read-only file system", "Make /var/lib/docker writable"),
        ("failed to start daemon: Devices cgroup isn't mounted", "control groups must be mounted"),
        ("failed to start daemon: iptables not found", "iptables --list"),
        ("failed to start daemon: write x: no space left on device", "Free space"),
        ("unable to configure the Docker daemon with file /etc/docker/daemon.json: x", "Correct /etc/docker"),
        ("something new", "The whole log is in"),
    ],
)
def test_a_dead_daemon_is_explained_at_once(machine: Machine, message: str, remedy: str) -> None:
    (machine.folder / "log").write_text("level=fatal from an earlier start: overlay\n")
    with pytest.raises(EngineError) as raised:
        machine.start(f'echo "starting"; echo "{message}"; exit 1')
    assert message in str(raised.value)
    assert remedy in raised.value.advice
    assert "earlier start" not in str(raised.value)


def test_a_silent_daemon_ends_the_wait(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "START_SECONDS", 0.5)
    with pytest.raises(EngineError, match="did not respond within"):
        machine.start("exec sleep 2")


def test_pid_files_that_now_fit_another_process_are_removed(machine: Machine, other_process: int) -> None:
    for name in ("a.pid", "b.pid"):
        (machine.folder / name).write_text(str(other_process))
    machine.start(f"touch {machine.folder}/answers; exec sleep 2")
    assert not list(machine.folder.glob("*.pid"))
    assert sum("removing" in line for line in machine.said) == 2


def test_a_daemon_that_is_still_starting_is_not_started_twice(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine.folder / "a.pid").write_text(str(os.getpid()))
    monkeypatch.setattr(daemon, "_name_of", lambda pid: "dockerd")
    (machine.folder / "answers").touch()
    machine.start(f"touch {machine.folder}/started-again")
    assert not (machine.folder / "started-again").exists()
    assert (machine.folder / "a.pid").exists()


def test_the_unit_for_systemd_has_every_blank_filled() -> None:
    text = daemon.UNIT_TEXT.format(path="/p/bin:/bin", program="/p/dockerd", log=daemon.LOG)
    assert "ExecStart=/p/dockerd\n" in text
    assert "{" not in text
