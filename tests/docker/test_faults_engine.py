"""Faults of the engine and of what lies in front of the containers: the engine away, images missing, bad files."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from engine_proxy import tcp_proxy, unix_proxy
from fault_stack import ROOT, FaultStack, fault_stack
from layers import layers
from typed import invoke

from layerstack import command
from layerstack.errors import EngineError, StartFailed
from layerstack.project.project import Project
from layerstack.run import stack
from layerstack.run.startup import Silent
from layerstack.verify.verify import verify

pytestmark = pytest.mark.docker
LoadProject = Callable[..., Project]
BOUND_SECONDS = 40.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultStack]:
    """The database and the API with what it needs: enough for faults of what lies in front of them."""
    with fault_stack("front", tmp_path_factory.mktemp("front"), "backend-api") as found:
        yield found


def test_engine_down(tmp_path: Path) -> None:
    started = time.monotonic()
    outcome = invoke(ROOT, "verify", DOCKER_HOST=f"unix://{tmp_path}/nobody.sock")
    assert outcome.returncode == 3, outcome.stderr
    assert "No Docker daemon responds" in outcome.stderr
    assert time.monotonic() - started < BOUND_SECONDS


@pytest.mark.parametrize("last_words", [b"/containers/json", b"/images/", b"/exec/"])
def test_engine_dying_during_verify(
    running: FaultStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last_words: bytes
) -> None:
    asks_inside = {"x-layerstack": {"verify": [{"check": "slow", "exec": ["sleep", "15"]}]}}
    asked = running.configure({"mongodb": asks_inside})
    started = time.monotonic()
    with unix_proxy(tmp_path, last_words) as (proxy, address):
        monkeypatch.setenv("DOCKER_HOST", address)
        with pytest.raises(EngineError) as caught:
            verify(asked)
        assert proxy.is_shut
    assert time.monotonic() - started < BOUND_SECONDS
    assert caught.value.exit_code == 3
    assert caught.value.advice


def test_image_missing(running: FaultStack) -> None:
    broken = running.configure({"frontend": {"image": "layerstack-test/absent:1"}})
    found = {one.service: one for one in verify(broken).diagnoses}["frontend"]
    assert (found.kind, found.repair) == ("image-missing", "invoke build frontend && invoke up")


def test_base_missing(running: FaultStack) -> None:
    broken = running.configure({"frontend": {"image": "layerstack-test/absent:1"}})
    images = {**broken.images, "base-node": replace(broken.images["base-node"], tags=("layerstack-test/base:1",))}
    found = {one.service: one for one in verify(replace(broken, images=images)).diagnoses}["frontend"]
    assert (found.kind, found.repair) == ("base-missing", "invoke build frontend && invoke up")
    assert "layerstack-test/base:1" in found.cause


def test_the_repair_of_missing_images_is_typed_as_it_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with layers(tmp_path, monkeypatch) as own:
        outcome = invoke(own.root, "verify --json")
        assert outcome.returncode == 1, outcome.stderr
        found = json.loads(outcome.stdout)["diagnosis"]
        assert found["kind"] == "base-missing"
        for line in found["repair"].split(" && "):
            typed = invoke(own.root, line.removeprefix("invoke "))
            assert typed.returncode == 0, typed.stderr
        assert verify(own, 30).is_ok


def test_a_half_written_compose_file_is_wrong_usage_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text("services:\n  web:\n    image: nginx\n   ports: [80\n")
    outcome = invoke(tmp_path, "verify")
    assert outcome.returncode == 2, outcome.stderr
    assert "docker-compose.yml:4: " in outcome.stderr.splitlines()[0]


def test_the_task_prints_the_diagnosis_first_and_writes_junit(load_project: LoadProject, tmp_path: Path) -> None:
    own = load_project("chain")
    with pytest.raises(StartFailed):
        stack.up(own, Silent())
    outcome = invoke(own.root, f"verify --junit {tmp_path}/verify.xml")
    assert outcome.returncode == 1
    first = outcome.stdout.splitlines()[0]
    assert first.startswith("database: fails its health check")
    assert first.endswith("→ `invoke logs database`")
    cases = ElementTree.parse(tmp_path / "verify.xml").getroot().iter("testcase")
    kinds = {child.get("type") for case in cases for child in case.findall("failure")}
    assert kinds == {"unhealthy", "consequence"}


def test_waiting_ends_early_when_nothing_can_turn_good(load_project: LoadProject) -> None:
    own = load_project("chain")
    with pytest.raises(StartFailed):
        stack.up(own, Silent())
    started = time.monotonic()
    outcome = invoke(own.root, "verify --wait 100 --json")
    assert outcome.returncode == 1
    assert time.monotonic() - started < 30
    document = json.loads(outcome.stdout)
    assert document["diagnosis"]["service"] == "database"
    assert {one["service"]: one["because_of"] for one in document["services"]} == {
        "database": None,
        "api": "database",
        "web": "database",
    }


def test_waiting_for_a_late_service_ends_with_not_ready(load_project: LoadProject) -> None:
    own = load_project("late")
    command.run(own.compose("up", "--detach"), cwd=own.root, env=own.environment).require()
    outcome = invoke(own.root, "verify --wait 3 --json")
    assert outcome.returncode == 1
    assert json.loads(outcome.stdout)["diagnosis"]["kind"] == "not-ready-yet"
    assert "waiting" in outcome.stderr


def test_one_broken_replica_of_two_is_named(load_project: LoadProject, engine_client: Any) -> None:
    own = load_project("scaled")
    stack.up(own, Silent())
    assert verify(own).is_ok
    engine_client.containers.get(f"{own.name}-worker-2").exec_run(["rm", "/tmp/works"])
    time.sleep(2)
    report = verify(own, 10)
    assert report.diagnosis is not None
    assert (report.diagnosis.service, report.diagnosis.container) == ("worker", f"{own.name}-worker-2")
    broken = {check.container for one in report.services for check in one.checks if not check.is_ok}
    assert broken == {f"{own.name}-worker-2"}
    engine_client.containers.get(f"{own.name}-worker-1").remove(force=True)
    assert verify(own).diagnosis is not None


def test_an_external_network_that_is_missing_is_made_by_the_repair(
    load_project: LoadProject, engine_client: Any
) -> None:
    network = f"layerstack-test-shared-{os.getpid()}"
    own = load_project("outside", TEST_NETWORK=network)
    found = verify(own).diagnosis
    assert found is not None
    assert (found.kind, found.repair) == ("network-missing", f"docker network create {network} && invoke up")
    command.run(["docker", "network", "create", network]).require()
    try:
        stack.up(own, Silent())
        assert verify(own).is_ok
    finally:
        stack.down(own)
        engine_client.networks.get(network).remove()


def test_ports_on_loopback_of_another_machine_are_said_to_be_out_of_reach(
    load_project: LoadProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = load_project("plain", TEST_OTHER_PORT=0)
    with tcp_proxy("127.0.0.2") as (_, address):
        stack.up(own, Silent())
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("DOCKER_HOST", address)
            report = verify(own)
    assert report.engine_host == "127.0.0.2"
    details = {one.service: one.checks[-1].detail for one in report.services}
    assert "of the engine's machine" in details["page"]
    assert verify(own).engine_host == ""


def test_an_engine_of_another_machine_is_asked_there(
    load_project: LoadProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = load_project("wide")
    stack.up(own, Silent())
    with tcp_proxy("127.0.0.2") as (_, address), monkeypatch.context() as elsewhere:
        elsewhere.setenv("DOCKER_HOST", address)
        report = verify(own, 20)
    assert report.is_ok, report.diagnosis
    port = own.services["page"].ports[0].published
    assert f"GET http://127.0.0.2:{port}/ → 200" in [check.detail for check in report.services[0].checks]
