"""A service that is alive and deaf comes back by itself: stopped processes of all kinds, and threads that hang."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time

import pytest
from server import BUSY_SECONDS, Server, is_ready
from starting import Start

from serving import liveness
from serving.liveness import Liveness

# Promised to who waits for a deaf service, on a machine of its own.
BACK_SECONDS = 20.0 + BUSY_SECONDS


def wait_until_back(server: Server, stopped: int) -> float:
    """Seconds until somebody else than the stopped process answers."""
    began = time.monotonic()
    server.wait_for("/live", lambda status, body: status == 200 and '"live"' in body)
    assert server.web_pid() != stopped
    return time.monotonic() - began


def test_a_stopped_web_process_is_replaced_and_the_engines_stay(start: Start) -> None:
    server = start(POSE_ENGINES="1")
    server.wait_until_ready()
    stopped, engines = server.web_pid(), server.engine_pids()
    os.kill(stopped, signal.SIGSTOP)
    assert wait_until_back(server, stopped) < BACK_SECONDS
    server.wait_until_ready()
    assert server.engine_pids() == engines
    assert server.post_photo()[0] == 200
    assert any("has not answered" in line["message"] for line in server.log_lines())


def test_a_service_whose_web_processes_are_all_deaf_ends_and_says_why(start: Start) -> None:
    server = start(POSE_ENGINES="1")
    server.wait_until_ready()
    began = time.monotonic()
    while server.process.poll() is None:
        assert time.monotonic() - began < BACK_SECONDS
        with contextlib.suppress(ValueError, ProcessLookupError):
            os.kill(server.web_pid(), signal.SIGSTOP)
        time.sleep(0.1)
    assert server.process.returncode == 70
    assert "nor did the one before it; the service ends" in server.log_lines()[-1]["message"]


def test_a_frozen_engine_is_noticed_without_a_job_and_replaced(start: Start) -> None:
    server = start(POSE_ENGINES="2")
    server.wait_until_ready()
    victim = min(server.engine_pids())
    os.kill(victim, signal.SIGSTOP)
    began = time.monotonic()
    body = server.wait_for("/health", lambda status, body: status == 200 and '"degraded"' in body)
    assert time.monotonic() - began < BACK_SECONDS
    assert "has not reacted" in json.loads(body)["reason"]
    server.wait_until_ready()
    assert victim not in server.engine_pids()


def test_the_only_engine_frozen_is_no_health(start: Start) -> None:
    server = start(POSE_ENGINES="1")
    server.wait_until_ready()
    (victim,) = server.engine_pids()
    os.kill(victim, signal.SIGSTOP)
    body = server.wait_for("/health", lambda status, _body: status == 503)
    assert "has not reacted" in json.loads(body)["reason"]
    server.wait_until_ready()
    assert server.post_photo()[0] == 200


def test_a_frozen_supervisor_is_replaced(start: Start) -> None:
    server = start(POSE_ENGINES="1")
    server.wait_until_ready()
    stopped = server.supervisor_pid()
    os.kill(stopped, signal.SIGSTOP)
    server.wait_for("/health", lambda *answer: not is_ready(*answer))
    server.wait_until_ready()
    assert server.supervisor_pid() != stopped
    assert server.post_photo()[0] == 200


@pytest.mark.parametrize("with_web", [False, True], ids=["alone", "with-its-web-process"])
def test_a_frozen_first_process_ends_the_service(start: Start, with_web: bool) -> None:
    server = start(POSE_ENGINES="1")
    server.wait_until_ready()
    web, family = server.web_pid(), [server.supervisor_pid(), *server.engine_pids()]
    for pid in (server.process.pid, web)[: 1 + with_web]:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert server.process.wait(BACK_SECONDS) == -signal.SIGKILL
    finally:
        # Ends by itself with the container.
        with contextlib.suppress(ProcessLookupError):
            os.kill(web, signal.SIGKILL)
    assert any("the first process has not reacted" in line["message"] for line in server.log_lines())
    server.wait_until_gone(family)


def test_a_pause_of_all_is_no_deafness(start: Start) -> None:
    server = start(POSE_ENGINES="1")
    server.wait_until_ready()
    web, engines = server.web_pid(), server.engine_pids()
    family = [server.process.pid, web, server.supervisor_pid(), *engines]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(BACK_SECONDS + 5)
    for pid in reversed(family):
        os.kill(pid, signal.SIGCONT)
    time.sleep(5)
    server.wait_until_ready()
    assert (server.web_pid(), server.engine_pids()) == (web, engines)


HEAD = b"GET /live HTTP/1.1\r\n\r\n"


def status(answer: bytes | None) -> int:
    assert answer is not None
    return int(answer.split()[1])


def test_threads_that_hang_are_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(liveness.time, "monotonic", lambda: now[0])
    threads = Liveness(threads=2)
    now[0] += 3600
    threads.note_taken(1)
    threads.note_taken(2)
    assert status(threads.answer(HEAD, 2)) == 200
    threads.note_taken(3)
    now[0] += liveness.STALL_SECONDS + 1
    assert status(threads.answer(HEAD, 3)) == 503
    threads.note_progress()
    assert status(threads.answer(HEAD, 2)) == 200
    now[0] += liveness.STALL_SECONDS + 1
    # One thread is free: a long job is no fault.
    assert status(threads.answer(HEAD, 1)) == 200


def test_only_that_path_is_answered_by_the_loop() -> None:
    assert Liveness(threads=2).answer(b"GET /livestock HTTP/1.1\r\n\r\n", 0) is None
    assert Liveness(threads=2).answer(b"POST /live HTTP/1.1\r\n\r\n", 0) is None
