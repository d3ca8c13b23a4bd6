"""GET /live: does the web process' loop turn, and do its threads get on? The loop answers, whatever the threads do."""

from __future__ import annotations

import json
import time
from typing import Optional

from serving.wire import head

PATH = "/live"
MEDIA_TYPE = "application/json"
# With every thread taken and none done for so long, they hang: jobs of engines never take all threads.
STALL_SECONDS = 5.0


class Liveness:
    """Knows when a thread was last free or done."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._progressed_at = time.monotonic()

    def note_taken(self, busy: int) -> None:
        """`busy` requests are inside now; the clock starts when the last thread is taken."""
        if busy <= self._threads:
            self._progressed_at = time.monotonic()

    def note_progress(self) -> None:
        """A request was answered."""
        self._progressed_at = time.monotonic()

    def answer(self, request_head: bytes, busy: int) -> Optional[bytes]:
        """The whole answer to GET /live while `busy` requests are inside; None for any other request."""
        if not request_head.startswith((f"GET {PATH} ".encode(), f"GET {PATH}?".encode())):
            return None
        stalled_seconds = time.monotonic() - self._progressed_at
        if busy < self._threads or stalled_seconds < STALL_SECONDS:
            return _whole(200, {"status": "live"})
        reason = f"{busy} requests are inside and none was answered for {stalled_seconds:.0f} s"
        return _whole(503, {"status": "stalled", "reason": reason})


def _whole(status: int, content: dict[str, str]) -> bytes:
    body = json.dumps(content).encode()
    return head(status, MEDIA_TYPE, len(body)) + body
