"""Which names the service answers to, and which pages may send something; tests/hostile sends more of both."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from pose_service.pool.draining import Draining
from pose_service.pool.engine_pool import EnginePool, QueueLimits
from pose_service.settings import Settings
from pose_service.web.factory import create_app

PATHS = ("/health", "/metrics", "/openapi.json", "/pose/faces", "/nothing")


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    """No engine is needed to refuse somebody."""
    settings = Settings.from_environment({"POSE_ALLOWED_HOSTS": "pose.example"})
    return create_app(settings, EnginePool(QueueLimits(4, 0.2), lambda _request: None, Draining())).test_client()


@pytest.mark.parametrize("path", PATHS)
def test_a_foreign_name_is_answered_nowhere(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Host": "evil.example"})
    assert (answer.status_code, answer.get_json()["type"]) == (421, "urn:pose-service:problem:unknown-host")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:5000", "[::1]", "pose-service", "pose.example:80"])
def test_own_and_added_names_are_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/openapi.json", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_no_browser_guesses_what_an_answer_is(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_of_another_origin_may_look_but_not_send(client: FlaskClient) -> None:
    foreign = {"Origin": "https://evil.example"}
    assert client.get("/openapi.json", headers=foreign).status_code == 200
    answer = client.post("/pose", headers=foreign)
    assert (answer.status_code, answer.get_json()["type"]) == (403, "urn:pose-service:problem:cross-site")
    assert "Access-Control-Allow-Origin" not in client.get("/openapi.json", headers=foreign).headers
