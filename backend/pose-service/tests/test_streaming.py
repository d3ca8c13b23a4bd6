"""A running video under the real server: its engine dies, its client goes or is slow, the service stops."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import clip
from PIL import Image
from running_engines import wait_until
from server import BOUNDARY, BUSY_SECONDS, PHOTO, Server
from starting import Start

FRAMES = 600
FEW = 40


def moving(frames: int) -> bytes:
    """A person who hardly moves, 25 frames a second."""
    photo = np.asarray(Image.open(PHOTO).resize((256, 256)))
    return clip((np.roll(photo, number % 20, axis=1) for number in range(frames)), [n / 25 for n in range(frames)])


@pytest.fixture(scope="module")
def long_clip() -> bytes:
    """24 seconds: longer than any test here looks at it."""
    return moving(FRAMES)


@pytest.fixture
def server(start: Start) -> Server:
    """One engine."""
    running = start(POSE_ENGINES="1")
    running.wait_until_ready()
    return running


class Stream:
    """A video request whose lines are read one by one."""

    def __init__(self, server: Server, content: bytes) -> None:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'.encode()
        body = head + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self._connection.request(
            "POST", "/pose/video?max_people=1", body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        )
        self.answer = self._connection.getresponse()
        assert self.answer.status == 200, self.answer.read()

    def line(self) -> dict[str, Any]:
        """The next line."""
        found: dict[str, Any] = json.loads(self.answer.readline())
        return found

    def last_line(self) -> dict[str, Any]:
        """Read to the end."""
        return dict(json.loads(self.answer.read().splitlines()[-1]))

    def leave(self) -> None:
        """Close without reading on."""
        self.answer.close()
        self._connection.close()


def test_lines_come_while_the_video_is_worked_on(server: Server) -> None:
    stream = Stream(server, moving(FEW))
    assert "problem" not in stream.line()
    # A job counts when it is done: the engine still works on it.
    assert "\npose_engine_seconds_count 0.0\n" in server.get("/metrics")[1]
    assert "summary" in stream.last_line()
    assert "\npose_engine_seconds_count 1.0\n" in server.get("/metrics")[1]


def test_an_engine_that_dies_in_a_video_ends_it_with_the_reason(server: Server, long_clip: bytes) -> None:
    stream = Stream(server, long_clip)
    stream.line()
    for pid in server.engine_pids():
        os.kill(pid, signal.SIGKILL)
    problem = stream.last_line()["problem"]
    assert (problem["status"], problem["type"]) == (503, "urn:pose-service:problem:engine-lost")
    assert "SIGKILL" in problem["detail"]
    assert problem["request_id"] == stream.answer.headers["X-Request-Id"]
    server.wait_until_ready()
    assert server.post_photo()[0] == 200


def test_a_client_that_leaves_a_video_frees_its_engine(server: Server, long_clip: bytes) -> None:
    engines = server.engine_pids()
    stream = Stream(server, long_clip)
    stream.line()
    stream.leave()
    began = time.monotonic()
    status, body, _headers = server.post_photo()
    assert status == 200, body
    assert time.monotonic() - began < 10 + BUSY_SECONDS
    assert server.engine_pids() == engines


ENDLESS = """
import pathlib

class Endless:
    def __iter__(self):
        return self

    def __next__(self):
        return bytes(65536)

    def close(self):
        pathlib.Path("closed").touch()

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Endless()

app.config = {"SEND_SECONDS": 0.5}
"""


def test_a_client_that_does_not_read_is_given_up(start: Start, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(ENDLESS)
    server = start(POSE_ENGINES="1")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    wait_until(lambda: _begins(connection))
    wait_until((tmp_path / "closed").exists, seconds=60)
    connection.close()


def _begins(connection: http.client.HTTPConnection) -> bool:
    try:
        connection.request("GET", "/")
        connection.sock.recv(10)
    except OSError:
        connection.close()
        return False
    return True


def test_a_stop_ends_a_video_with_a_last_line(server: Server, long_clip: bytes) -> None:
    stream = Stream(server, long_clip)
    stream.line()
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    last = stream.last_line()
    code = server.process.wait(timeout=60)
    assert code == 0
    assert time.monotonic() - began < 10 + BUSY_SECONDS
    # A quick machine may be done with all frames before the stop has to cut.
    assert "summary" in last or last["problem"]["type"] == "urn:pose-service:problem:stopping"


def test_a_hanging_video_is_killed_at_its_deadline(start: Start, long_clip: bytes) -> None:
    server = start(POSE_ENGINES="1", POSE_DEADLINE_SECONDS="5")
    server.wait_until_ready()
    stream = Stream(server, long_clip)
    stream.line()
    (engine,) = server.engine_pids()
    os.kill(engine, signal.SIGSTOP)
    problem = stream.last_line()["problem"]
    assert (problem["status"], problem["type"]) == (504, "urn:pose-service:problem:deadline")
    wait_until(lambda: not Path(f"/proc/{engine}").exists())
