"""Engines that crash again and again, under the real server."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path

from running_engines import wait_until
from server import Server
from starting import Start

LOAD = "def load(self) -> None:"


def restarts(server: Server) -> float:
    found = re.search(r"^pose_engine_restarts_total (\S+)$", server.get("/metrics")[1], re.MULTILINE)
    return float(found.group(1)) if found else 0.0


def test_an_engine_that_crashes_while_it_loads_is_failed_and_tried_again(start: Start, tmp_path: Path) -> None:
    source = tmp_path / "pose_service" / "engines" / "mediapipe_engine.py"
    marker = tmp_path / "mended"
    crash = f"{LOAD}\n        if not os.path.exists({str(marker)!r}): os.abort()\n"
    source.write_text("import os\n".join(source.read_text().replace(LOAD, crash).partition("import contextlib\n")[::2]))
    server = start(POSE_ENGINES="1")
    body = server.wait_for("/health", lambda status, body: status == 503 and '"failed"' in body)
    assert "killed by SIGABRT" in json.loads(body)["reason"]
    status, problem, headers = server.post_photo()
    assert (status, json.loads(problem)["type"]) == (503, "urn:pose-service:problem:engine-failed")
    assert headers["Retry-After"]
    first = restarts(server)
    assert first >= 2
    wait_until(lambda: restarts(server) > first)
    marker.touch()
    server.wait_until_ready()
    assert server.post_photo()[0] == 200


def test_an_engine_that_is_killed_again_and_again_comes_back_quickly(start: Start) -> None:
    server = start(POSE_ENGINES="1")
    server.wait_until_ready()
    for _ in range(5):
        wait_until(lambda: len(server.engine_pids()) == 1)
        for pid in server.engine_pids():
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)
    began = time.monotonic()
    server.wait_until_ready()
    # Far below the 30 s to which the pauses between starts may grow.
    assert time.monotonic() - began < 20
    assert server.post_photo()[0] == 200


def test_an_idle_engine_that_hangs_is_replaced_and_the_next_one_does_the_work(start: Start) -> None:
    server = start(POSE_ENGINES="1")
    server.wait_until_ready()
    (engine,) = server.engine_pids()
    os.kill(engine, signal.SIGSTOP)
    status, body, _headers = server.post_photo()
    assert status == 200, body
    assert server.engine_pids() != {engine}
