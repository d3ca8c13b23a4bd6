"""Clients of POST /pose: as many requests as it takes, or a steady stream of them."""

import http.client
import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from layerstack.errors import CheckFailed

BOUNDARY = "benchmark"
TIMEOUT_SECONDS = 60.0
# For a steady stream: more than ever wait at half load.
STREAM_THREADS = 16


@dataclass(frozen=True)
class Timing:
    """One answered request: what the client waited, and what decoding and the models took in the engine."""

    seconds: float
    engine_seconds: float

    @property
    def added_seconds(self) -> float:
        return self.seconds - self.engine_seconds


class Client:
    """Sends prepared photos to one port; every thread keeps one connection."""

    def __init__(self, port: int, folder: Path) -> None:
        self._port = port
        self._bodies = [form(path.read_bytes()) for path in sorted(folder.glob("*.jpg"))]
        self._local = threading.local()

    def send(self, number: int) -> Timing:
        """Send one of the photos. Raises CheckFailed unless exactly one person was found."""
        body = self._bodies[number % len(self._bodies)]
        began = time.perf_counter()
        connection = self._connection()
        connection.request("POST", "/pose", body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
        answer = connection.getresponse()
        content = answer.read()
        seconds = time.perf_counter() - began
        found = json.loads(content)
        if answer.status != 200 or len(found["people"]) != 1:
            raise CheckFailed(f"photo {number % len(self._bodies)}: {answer.status} {content[:200]!r}")
        search = found["search"]
        return Timing(seconds, (search["milliseconds"] + search["decode_milliseconds"]) / 1000)

    def send_all(self, count: int, connection_count: int) -> float:
        """Seconds for `count` photos over so many connections, each busy all the time."""
        began = time.perf_counter()
        with ThreadPoolExecutor(connection_count) as pool:
            for _ in pool.map(self.send, range(count)):
                pass
        return time.perf_counter() - began

    def send_steadily(self, count: int, per_second: float) -> Sequence[Timing]:
        """Evenly spaced requests, whatever the answers do."""
        began = time.perf_counter()
        with ThreadPoolExecutor(STREAM_THREADS) as pool:
            futures = []
            for number in range(count):
                time.sleep(max(0.0, began + number / per_second - time.perf_counter()))
                futures.append(pool.submit(self.send, number))
            return [future.result() for future in futures]

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_SECONDS)
        connection: http.client.HTTPConnection = self._local.connection
        return connection


def form(content: bytes, field: str = "image", filename: str = "a.jpg") -> bytes:
    """A request body that asks for one person, as the bare loops find one."""
    disposition = 'Content-Disposition: form-data; name="{}"'
    option = f"--{BOUNDARY}\r\n{disposition.format('max_people')}\r\n\r\n1\r\n"
    file = f'--{BOUNDARY}\r\n{disposition.format(field)}; filename="{filename}"\r\n\r\n'
    return f"{option}{file}".encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
