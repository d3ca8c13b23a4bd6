"""GET /health and POST /pose while engines start, are down, or cannot be had."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from running_engines import running_engines

from pose_service.pool.draining import Draining
from pose_service.pool.engine_pool import EnginePool, QueueLimits
from pose_service.pool.roster import EngineEntry, EngineFacts, Roster
from pose_service.settings import Settings
from pose_service.web.factory import create_app
from pose_service.web.routes.health import describe_health

FACTS = EngineFacts("mediapipe", "cpu")


def entry(slot: int, state: str, failures: int = 0, reason: str = "", has_worked: bool = False) -> EngineEntry:
    facts = FACTS if state == "ready" else None
    return EngineEntry(slot, 1, 100 + slot, f"/nowhere/{slot}", state, reason, failures, has_worked, facts)


def roster(*entries: EngineEntry, worked: bool = False) -> Roster:
    return Roster(entries, has_been_ready=worked)


READY, STARTING = entry(0, "ready"), entry(0, "starting")
ROSTERS = {
    "no word from the supervisor": (roster(), "starting", 503, "is loading"),
    "first start": (roster(STARTING), "starting", 503, "is loading"),
    "one ready, others in their first start": (roster(READY, entry(1, "starting"), worked=True), "ready", 200, None),
    "all ready": (roster(READY, entry(1, "ready", 2, "was killed"), worked=True), "ready", 200, None),
    "one is down": (roster(READY, entry(1, "down", 1, "was killed"), worked=True), "degraded", 200, "was killed"),
    "one starts again": (
        roster(READY, entry(1, "starting", 1, "was killed"), worked=True),
        "degraded",
        200,
        "was killed",
    ),
    "all are down": (roster(entry(0, "down", 1, "was killed"), worked=True), "starting", 503, "was killed"),
    "none starts": (
        roster(entry(0, "down", 3, "no model"), entry(1, "down", 5, "no model")),
        "failed",
        503,
        "no model",
    ),
    "all crash at work": (roster(entry(0, "down", 9, "was killed", True), worked=True), "starting", 503, "was killed"),
    "some still try": (roster(entry(0, "down", 9, "no model"), entry(1, "starting", 1)), "starting", 503, "no model"),
}


@pytest.mark.parametrize("name", ROSTERS)
def test_what_health_says(name: str) -> None:
    engines, status, code, reason = ROSTERS[name]
    body, found_code = describe_health(engines)
    assert (body["status"], found_code) == (status, code)
    assert body["engines"] == {"ready": len(engines.ready), "total": len(engines.entries)}
    if reason is None:
        assert "reason" not in body
    else:
        assert reason in body["reason"]


def client_with(engines: Roster) -> FlaskClient:
    pool = EnginePool(QueueLimits(4, 0.2), lambda _request: None, Draining())
    pool.update(engines)
    return create_app(Settings(), pool).test_client()


def post(client: FlaskClient, astronaut: Path) -> tuple[int, str]:
    answer = client.post("/pose", data={"image": (io.BytesIO(astronaut.read_bytes()), "a.jpg")})
    problem = answer.get_json()
    assert answer.headers["Retry-After"]
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    return answer.status_code, problem["type"].rpartition(":")[2]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("first start", "engine-starting"),
        ("none starts", "engine-failed"),
        # It will be back in a moment: the request waits as long as the queue allows.
        ("all are down", "busy"),
    ],
)
def test_an_estimate_without_an_engine_is_a_problem(name: str, kind: str, astronaut: Path) -> None:
    assert post(client_with(ROSTERS[name][0]), astronaut) == (503, kind)


def test_ready(client: FlaskClient) -> None:
    answer = client.get("/health")
    wanted = {"status": "ready", "engine": "mediapipe", "device": "cpu", "engines": {"ready": 1, "total": 1}}
    assert (answer.status_code, answer.json) == (200, wanted)


def test_a_better_engine_that_is_missing_is_named() -> None:
    with running_engines(1, POSE_ENGINE="auto") as pool:
        body = create_app(Settings(), pool).test_client().get("/health").get_json()
    assert body["status"] == "ready"
    assert "hmr2 needs the GPU image" in body["degraded_reason"]


def test_a_stopping_service_says_so_and_takes_nothing(astronaut: Path) -> None:
    client = client_with(ROSTERS["all ready"][0])
    pool_of(client).draining.begin(5.0)
    answer = client.get("/health")
    assert (answer.status_code, json.loads(answer.text)["status"]) == (503, "stopping")
    assert post(client, astronaut) == (503, "stopping")


def pool_of(client: FlaskClient) -> EnginePool:
    found: EnginePool = client.application.extensions["engine_pool"]
    return found
