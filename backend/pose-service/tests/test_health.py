"""GET /health and POST /pose while the engine is not there, and when it breaks."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from pose_service.engine import EngineFailedError, Person, Pixels
from pose_service.engine_host import EngineHost
from pose_service.factory import create_app
from pose_service.registry import LoadedEngine, load_engine
from pose_service.settings import Settings

DEFAULTS = Settings()


class ScriptedEngine:
    """Does in `estimate` what the test wants."""

    name = "scripted"
    device = "cpu"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.entered = threading.Semaphore(0)
        self.proceed = threading.Event()

    def load(self) -> None:
        """Nothing to load."""

    def estimate(self, rgb: Pixels) -> list[Person]:
        """Wait for the test, then fail or find nobody."""
        self.entered.release()
        if self.error:
            raise self.error
        assert self.proceed.wait(10)
        return []

    def close(self) -> None:
        """Nothing to close."""


def client_of(host: EngineHost, settings: Settings = DEFAULTS) -> FlaskClient:
    return create_app(settings, host).test_client()


def client_with(engine: ScriptedEngine, settings: Settings = DEFAULTS) -> FlaskClient:
    host = EngineHost(lambda: LoadedEngine(engine))
    host.run()
    return client_of(host, settings)


def post(client: FlaskClient, astronaut: Path) -> tuple[int, dict[str, str]]:
    answer = client.post("/pose", data={"image": (io.BytesIO(astronaut.read_bytes()), "a.jpg")})
    return answer.status_code, answer.get_json() or {}


def test_ready(client: FlaskClient) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.json) == (200, {"status": "ready", "engine": "mediapipe", "device": "cpu"})


def test_starting_until_loaded(loaded: LoadedEngine, astronaut: Path) -> None:
    proceed = threading.Event()

    def load() -> LoadedEngine:
        assert proceed.wait(10)
        return loaded

    host = EngineHost(load)
    client = client_of(host)
    host.start()
    answer = client.get("/health")
    assert (answer.status_code, answer.get_json()["status"]) == (503, "starting")
    status, problem = post(client, astronaut)
    assert (status, problem["type"]) == (503, "urn:pose-service:problem:engine-starting")
    proceed.set()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_wait_until_ready, host).result(timeout=10)
    assert client.get("/health").status_code == 200


def _wait_until_ready(host: EngineHost) -> None:
    while host.status.state != "ready":
        threading.Event().wait(0.01)


def test_engine_that_is_not_there_fails_with_its_name(astronaut: Path) -> None:
    host = EngineHost(lambda: load_engine("hmr2"))
    host.run()
    client = client_of(host)
    answer = client.get("/health")
    assert (answer.status_code, answer.get_json()["status"]) == (503, "failed")
    assert "hmr2 is not part of this build" in answer.get_json()["reason"]
    status, problem = post(client, astronaut)
    assert (status, problem["type"]) == (503, "urn:pose-service:problem:engine-failed")


def test_auto_reports_the_degradation() -> None:
    host = EngineHost(lambda: load_engine("auto"))
    host.run()
    assert "hmr2" in client_of(host).get("/health").get_json()["degraded_reason"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [(EngineFailedError("graph broke"), "urn:pose-service:problem:engine-failed"), (KeyError("bug"), "about:blank")],
)
def test_engine_errors_are_problems(error: Exception, kind: str, astronaut: Path) -> None:
    status, problem = post(client_with(ScriptedEngine(error)), astronaut)
    assert (status, problem["type"]) == (500, kind)
    assert "Traceback" not in problem["detail"]


def test_health_answers_and_the_queue_is_bounded_while_an_image_is_estimated(astronaut: Path) -> None:
    engine = ScriptedEngine()
    client = client_with(engine, Settings(concurrency=1, queue_seconds=0.05))
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(post, client, astronaut)
        assert engine.entered.acquire(timeout=10)
        assert client.get("/health").status_code == 200
        status, problem = post(client, astronaut)
        assert (status, problem["type"]) == (503, "urn:pose-service:problem:busy")
        engine.proceed.set()
        assert slow.result(timeout=10)[0] == 200
    assert post(client, astronaut)[0] == 200
