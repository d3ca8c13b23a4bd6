"""Who waits for an engine, for how long, and who is sent away."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from running_engines import running_engines, wait_until
from scripted_jobs import CountJob, EchoJob
from server import BUSY_SECONDS, DEADLINE_SECONDS

from pose_service.pool.caller import Caller
from pose_service.pool.engine_pool import EnginePool, QueueLimits
from pose_service.pool.pool_errors import BusyError, ClientGoneError, StoppingError
from pose_service.settings import Settings
from pose_service.web.factory import create_app
from pose_service.web.job_run import JobLimits, run_job

LIMITS = JobLimits(20.0, 10.0)
LENGTH = 3
# Longer than a busy machine pauses.
QUEUE_SECONDS = 3.0


@pytest.fixture(scope="module")
def pool() -> Iterator[EnginePool]:
    """One engine, three places to wait, three seconds."""
    with running_engines(1, QueueLimits(LENGTH, QUEUE_SECONDS)) as running:
        yield running


@pytest.fixture
def client(pool: EnginePool) -> FlaskClient:
    """The app in front of it."""
    return create_app(Settings(), pool).test_client()


def run(pool: EnginePool, caller: Caller | None = None) -> list[Any]:
    return list(run_job(pool, EchoJob(), io.BytesIO(b"x"), LIMITS, caller or Caller()))


class Holder:
    """Keeps the only engine busy until it is released."""

    def __init__(self, pool: EnginePool) -> None:
        self._results = run_job(pool, CountJob(100_000, 0.01), io.BytesIO(), LIMITS, Caller())
        next(self._results)

    def __enter__(self) -> Holder:
        return self

    def __exit__(self, *_: object) -> None:
        self._results.close()  # type: ignore[attr-defined]


def test_a_request_waits_no_longer_than_the_queue_allows(pool: EnginePool) -> None:
    with Holder(pool):
        started = time.monotonic()
        with pytest.raises(BusyError, match=r"no engine became free in 3 s"):
            run(pool)
        assert QUEUE_SECONDS - 0.1 < time.monotonic() - started < QUEUE_SECONDS + BUSY_SECONDS
    assert run(pool) == [b"x"]
    assert pool.waiting == 0


def test_first_come_first_served(pool: EnginePool) -> None:
    order: list[int] = []

    def wait_in_line(number: int) -> None:
        connection = pool.lease(Caller())
        order.append(number)
        pool.give_back(connection)

    with ThreadPoolExecutor(LENGTH) as threads:
        waiting: list[Future[None]] = []
        with Holder(pool):
            for number in range(LENGTH):
                waiting.append(threads.submit(wait_in_line, number))
                wait_until(lambda wanted=number + 1: pool.waiting == wanted)  # type: ignore[misc]
        for future in waiting:
            future.result(timeout=DEADLINE_SECONDS)
    assert order == [0, 1, 2]


def test_a_client_that_goes_leaves_the_queue(pool: EnginePool) -> None:
    here, there = socket.socketpair()
    with Holder(pool), ThreadPoolExecutor(1) as threads, here:
        waiting = threads.submit(run, pool, Caller({"gunicorn.socket": here}))
        wait_until(lambda: pool.waiting == 1)
        there.close()
        with pytest.raises(ClientGoneError):
            waiting.result(timeout=QUEUE_SECONDS)
    assert pool.waiting == 0


def test_a_client_that_goes_ends_its_work(pool: EnginePool, tmp_path: Path) -> None:
    here, there = socket.socketpair()
    progress = tmp_path / "progress"
    with here:
        job = CountJob(2, 0.6, str(progress))
        results = run_job(pool, job, io.BytesIO(), LIMITS, Caller({"gunicorn.socket": here}))
        next(results)
        there.close()
        with pytest.raises(ClientGoneError):
            next(results)
    # The engine notices at its next result, and then takes the next job.
    wait_until(lambda: progress.exists() and progress.read_text() == "closed", seconds=5)
    assert run(pool) == [b"x"]


def test_one_client_that_sends_more_is_not_gone(pool: EnginePool) -> None:
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"GET / HTTP/1.1\r\n")
        assert run(pool, Caller({"gunicorn.socket": here})) == [b"x"]


def test_too_many_inside_are_refused_before_their_body_is_read(pool: EnginePool, client: FlaskClient) -> None:
    for _ in range(LENGTH + 1):
        pool.admit()
    try:
        answer = client.post("/pose", data=b"never read", content_type="text/plain")
        assert (answer.status_code, answer.get_json()["type"]) == (503, "urn:pose-service:problem:busy")
        assert answer.headers["Retry-After"] == "5"
        assert client.get("/health").status_code == 200
        assert client.get("/metrics").status_code == 200
    finally:
        for _ in range(LENGTH + 1):
            pool.leave()


def test_every_answer_gives_its_place_back(pool: EnginePool, client: FlaskClient, astronaut: Path) -> None:
    for content in (astronaut.read_bytes(), b"no image", b""):
        for _ in range(LENGTH + 2):
            client.post("/pose", data={"image": (io.BytesIO(content), "a.jpg")}).close()
            client.post("/pose", data=b"{}", content_type="application/json").close()
    for _ in range(LENGTH + 1):
        pool.admit()
    with pytest.raises(BusyError):
        pool.admit()
    for _ in range(LENGTH + 1):
        pool.leave()


def test_a_stop_sends_away_who_waits() -> None:
    with running_engines(1) as pool, ThreadPoolExecutor(1) as threads, Holder(pool):
        waiting = threads.submit(run, pool)
        wait_until(lambda: pool.waiting == 1)
        pool.draining.begin(5.0)
        with pytest.raises(StoppingError):
            waiting.result(timeout=5)
