"""How far a download is: a live line on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Optional, TextIO

LIVE_SECONDS = 0.2
QUIET_SECONDS = 10.0


class Progress:
    """`with Progress(stream) as progress: …(progress.tell)`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_live = stream.isatty()
        self._name, self._began, self._first_bytes, self._told = "", 0.0, 0, 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._break_line()

    def tell(self, name: str, done: int, total: Optional[int]) -> None:
        """`done` of `total` bytes of a file have come; total is None when the server does not say."""
        now = time.monotonic()
        if name != self._name:
            self._break_line()
            self._name, self._began, self._first_bytes, self._told = name, now, done, 0.0
        pause = LIVE_SECONDS if self._is_live else QUIET_SECONDS
        if now - self._told < pause and done != total:
            return
        self._told = now
        line = self._line(done, total, now - self._began)
        self._stream.write(f"\r\x1b[K{line}" if self._is_live else f"{line}\n")
        self._stream.flush()

    def _line(self, done: int, total: Optional[int], seconds: float) -> str:
        rate = (done - self._first_bytes) / seconds if seconds > 0 else 0.0
        line = f"{self._name} {done / 1e6:,.1f}"
        line += f" of {total / 1e6:,.1f} MB" if total else " MB"
        if rate:
            line += f", {rate / 1e6:,.1f} MB/s"
        if rate and total:
            line += f", {(total - done) / rate:.0f} s left"
        return line

    def _break_line(self) -> None:
        if self._is_live and self._name:
            self._stream.write("\n")
