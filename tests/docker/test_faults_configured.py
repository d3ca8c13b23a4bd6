"""Faults in the settings of one service of the real stack: service, cause and repair are named, and all is well again
once a person has made the change that verify asks for."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from fault_stack import ROOT, FaultStack, fault_stack

from layerstack.project import project
from layerstack.run import stack
from layerstack.run.start_failure import ServiceFailed
from layerstack.run.startup import Silent
from layerstack.verify.diagnosis import Diagnosis
from layerstack.verify.trouble import diagnosis_of
from layerstack.verify.verify import verify

pytestmark = [pytest.mark.docker, pytest.mark.long]
MONGO = "mongodb://admin:{password}@{host}/?authSource=admin"
FAILING_POSE = """\
import http.server
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "failed", "reason": "no engine could be loaded"}')
http.server.HTTPServer(("0.0.0.0", 5000), Answer).serve_forever()
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultStack]:
    with fault_stack("settings", tmp_path_factory.mktemp("settings")) as found:
        yield found


@pytest.fixture(autouse=True)
def healthy_before(running: FaultStack) -> None:
    running.up()


def break_one(running: FaultStack, service: str, settings: Mapping[str, Any], **top: Any) -> Diagnosis:
    """Start one service with other settings; the diagnosis names it."""
    broken = running.configure({service: dict(settings)}, **top)
    running.start(broken, service)
    found = running.find(broken)
    assert found.service == service, found
    return found


@pytest.mark.parametrize(
    ("service", "variable", "value", "kind", "words"),
    [
        ("backend-api", "MONGO_URL", MONGO.format(password="password", host="mongodbb"), "unknown-host", "mongodb?"),
        ("backend-api", "MONGO_URL", MONGO.format(password="other", host="mongodb"), "wrong-credentials", "mongodb"),
        ("backend-api", "POSE_URL", "http://pose-service:5001", "wrong-port", "5000"),
    ],
)
def test_a_wrong_address_is_a_fault_of_the_service_that_has_it(
    running: FaultStack, service: str, variable: str, value: str, kind: str, words: str
) -> None:
    found = break_one(running, service, {"environment": {variable: value}})
    assert (found.kind, found.repair) == (kind, f"invoke up {service}")
    assert found.cause.startswith(variable) or variable in found.cause
    assert words in found.cause
    assert f"correct {variable} in " in found.change
    assert "fault.yml:" in found.change
    assert "other@" not in str(found)
    # The Compose file is right again, the container is still the old one.
    again = running.find(running.own)
    assert (again.service, again.kind, again.change) == (service, kind, "") or kind == "wrong-credentials"
    running.repair(found)


def test_a_variable_that_is_not_set(running: FaultStack) -> None:
    found = break_one(running, "backend-api", {"environment": {"MONGO_URL": "${NOBODY_SETS_THIS}"}})
    assert (found.kind, found.repair) == ("variable-missing", "invoke up backend-api")
    assert "NOBODY_SETS_THIS in .env" in found.change
    running.repair(found)


def test_mongo_data_made_with_another_password(running: FaultStack) -> None:
    # With the stack's own health check, which asks with the credentials.
    check = project.load(ROOT, "cpu").services["mongodb"].definition["healthcheck"]
    changed = {"MONGO_INITDB_ROOT_PASSWORD": "another-secret"}
    broken = running.configure({"mongodb": {"environment": changed, "healthcheck": check}})
    started = time.monotonic()
    with pytest.raises(ServiceFailed) as refused:
        stack.up(broken, Silent(), timeout_seconds=180, diagnose=diagnosis_of(broken))
    assert (refused.value.service, refused.value.kind) == ("mongodb", "wrong-credentials")
    # The health check's own patience is longer than a minute.
    assert time.monotonic() - started < 60
    found = running.find(broken)
    assert (found.service, found.kind, found.repair) == ("mongodb", "wrong-credentials", "invoke up")
    assert refused.value.advice == found.way_out
    assert f"{running.own.name}_mongo-data" in found.cause
    assert "MONGO_INITDB_ROOT_PASSWORD" in found.change
    assert "another-secret" not in str(running.last.to_json())
    running.repair(found)


def test_mongo_volume_unwritable(running: FaultStack) -> None:
    found = break_one(running, "mongodb", {"volumes": ["mongo-data:/data/db:ro"]})
    assert (found.kind, found.repair) == ("volume-unwritable", "invoke up mongodb")
    assert "/data/db" in found.cause
    assert "fault.yml:" in found.change
    running.repair(found)


def test_disk_full_in_a_volume(running: FaultStack) -> None:
    small = {"driver": "local", "driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}}
    fill = "cat /dev/zero > /data/db/filler; exec docker-entrypoint.sh mongod"
    settings = {"volumes": ["small-data:/data/db"], "entrypoint": ["sh", "-c", fill]}
    found = break_one(running, "mongodb", settings, volumes={"small-data": small})
    assert (found.kind, found.repair) == ("disk-full", "invoke up")
    assert "small-data" in found.cause
    running.repair(found)


def test_pose_killed_for_want_of_memory(running: FaultStack) -> None:
    found = break_one(running, "pose-service", {"mem_limit": "40m", "memswap_limit": "40m"})
    assert (found.kind, found.repair) == ("out-of-memory", "invoke up pose-service")
    assert "40 MB" in found.cause
    assert "fault.yml:" in found.change
    running.repair(found)


def test_pose_model_file_missing(running: FaultStack) -> None:
    models = "/opt/venv/lib/python3.9/site-packages/mediapipe/modules/pose_landmark"
    found = break_one(running, "pose-service", {"volumes": [{"type": "tmpfs", "target": models}]})
    assert (found.kind, found.repair) == ("file-missing", "invoke up pose-service")
    assert models in found.cause
    running.repair(found)


def test_pose_still_starting_is_not_ready_yet_and_waiting_is_the_repair(running: FaultStack) -> None:
    slow = running.configure({"pose-service": {"entrypoint": ["sh", "-c", "sleep 12; exec gunicorn"]}})
    running.start(slow, "pose-service")
    report = verify(slow)
    assert report.diagnosis is not None
    assert not report.is_ok
    assert (report.diagnosis.service, report.diagnosis.kind) == ("pose-service", "not-ready-yet")
    assert report.diagnosis.repair == "invoke verify --wait 120"
    rounds: list[float] = []
    waited = verify(slow, 120, lambda seen: rounds.append(seen.seconds))
    assert waited.is_ok
    assert rounds
    running.up()


def test_pose_answering_200_with_failed(running: FaultStack) -> None:
    found = break_one(running, "pose-service", {"entrypoint": ["python", "-c", FAILING_POSE]})
    assert (found.kind, found.repair) == ("reports-failure", "invoke logs pose-service")
    assert "no engine could be loaded" in found.cause
    running.up()


def test_health_check_asks_localhost_of_a_server_on_ipv4(running: FaultStack) -> None:
    check = {"test": ["CMD", "curl", "-6", "--fail", "--silent", "--show-error", "http://localhost:5000/health"]}
    found = break_one(running, "pose-service", {"healthcheck": {**check, "start_period": "1s"}})
    assert (found.kind, found.repair) == ("health-check-wrong-address", "invoke up pose-service")
    assert "127.0.0.1" in found.change
    assert "fault.yml:" in found.change
    running.repair(found)


def test_restart_loop(running: FaultStack) -> None:
    settings = {"command": ["node", "-e", "process.exit(3)"], "restart": "always"}
    broken = running.configure({"backend-api": settings})
    running.start(broken, "backend-api")
    time.sleep(4)
    found = running.find(broken)
    assert (found.service, found.kind, found.repair) == ("backend-api", "restart-loop", "invoke logs backend-api")
    assert found.facts["restart_count"] > 1
    running.up()


@pytest.mark.parametrize("exit_code", [0, 1])
def test_a_one_shot(running: FaultStack, exit_code: int) -> None:
    job = {"image": "snowboarding-backend-api:latest", "command": ["node", "-e", f"process.exit({exit_code})"]}
    broken = running.configure({"job": job, "backend-api": {"depends_on": {"job": {"condition": "service_started"}}}})
    running.start(broken, "job")
    running.client.containers.get(f"{running.own.name}-job-1").wait()
    report = verify(broken, 30)
    assert report.is_ok == (exit_code == 0)
    if exit_code:
        assert report.diagnosis is not None
        found = report.diagnosis
        assert (found.service, found.kind, found.repair) == ("job", "one-shot-failed", "invoke logs job")
        assert found.facts["exit_code"] == 1
    running.client.containers.get(f"{running.own.name}-job-1").remove(force=True)
