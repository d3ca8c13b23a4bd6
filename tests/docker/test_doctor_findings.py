"""`doctor` against the real engine, and the GPU probe that it uses."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from layerstack import doctor, stack
from layerstack.gpu import PROBE_IMAGE, probe_docker
from layerstack.project import Project
from layerstack.startup import Silent

pytestmark = pytest.mark.docker

LoadProject = Callable[..., Project]


def test_a_usable_machine_has_no_error_and_is_examined_quickly(load_project: LoadProject, free_port: int) -> None:
    project = load_project("healthy")
    started = time.monotonic()
    findings = doctor.examine(project.root)
    assert time.monotonic() - started < 8
    found = {finding.check: finding for finding in findings}
    assert not doctor.has_errors(findings), findings
    assert found["engine"].severity == "ok"
    assert found[f"port {free_port}"].detail == "free for web"


def test_its_own_containers_may_hold_its_ports(load_project: LoadProject, free_port: int) -> None:
    project = load_project("healthy")
    stack.up(project, Silent())
    (finding,) = (one for one in doctor.examine(project.root) if one.check == f"port {free_port}")
    assert (finding.severity, finding.detail) == ("ok", "held by web of this project")


def test_the_gpu_probe_gets_an_answer_and_leaves_nothing(engine_client: Any) -> None:
    before = {one.id for one in engine_client.containers.list(all=True)}
    found = probe_docker()
    assert found.broken_link in ("works", "docker", "toolkit")
    assert found.is_usable == (found.broken_link == "works")
    assert {one.id for one in engine_client.containers.list(all=True) if one.image.tags == [PROBE_IMAGE]} <= before
    assert not engine_client.images.list(name=PROBE_IMAGE)
