"""The real server in processes of its own, and what it leaves behind in memory and in folders."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hostile.bombs import flat
from hostile.forms import upload

SOURCE = Path(__file__).parents[2]
PHOTO = Path(__file__).parents[1] / "data" / "astronaut.jpg"
MARK = "POSE_TEST_MARK"
START_SECONDS = 120.0
STOP_SECONDS = 20.0
ANSWER_SECONDS = 60.0
WARM_UP_ROUNDS = 3
# Pixels that count as large in pose_service/media/decode_turn.py.
LARGE = (4500, 4500)


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 when the connection ended without an answer."""

    status: int
    content_type: str
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Service:
    """A running service. It and all its children are known by a mark in their environment."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.folder = folder
        self.port = _free_port()
        self.mark = uuid.uuid4().hex
        # Beside busy neighbours 20 s in the queue and 30 s for 20 megapixels are not enough.
        patience = {"POSE_QUEUE_SECONDS": "50", "POSE_DEADLINE_SECONDS": "50"}
        environment = {**os.environ, "TMPDIR": str(folder), MARK: self.mark, **patience, **settings}
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, cwd=SOURCE, env=environment)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_SECONDS)

    def send(self, request: bytes) -> Answer:
        """Send a request's bytes and read the answer, also one that comes before everything was sent."""
        with self.connect() as client:
            with contextlib.suppress(ConnectionError):
                client.sendall(request)
            return read_answer(client)

    def get(self, path: str) -> Answer:
        return self.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())

    def processes(self) -> list[int]:
        """All processes of this service, engines too."""
        wanted = f"{MARK}={self.mark}".encode()
        return [int(path.name) for path in Path("/proc").glob("[0-9]*") if wanted in _environment(path)]

    def memory_bytes(self) -> int:
        """Resident memory of all processes; a page that several share counts once."""
        return sum(_proc_bytes(pid, "smaps_rollup", "Pss") for pid in self.processes())

    def peak_bytes(self) -> int:
        """The most that each process ever held, together; shared pages count in every one."""
        return sum(_proc_bytes(pid, "status", "VmHWM") for pid in self.processes())

    def temporary_files(self) -> list[str]:
        """What lies in its temporary folder, and files that are deleted but still open (uploads on disk)."""
        listed = [str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()]
        return listed + [name for pid in self.processes() for name in _deleted_files(pid, self.folder)]

    def wait_until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        """Poll; False when the time is up."""
        deadline = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def is_ready(self) -> bool:
        """All engines answer; the service says ready with the first of them."""
        with contextlib.suppress(OSError, ValueError):
            health = self.get("/health").json()
            # Before the first word of the supervisor none of no engines are ready.
            return health["status"] == "ready" and health["engines"]["ready"] == health["engines"]["total"]
        return False


@dataclass(frozen=True)
class Baseline:
    """What a service holds when all its engines have worked."""

    memory_bytes: int
    files: tuple[str, ...]
    processes: tuple[int, ...]
    peak_bytes: int

    @classmethod
    def of(cls, service: Service) -> Baseline:
        """Send more good photos at once than there are engines, a large one for each of them, then look."""
        engines = service.get("/health").json()["engines"]["total"]
        requests = [upload(flat(*LARGE, "JPEG")), upload(PHOTO.read_bytes())] * engines
        for _ in range(WARM_UP_ROUNDS):
            answers = send_all(service, requests)
            assert [answer.status for answer in answers] == [200] * len(requests)
        files, processes = tuple(service.temporary_files()), tuple(sorted(service.processes()))
        return cls(service.memory_bytes(), files, processes, service.peak_bytes())


@contextlib.contextmanager
def running_service(**settings: str) -> Iterator[Service]:
    """Start it, wait until it is ready, and end all its processes at last."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), settings)
        try:
            assert service.wait_until(service.is_ready, START_SECONDS), "the service did not become ready"
            yield service
        finally:
            service.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                service.process.wait(STOP_SECONDS)
            for pid in service.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            service.process.wait()


def send_all(service: Service, requests: Sequence[bytes]) -> list[Answer]:
    """All at the same time, each on a connection of its own."""
    answers: list[Answer | None] = [None] * len(requests)

    def send(number: int) -> None:
        try:
            answers[number] = service.send(requests[number])
        except OSError:
            answers[number] = Answer(0, "", b"")

    threads = [threading.Thread(target=send, args=(number,)) for number in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answer for answer in answers if answer is not None]


def read_answer(client: socket.socket) -> Answer:
    """Read one answer to its end."""
    response = http.client.HTTPResponse(client)
    try:
        response.begin()
        body = response.read()
    except (http.client.HTTPException, ConnectionError):
        return Answer(0, "", b"")
    return Answer(response.status, response.headers.get_content_type(), body)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _proc_bytes(pid: int, file: str, name: str) -> int:
    """A line `name: 123 kB`; 0 when the process is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return 0


def _deleted_files(pid: int, folder: Path) -> list[str]:
    found = []
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                target = str(link.readlink())
                if target.startswith(str(folder)) and target.endswith("(deleted)"):
                    found.append(target)
    return found
