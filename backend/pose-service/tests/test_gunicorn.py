"""The real server process: how it starts, stops, refuses and reloads."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SERVICE = Path(__file__).parents[1]
DEADLINE_SECONDS = 60.0
SOURCES = ("app.py", "gunicorn.conf.py", "pose_service")

Start = Callable[..., "Server"]


class Server:
    """A gunicorn in a copy of the source."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, cwd=folder, env={**os.environ, **environment})

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; status 0 while nothing listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait_for(self, path: str, expected: Callable[[int, str], bool]) -> None:
        """Poll until the answer is as expected; fails after a minute."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        answer = self.get(path)
        while not expected(*answer):
            assert time.monotonic() < deadline, f"{path} still answers {answer}"
            time.sleep(0.05)
            answer = self.get(path)

    def stop(self) -> tuple[int, float]:
        """SIGTERM; exit code and seconds until it is gone."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=10)
        return code, time.monotonic() - started


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start servers in a writable copy of the source; whatever still runs afterwards is killed."""
    for name in SOURCES:
        source = SERVICE / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name)
        else:
            shutil.copy(source, tmp_path / name)
    servers: list[Server] = []

    def start_server(**environment: str) -> Server:
        servers.append(Server(tmp_path, **environment))
        return servers[-1]

    yield start_server
    for server in servers:
        server.process.kill()
        server.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_ready(status: int, body: str) -> bool:
    return status == 200 and '"ready"' in body


def test_sigterm_ends_a_ready_server_in_under_two_seconds(start: Start) -> None:
    server = start()
    server.wait_for("/health", is_ready)
    code, seconds = server.stop()
    assert code == 0
    assert seconds < 2


def test_sigterm_ends_a_loading_server_in_under_two_seconds(start: Start) -> None:
    server = start()
    server.wait_for("/health", lambda status, _body: status == 503)
    code, seconds = server.stop()
    assert code == 0
    assert seconds < 2


def test_a_bad_setting_ends_the_start(start: Start) -> None:
    server = start(POSE_MAX_PIXELS="many")
    assert server.process.wait(timeout=DEADLINE_SECONDS) != 0


def test_reload_serves_a_changed_source(start: Start, tmp_path: Path) -> None:
    server = start(GUNICORN_CMD_ARGS="--reload")
    server.wait_for("/health", is_ready)
    source = tmp_path / "pose_service" / "routes" / "health.py"
    source.write_text(source.read_text().replace('"/health"', '"/well"'))
    server.wait_for("/well", is_ready)


def test_large_upload_is_refused_over_a_real_connection(start: Start) -> None:
    server = start(POSE_MAX_UPLOAD_MB="1")
    server.wait_for("/health", is_ready)
    boundary = "border"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'.encode()
    body = head + bytes(40 * 1024 * 1024) + f"\r\n--{boundary}--\r\n".encode()
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/pose", data=body, method="POST")
    request.add_header("Content-Type", f"multipart/form-data; boundary={boundary}")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    assert refused.value.code == 413
    assert is_ready(*server.get("/health"))
