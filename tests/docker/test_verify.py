"""`verify` asks running containers, and names the first broken link."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from layerstack.engine.place import EnginePlace
from layerstack.project.project import Project
from layerstack.run import stack
from layerstack.run.startup import Silent
from layerstack.verify import verify as verification
from layerstack.verify.verify import VerifyReport, verify
from layerstack.wait import wait_until

pytestmark = pytest.mark.docker

LoadProject = Callable[..., Project]


def failed_checks(report: VerifyReport) -> set[tuple[str, str]]:
    return {(one.service, check.check) for one in report.services for check in one.checks if not check.is_ok}


def container(client: Any, project: Project, service: str) -> Any:
    return client.containers.get(f"{project.name}-{service}-1")


def test_a_healthy_stack_answers_every_check(load_project: LoadProject) -> None:
    project = load_project("healthy")
    stack.up(project, Silent())
    report = verify(project)
    assert failed_checks(report) == set()
    assert report.diagnosis is None
    checks = [check for one in report.services if one.service == "web" for check in one.checks]
    assert {check.check for check in checks if not check.link} == {
        check["check"] for check in project.services["web"].settings.verify
    }
    assert [check.link for check in checks if check.link] == [
        *("image", "container", "running", "network", "health", "port")
    ]
    document = json.loads(json.dumps(report.to_json()))
    assert (document["ok"], document["device"]) == (True, "cpu")
    assert {one["service"]: one["state"] for one in document["services"]} == {
        "migrate": "finished",
        "worker": "running",
        "web": "healthy",
    }


def test_a_port_that_is_published_for_another_machine_is_asked_inside(
    load_project: LoadProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = load_project("healthy")
    stack.up(project, Silent())
    monkeypatch.setattr(verification, "find_place", lambda: EnginePlace("builder.test"))
    report = verify(project)
    assert failed_checks(report) == set()
    (web,) = [one for one in report.services if one.service == "web"]
    not_asked = [check.check for check in web.checks if not check.link and check.detail.startswith("not checked")]
    assert not_asked == ["upload"]


def test_nothing_started_is_absent_everywhere(load_project: LoadProject) -> None:
    report = verify(load_project("chain"))
    assert {one.state for one in report.services} == {"absent"}
    assert report.diagnosis is not None
    assert report.diagnosis.repair == "invoke up"


def test_a_stopped_dependency_is_the_diagnosis_and_its_repair_works(
    load_project: LoadProject, engine_client: Any
) -> None:
    project = load_project("chain", TEST_HEALTH=0)
    stack.up(project, Silent())
    assert verify(project).is_ok
    container(engine_client, project, "database").kill()
    container(engine_client, project, "web").kill()
    report = verify(project)
    assert failed_checks(report) == {("database", "running"), ("web", "running")}
    assert report.diagnosis is not None
    assert (report.diagnosis.service, report.diagnosis.repair) == ("database", "invoke up")
    assert [one.service for one in report.services if one.because_of == "database"] == ["web"]
    stack.up(project, Silent())
    assert verify(project).is_ok


def test_a_paused_container_is_found_in_time(load_project: LoadProject, engine_client: Any) -> None:
    project = load_project("healthy")
    stack.up(project, Silent())
    container(engine_client, project, "web").pause()
    report = verify(project)
    container(engine_client, project, "web").unpause()
    assert report.diagnosis is not None
    assert report.diagnosis.repair == f"docker unpause {project.name}-web-1"
    assert ("web", "status") in failed_checks(report)


def test_a_frozen_program_does_not_hang_verify(load_project: LoadProject, engine_client: Any) -> None:
    project = load_project("hangs")
    stack.up(project, Silent())
    started = time.monotonic()
    report = verify(project)
    assert time.monotonic() - started < 60
    assert failed_checks(report) == {("web", "page"), ("web", "inside")}
    assert report.diagnosis is not None
    assert "no answer within 1 s" in report.diagnosis.cause


def test_a_project_without_checks_is_asked_what_can_be_asked(load_project: LoadProject, free_port: int) -> None:
    project = load_project("plain", TEST_OTHER_PORT=0)
    stack.up(project, Silent())
    # Without a health check nobody waits until the servers listen.
    report = wait_until(lambda: found if (found := verify(project)).is_ok else None, 60, 0.5)
    assert report
    details = {one.service: one.checks[-1].detail for one in report.services}
    assert details["page"] == f"GET http://127.0.0.1:{free_port}/ → 404"
    assert details["queue"].startswith("not checked: nothing speaks HTTP")
    assert details["worker"].startswith("not checked:")
