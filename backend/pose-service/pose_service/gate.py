"""Limits how many images are in memory and on the processor at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class BusyError(Exception):
    """No place became free in time, or too many are waiting for one."""


class Gate:
    """`places` callers may be inside, `queue_length` more wait up to `wait_seconds`; the rest are sent away at once."""

    def __init__(self, places: int, queue_length: int, wait_seconds: float) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._visitors = threading.BoundedSemaphore(places + queue_length)
        self._queue_length = queue_length
        self._wait_seconds = wait_seconds

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Wait for a place and hold it. Raises BusyError."""
        if not self._visitors.acquire(blocking=False):
            raise BusyError(f"{self._queue_length} are already waiting")
        try:
            with self._place():
                yield
        finally:
            self._visitors.release()

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=self._wait_seconds):
            raise BusyError(f"no place became free in {self._wait_seconds:g} s")
        try:
            yield
        finally:
            self._places.release()
