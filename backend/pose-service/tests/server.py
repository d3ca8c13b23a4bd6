"""A real gunicorn with real engines, in a writable copy of the source."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

SERVICE = Path(__file__).parents[1]
PHOTO = Path(__file__).parent / "data" / "astronaut.jpg"
DEADLINE_SECONDS = 120.0
# What a busy machine may add to a time that is promised: less than any wait that a fault would cost.
BUSY_SECONDS = 4.0
SOURCES = ("app.py", "gunicorn.conf.py", "serving", "pose_service")
BOUNDARY = "border"


class Server:
    """One running service."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port = free_port()
        self.log = folder / "server.log"
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env={**os.environ, **environment}, stdout=log, stderr=log
            )

    def request(
        self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, Any]:
        """Status, body and headers; status 0 while nothing listens or when the connection breaks."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers
        except OSError:
            return 0, "", {}

    def get(self, path: str) -> tuple[int, str]:
        """Status and body."""
        return self.request(path)[:2]

    def post_photo(self, headers: dict[str, str] | None = None) -> tuple[int, str, Any]:
        """POST /pose with the astronaut."""
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return self.request("/pose", photo_form(), {**kind, **(headers or {})})

    def wait_for(self, path: str, expected: Callable[[int, str], bool]) -> str:
        """Poll until the answer is as expected, and give its body; fails after DEADLINE_SECONDS."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        answer = self.get(path)
        while not expected(*answer):
            assert time.monotonic() < deadline, f"{path} still answers {answer}"
            time.sleep(0.02)
            answer = self.get(path)
        return answer[1]

    def wait_until_ready(self) -> None:
        """Every engine answers."""
        self.wait_for("/health", is_whole)

    def stop(self) -> tuple[int, float]:
        """SIGTERM; exit code and seconds until it is gone."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=DEADLINE_SECONDS)
        return code, time.monotonic() - started

    def wait_until_gone(self, pids: Iterable[int]) -> None:
        """None of them runs any more."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while left := set(pids) & {pid for pid, _parent, command in processes() if command}:
            assert time.monotonic() < deadline, f"{left} still run"
            time.sleep(0.05)

    def supervisor_pid(self) -> int:
        """The process that holds the engines."""
        (pid,) = [
            pid for pid, _parent, command in processes() if is_supervisor(command) and is_below(pid, self.process.pid)
        ]
        return pid

    def web_pid(self) -> int:
        """The process that answers: gunicorn's child that is not the supervisor."""
        (pid,) = [
            pid
            for pid, parent, command in processes()
            if parent == self.process.pid and not is_supervisor(command) and "gunicorn" in command
        ]
        return pid

    def engine_pids(self) -> set[int]:
        """The engine processes: children of the fork server, which is a child of the supervisor."""
        supervisor = self.supervisor_pid()
        servers = {pid for pid, parent, command in processes() if parent == supervisor and "forkserver" in command}
        return {pid for pid, parent, _command in processes() if parent in servers}

    def log_lines(self) -> list[dict[str, Any]]:
        """The lines that are JSON; libraries of the engine write a few of their own."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


def copy_source(folder: Path) -> None:
    """Copy what the server runs."""
    for name in SOURCES:
        source = SERVICE / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)


def photo_form() -> bytes:
    """A form with the astronaut in the field image."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'.encode()
    return head + PHOTO.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_ready(status: int, body: str) -> bool:
    """Does an engine answer?"""
    return status == 200 and '"ready"' in body


def is_whole(status: int, body: str) -> bool:
    """Are all engines there?"""
    engines = json.loads(body)["engines"] if is_ready(status, body) else {}
    return bool(engines) and engines["ready"] == engines["total"]


def is_supervisor(command: str) -> bool:
    """By its command line."""
    return "pose_service.pool.supervisor" in command


def is_below(pid: int, ancestor: int) -> bool:
    """Is one process the other's descendant?"""
    parents = {child: parent for child, parent, _command in processes()}
    while pid in parents and pid != ancestor:
        pid = parents[pid]
    return pid == ancestor


def processes() -> list[tuple[int, int, str]]:
    """Process id, parent and command line of everything that runs here."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The name in parentheses can hold spaces.
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, ValueError, IndexError):
            continue
        found.append((int(folder.name), parent, command))
    return found
