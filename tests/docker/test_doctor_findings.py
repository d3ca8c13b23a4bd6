"""`doctor` against the real engine, and the GPU probe that it uses."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from imported import Imported, imported
from layers import tree_digest
from typed import invoke

from layerstack.doctor import doctor, engine_checks, health_checks
from layerstack.doctor.disk_need import DiskNeed
from layerstack.engine import image_tree
from layerstack.finding import Finding
from layerstack.gpu.gpu_probe import PROBE_IMAGE, probe_docker
from layerstack.owner import own_mark
from layerstack.project import compose_source, project
from layerstack.project.project import Project
from layerstack.run import stack
from layerstack.run.startup import Silent

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[2]
LoadProject = Callable[..., Project]


@pytest.fixture
def made(engine_client: Any) -> Iterator[Imported]:
    with imported(engine_client, "doctor") as found:
        yield found


def by_name(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}


def test_a_usable_machine_has_no_error(load_project: LoadProject, free_port: int) -> None:
    loaded = load_project("healthy")
    outcome = doctor.examine(loaded.root)
    found = by_name(outcome.findings)
    assert outcome.is_ok, outcome.findings
    assert found["engine"].severity == "ok"
    assert found[f"port {free_port}"].detail == "free for web"
    assert {"gc", "disk", "mount-shadow", "health-localhost", "proxy", "clock"} <= found.keys()


def test_its_own_containers_may_hold_its_ports(load_project: LoadProject, free_port: int) -> None:
    loaded = load_project("healthy")
    stack.up(loaded, Silent())
    (finding,) = (one for one in doctor.examine(loaded.root).findings if one.check == f"port {free_port}")
    assert (finding.severity, finding.detail) == ("ok", "held by web of this project")


def test_nothing_is_changed_in_the_project_or_the_engine(
    load_project: LoadProject, engine_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load_project("healthy")
    label = {"label": f"com.docker.compose.project={loaded.name}"}
    before = tree_digest(loaded.root)
    doctor.examine(loaded.root)
    assert tree_digest(loaded.root) == before
    assert not engine_client.containers.list(all=True, filters=label)
    assert not engine_client.volumes.list(filters=label)
    assert not engine_client.containers.list(all=True, filters={"label": f"{image_tree.LOOK_LABEL}={own_mark()}"})


def test_busybox_is_told_from_a_real_tool_by_its_content(made: Imported, engine_client: Any, tmp_path: Path) -> None:
    check = "healthcheck: { test: 'wget -q -O - http://localhost:80/' }"
    images = {
        "busy": made.make("busy", {"bin/busybox": "box"}, links={"usr/bin/wget": "/bin/busybox"}),
        "real": made.make("real", {"bin/busybox": "box", "usr/bin/wget": "wget"}),
        "none-alpine": made.make("none-alpine", {"usr/bin/wget": "wget"}),
    }
    services = "\n".join(f"  {name}: {{ image: '{image}', {check} }}" for name, image in images.items())
    (tmp_path / "compose.yaml").write_text(f"name: layerstack-test-doctor\nservices:\n{services}\n")
    loaded = project.load(tmp_path, "gpu")
    source = compose_source.read_source(tmp_path, loaded.compose_files)
    found = [one for one in health_checks.check_localhost(engine_client, loaded, source) if one.severity != "ok"]
    assert [(one.service, one.place) for one in found] == [("busy", "compose.yaml:3")]


def test_a_foreign_half_written_project_gets_every_problem_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        "services:\n  web:\n    image: x\n    prots: ['80']\n    command: ${UNSET}\n"
    )
    outcome = invoke(tmp_path, "doctor --json")
    assert outcome.returncode == 1
    answer = json.loads(outcome.stdout)
    problems = {one["check"]: one["place"] for one in answer["findings"] if one["severity"] != "ok"}
    assert problems["project"] == "compose.yaml:4"
    assert problems[".env"] == "compose.yaml:5"
    silenced = json.loads(invoke(tmp_path, "doctor --json --ignore project --ignore .env,registry").stdout)
    assert silenced["ok"] is True
    assert {one["check"] for one in silenced["ignored"]} <= {"project", ".env", "registry"}
    assert {"project", ".env"} <= {one["check"] for one in silenced["ignored"]}


def test_an_unknown_name_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: { web: { image: x } }\n")
    outcome = invoke(tmp_path, "doctor --ignore prot")
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert "mount-shadow" in outcome.stderr


def test_without_an_engine_everything_else_is_still_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "compose.yaml").write_text("services: { web: { image: '${NAME:-x}', ports: ['127.0.0.1:1:1'] } }\n")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    found = by_name(doctor.examine(tmp_path).findings)
    assert found["engine"].severity == "error"
    assert {"project", "port 1", "memory", "build-order", "health-localhost", "run-after-source"} <= found.keys()


def test_disk_and_cache_are_measured_against_what_will_be_built(load_project: LoadProject) -> None:
    from layerstack.cache import cache_report
    from layerstack.engine import engine

    loaded = load_project("healthy")
    facts = engine.read_facts()
    too_much = DiskNeed(10**15, ("huge:latest",))
    assert [one.severity for one in engine_checks.check_disk(facts, too_much)] == ["error"]
    assert [one.severity for one in engine_checks.check_gc(cache_report.read_report(loaded), too_much)] == ["warning"]


def test_the_gpu_probe_gets_an_answer_and_leaves_nothing(engine_client: Any) -> None:
    found = probe_docker()
    assert found.broken_link in ("works", "docker", "toolkit", "setup", "cdi")
    assert found.is_usable == (found.broken_link == "works")
    tags = [tag for image in engine_client.api.images(name=PROBE_IMAGE) for tag in image["RepoTags"] or ()]
    assert not [tag for tag in tags if f":{os.getpid()}-" in tag]


FOREIGN = """\
services:
  web:
    build: .
    ports: ["18000:8000"]
    healthcheck:
      test: wget -q -O- http://localhost:8000
    environment: { SECRET: "${UNSET_SECRET}" }
    depends_on: [base]
  model:
    image: redis:7
    ports: ["18000:9"]
    deploy: { resources: { reservations: { devices: [{ capabilities: [gpu] }] } } }
  base:
    build: base
    image: layerstack-test-base-of-doctor
"""
DOCKERFILE = """\
FROM layerstack-test-base-of-doctor
COPY . .
RUN --mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y curl
RUN pip install -r requirements.txt
"""


def write_foreign(root: Path, compose: str, dockerfile: str) -> Path:
    (root / "base").mkdir()
    (root / "compose.yaml").write_text(compose)
    (root / "Dockerfile").write_text(dockerfile)
    (root / "requirements.txt").touch()
    (root / "main.py").touch()
    (root / "base" / "Dockerfile").write_text("FROM python:3.12-alpine\n")
    return root


def test_what_compose_resolves_of_a_foreign_project_is_looked_at(tmp_path: Path) -> None:
    root = write_foreign(tmp_path, FOREIGN, DOCKERFILE)
    found = {(one.check, one.place) for one in doctor.examine(root).findings if one.severity != "ok"}
    assert found >= {
        ("port 18000", "compose.yaml:4"),
        ("health-localhost", "compose.yaml:6"),
        (".env", "compose.yaml:7"),
        ("build-order", "compose.yaml:8"),
        ("gpu-shm", "compose.yaml:12"),
        ("cache-sharing", "Dockerfile:3"),
        ("run-after-source", "Dockerfile:3"),
        ("run-after-source", "Dockerfile:4"),
    }


LINTS = {
    "gpu-shm",
    "health-localhost",
    "build-order",
    "run-after-source",
    "cache-sharing",
    ".env",
    "mount-shadow",
    "ignore",
}


def test_this_projects_own_stack_has_no_such_problem() -> None:
    found = {one.check: one for one in doctor.examine(ROOT).findings if one.check in LINTS}
    assert {one.severity for one in found.values()} == {"ok"}, found
    assert found.keys() >= LINTS - {"ignore", ".env"}
