"""Findings without an engine, with hanging checks, and about versions, disk and variables."""

import socket
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from layerstack import doctor, engine, engine_checks, machine_checks, project, project_checks
from layerstack.engine import EngineFacts
from layerstack.errors import EngineError, UsageError
from layerstack.known_issues import issues_of
from layerstack.project import Port, Project, Service

FACTS = EngineFacts(
    server_version="28.5.2+dfsg4",
    buildx_version="v0.29.1",
    compose_version="2.40.3-3",
    data_root="/var/lib/docker",
    disk_free_bytes=50 * 10**9,
    disk_total_bytes=100 * 10**9,
    storage_driver="overlay2",
    cgroup_version="2",
    operating_system="Debian",
    architecture="x86_64",
    kernel_version="6.1",
    cpu_count=2,
    memory_bytes=1,
    runtimes=("runc",),
)


def severities(findings: Any) -> dict[str, str]:
    return {finding.check: finding.severity for finding in findings}


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise EngineError("No Docker daemon answers", "Start it.")

    monkeypatch.setattr(engine, "client", fail)
    monkeypatch.setattr(engine, "read_facts", fail)


def demo(root: Path, port: int) -> Project:
    web = Service("web", "web", (Port("127.0.0.1", port, 80),), {}, {})
    return Project(root, "demo", "cpu", (root / "docker-compose.yml",), (), {}, {"web": web})


@pytest.mark.usefixtures("no_engine")
def test_without_an_engine_the_other_checks_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docker-compose.yml").write_text("services: {web: {ports: ['80']}}")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        monkeypatch.setattr(project, "load", lambda root, device: demo(root, taken))
        findings = doctor.examine(tmp_path)
    found = severities(findings)
    assert found["engine"] == "error"
    assert found[f"port {taken}"] == "error"
    assert {"environment", "docker SDK", "gpu", "project"} <= found.keys()
    assert [finding.check for finding in findings].count("engine") == 1
    assert doctor.has_errors(findings)
    assert all(finding.remedy for finding in findings if finding.severity == "error")


@pytest.mark.usefixtures("no_engine")
def test_an_unreadable_project_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise UsageError("There is no Compose file", "Go elsewhere.")

    monkeypatch.setattr(project, "load", fail)
    assert severities(doctor.examine(tmp_path))["project"] == "error"


@pytest.mark.usefixtures("no_engine")
def test_a_hanging_or_broken_check_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CHECK_SECONDS", 0.3)
    monkeypatch.setattr(project, "load", lambda root, device: demo(root, 1))
    monkeypatch.setattr(machine_checks, "check_memory", lambda: time.sleep(5))
    monkeypatch.setattr(machine_checks, "check_watches", lambda: 1 / 0)
    started = time.monotonic()
    found = severities(doctor.examine(tmp_path))
    assert time.monotonic() - started < 3
    assert found["memory"] == "warning"
    assert found["inotify"] == "warning"


@pytest.mark.parametrize(
    ("part", "version", "symptoms"),
    [
        ("Docker Engine", "28.5.2+dfsg4", 0),
        ("Docker Engine", "24.0.7", 1),
        ("Docker Engine", "29.6.0", 1),
        ("Docker Compose", "2.36.0", 1),
        ("Docker Compose", "2.40.3+ds1-1", 0),
        ("Docker Compose", "v5.0.0", 1),
        ("Docker Compose", "5.0.1", 0),
        ("docker SDK", "7.1.0", 1),
        ("docker SDK", "6.1.3", 1),
        ("docker SDK", "7.2.0", 0),
        ("Docker Buildx", "unknown", 0),
    ],
)
def test_known_issues(part: str, version: str, symptoms: int) -> None:
    assert len(issues_of(part, version)) == symptoms


def test_an_engine_that_is_too_old_is_an_error() -> None:
    found = list(engine_checks.check_versions(replace(FACTS, buildx_version="0.13.1")))
    assert severities(found)["versions"] == "error"
    assert all(finding.severity == "ok" for finding in engine_checks.check_versions(FACTS))


@pytest.mark.parametrize(("free_gigabytes", "severity"), [(50, "ok"), (19, "warning"), (5, "error"), (None, "ok")])
def test_disk(free_gigabytes: int | None, severity: str) -> None:
    free = free_gigabytes * 10**9 if free_gigabytes is not None else None
    (finding,) = engine_checks.check_disk(replace(FACTS, disk_free_bytes=free))
    assert finding.severity == severity


@pytest.mark.parametrize(("offset_seconds", "severity"), [(0, "ok"), (-90, "warning")])
def test_clock(offset_seconds: float, severity: str) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + offset_seconds)) + ".123456789Z"
    (finding,) = engine_checks.check_clock(SimpleNamespace(info=lambda: {"SystemTime": stamp}))
    assert finding.severity == severity


def test_buildkit_turned_off_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_BUILDKIT", raising=False)
    monkeypatch.delenv("COMPOSE_DOCKER_CLI_BUILD", raising=False)
    assert severities(machine_checks.check_environment()) == {"environment": "ok"}
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    (finding,) = machine_checks.check_environment()
    assert (finding.severity, finding.remedy) == ("warning", "unset DOCKER_BUILDKIT")


def test_a_project_on_the_windows_disk_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platform.release", lambda: "5.15.0-microsoft-standard-WSL2")
    assert severities(machine_checks.check_wsl(tmp_path)) == {"wsl": "ok"}
    assert severities(machine_checks.check_wsl(Path("/mnt/c/project"))) == {"wsl": "warning"}


def test_a_missing_env_file_is_said(tmp_path: Path) -> None:
    (tmp_path / ".env.example").touch()
    assert severities(project_checks.check_env_file(demo(tmp_path, 1))) == {".env": "warning"}
    (tmp_path / ".env").touch()
    assert severities(project_checks.check_env_file(demo(tmp_path, 1))) == {".env": "ok"}


def test_stand_ins_are_named() -> None:
    images = [{"RepoTags": ["stand-in/mongo:6", "mine:1"]}, {"RepoTags": ["stand-in/debian:bookworm"]}]
    client = SimpleNamespace(api=SimpleNamespace(images=lambda filters: images))
    (finding,) = engine_checks.check_stand_ins(client)
    assert finding.severity == "warning"
    assert "stand-in/mongo:6" in finding.detail
    assert "debian" not in finding.detail
