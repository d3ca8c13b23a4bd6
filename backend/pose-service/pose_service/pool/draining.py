"""The end of this web process: what runs is finished, nothing new is begun."""

from __future__ import annotations

import threading
import time


class Draining:
    """Set once by the server (serving.worker), read by whoever begins or goes on with work."""

    def __init__(self) -> None:
        self._begun = threading.Event()
        self._ends_at = float("inf")

    def begin(self, seconds: float) -> None:
        """Refuse new work from now on; what still runs after `seconds` is to end itself."""
        self.limit(seconds)
        self._begun.set()

    def limit(self, seconds: float) -> None:
        """What runs or waits is to end itself after `seconds`."""
        self._ends_at = min(self._ends_at, time.monotonic() + seconds)

    @property
    def is_begun(self) -> bool:
        """No new work?"""
        return self._begun.is_set()

    @property
    def is_over(self) -> bool:
        """Is it time to give up what runs?"""
        return time.monotonic() > self._ends_at


DRAINING = Draining()
