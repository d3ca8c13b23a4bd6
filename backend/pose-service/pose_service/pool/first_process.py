"""gunicorn's first process, seen from the supervisor, which is the only one that can end it when it is frozen."""

from __future__ import annotations

import logging
import os
import signal
import time

logger = logging.getLogger(__name__)
# It says every one to three seconds that it runs (serving.watchdog). Between two looks no more than this counts as
# silence: while the whole container was paused, nobody was silent.
LONGEST_GAP_SECONDS = 2.0
FROZEN_SECONDS = 7.0


class FirstProcess:
    """The parent of this process; `check` it often."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._has_spoken = False
        self._checked_at = time.monotonic()
        self._silent_seconds = 0.0

    def hear(self, said: bytes) -> bool:
        """Take what it wrote into the pipe. Is it still there? Nothing means that it has closed the pipe."""
        self._has_spoken |= bool(said)
        self._silent_seconds = 0.0
        return bool(said)

    def check(self) -> None:
        """Kill it when it has been silent for too long: the container ends with it and starts again by its policy."""
        now = time.monotonic()
        self._silent_seconds += min(now - self._checked_at, LONGEST_GAP_SECONDS)
        self._checked_at = now
        if self._has_spoken and self._silent_seconds > FROZEN_SECONDS and os.getppid() == self._pid:
            self._silent_seconds = 0.0
            logger.critical("the first process has not reacted for %g s; the service ends", FROZEN_SECONDS)
            os.kill(self._pid, signal.SIGKILL)
