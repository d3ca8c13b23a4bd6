"""The real server process: how it starts, stops, refuses, logs."""

from __future__ import annotations

import json
import os
import re
import signal
import tempfile
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from running_engines import wait_until
from server import BOUNDARY, BUSY_SECONDS, DEADLINE_SECONDS, is_ready, processes
from starting import Start


def test_sigterm_ends_a_resting_server_in_under_two_seconds(start: Start) -> None:
    server = start()
    server.wait_until_ready()
    code, seconds = server.stop()
    assert code == 0
    assert seconds < 2 + BUSY_SECONDS


def test_sigterm_ends_a_loading_server_in_under_two_seconds(start: Start) -> None:
    server = start()
    server.wait_for("/health", lambda status, _body: status == 503)
    code, seconds = server.stop()
    assert code == 0
    assert seconds < 2 + BUSY_SECONDS


def test_nothing_is_left_after_the_end(start: Start) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        server = start(TMPDIR=temporary)
        server.wait_until_ready()
        assert server.post_photo()[0] == 200
        assert list(Path(temporary).iterdir()) != []
        family = {server.supervisor_pid(), *server.engine_pids()}
        server.stop()
        assert not family & {pid for pid, _parent, _command in processes()}
        assert list(Path(temporary).iterdir()) == []


def test_a_long_name_of_the_temporary_folder_is_no_obstacle(start: Start, tmp_path: Path) -> None:
    long = tmp_path / ("long" * 25)
    long.mkdir()
    server = start(TMPDIR=str(long))
    server.wait_until_ready()
    assert server.post_photo()[0] == 200


def test_the_engines_end_with_a_killed_server(start: Start) -> None:
    server = start()
    server.wait_until_ready()
    family = {server.supervisor_pid(), *server.engine_pids()}
    server.process.kill()
    wait_until(lambda: not family & {pid for pid, _parent, _command in processes()})


def test_what_runs_is_finished_and_the_rest_is_refused(start: Start) -> None:
    server = start(POSE_ENGINES="1")
    server.wait_until_ready()
    (engine,) = server.engine_pids()
    with ThreadPoolExecutor(2) as threads:
        # Held inside the engine, so that it surely runs when the stop comes.
        os.kill(engine, signal.SIGSTOP)
        running = threads.submit(server.post_photo)
        time.sleep(1)
        stopping = threads.submit(server.stop)
        server.wait_for("/health", lambda status, body: status == 503 and '"stopping"' in body)
        status, body, headers = server.post_photo()
        assert (status, json.loads(body)["type"]) == (503, "urn:pose-service:problem:stopping")
        assert headers["Retry-After"]
        os.kill(engine, signal.SIGCONT)
        assert running.result(timeout=DEADLINE_SECONDS)[0] == 200
        code, seconds = stopping.result(timeout=DEADLINE_SECONDS)
    assert code == 0
    assert seconds < 10 + BUSY_SECONDS


def test_a_stop_does_not_wait_for_a_hanging_engine(start: Start) -> None:
    server = start(POSE_ENGINES="1")
    server.wait_until_ready()
    (engine,) = server.engine_pids()
    os.kill(engine, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        threads.submit(server.post_photo)
        time.sleep(1)
        code, seconds = server.stop()
    assert code == 0
    assert seconds < 10 + BUSY_SECONDS


@pytest.mark.parametrize(
    ("name", "value"),
    [("POSE_MAX_PIXELS", "many"), ("POSE_SEND_SECONDS", "1e300"), ("POSE_LOG_FORMAT", "xml"), ("POSE_ENGINE", "best")],
)
def test_a_bad_setting_ends_the_start_and_is_the_last_line(start: Start, name: str, value: str) -> None:
    server = start(**{name: value})
    assert server.process.wait(timeout=DEADLINE_SECONDS) != 0
    assert f"{name}={value!r}" in server.log.read_text().splitlines()[-1]


def test_a_killed_engine_is_replaced_and_health_says_so(start: Start) -> None:
    server = start(POSE_ENGINES="2")
    server.wait_until_ready()
    before = server.engine_pids()
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    body = server.wait_for("/health", lambda status, body: status == 200 and '"degraded"' in body)
    assert "killed by SIGKILL" in json.loads(body)["reason"]
    server.wait_until_ready()
    assert len(server.engine_pids() - before) == 1
    metrics = server.get("/metrics")[1]
    assert re.search(r"^pose_engine_restarts_total 1.0$", metrics, re.MULTILINE)
    assert re.search(r'^pose_engines\{state="ready"\} 2.0$', metrics, re.MULTILINE)


def test_the_service_survives_the_death_of_its_supervisor(start: Start) -> None:
    server = start()
    server.wait_until_ready()
    before = server.supervisor_pid()
    os.kill(before, signal.SIGKILL)
    server.wait_for("/health", lambda *answer: not is_ready(*answer))
    server.wait_until_ready()
    assert server.supervisor_pid() != before
    assert server.post_photo()[0] == 200


def test_large_upload_is_refused_over_a_real_connection(start: Start) -> None:
    server = start(POSE_MAX_UPLOAD_MB="1")
    server.wait_for("/health", is_ready)
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'.encode()
    body = head + bytes(40 * 1024 * 1024) + f"\r\n--{BOUNDARY}--\r\n".encode()
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/pose", data=body, method="POST")
    request.add_header("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    assert refused.value.code == 413
    assert is_ready(*server.get("/health"))


def test_a_request_has_one_id_in_answer_problem_and_log(start: Start) -> None:
    server = start()
    server.wait_until_ready()
    status, _body, headers = server.post_photo({"X-Request-Id": "rider-7"})
    assert (status, headers["X-Request-Id"]) == (200, "rider-7")
    status, body, headers = server.request("/pose", b"x", {"Content-Type": "text/plain", "X-Request-Id": "bad id\t"})
    assert headers["X-Request-Id"] == json.loads(body)["request_id"] != "bad id\t"
    server.stop()
    lines = [line for line in server.log_lines() if line["logger"] == "gunicorn.access"]
    photo, wrong = (line for line in lines if line["path"] == "/pose")
    assert (photo["request_id"], photo["status"], photo["method"]) == ("rider-7", 200, "POST")
    assert photo["engine_ms"] > 0
    assert photo["ms"] >= photo["engine_ms"]
    assert (wrong["request_id"], wrong["status"]) == (json.loads(body)["request_id"], 415)
    assert not [line for line in lines if line["path"] == "/health" and line["status"] == 200]


def test_the_log_can_be_for_people(start: Start) -> None:
    server = start(POSE_LOG_FORMAT="text")
    server.wait_until_ready()
    assert server.log_lines() == []
    assert "is ready" in server.log.read_text()
