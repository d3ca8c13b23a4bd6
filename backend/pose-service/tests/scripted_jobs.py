"""Jobs that do to an engine process what the tests want; the process imports this module when it is sent one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pose_service.contract.engine import EngineFailedError, PoseEngine
from pose_service.contract.job import WORKING, JobError


@dataclass(frozen=True)
class EchoJob:
    """Give the file back."""

    def run(self, engine: PoseEngine, media: IO[bytes]) -> Generator[bytes, None, None]:
        """One result: the content."""
        yield media.read()


@dataclass(frozen=True)
class SlowJob:
    """Be at it for a while, say so again and again, and give one result."""

    signs: int
    pause_seconds: float

    def run(self, engine: PoseEngine, media: IO[bytes]) -> Generator[object, None, None]:
        """Signs of life, then one result."""
        for _ in range(self.signs):
            time.sleep(self.pause_seconds)
            yield WORKING
        yield "done"


@dataclass(frozen=True)
class PidJob:
    """Who works?"""

    def run(self, engine: PoseEngine, media: IO[bytes]) -> Generator[int, None, None]:
        """One result: the process id."""
        yield os.getpid()


@dataclass(frozen=True)
class CountJob:
    """Count, with a pause before each number; write each number to `progress` when it was taken."""

    numbers: int
    pause_seconds: float = 0.0
    progress: str = ""
    padding_bytes: int = 0

    def run(self, engine: PoseEngine, media: IO[bytes]) -> Generator[tuple[int, bytes], None, None]:
        """So many results."""
        try:
            for number in range(self.numbers):
                time.sleep(self.pause_seconds)
                yield number, bytes(self.padding_bytes)
                self._write(str(number))
        except GeneratorExit:
            self._write("closed")
            raise

    def _write(self, text: str) -> None:
        if self.progress:
            Path(self.progress).write_text(text)


@dataclass(frozen=True)
class SignalJob:
    """Send a signal to the own process after one result."""

    number: int

    def run(self, engine: PoseEngine, media: IO[bytes]) -> Generator[str, None, None]:
        """One result, then the signal, then another."""
        yield "before"
        os.kill(os.getpid(), self.number)
        time.sleep(0.2)
        yield "after"


@dataclass(frozen=True)
class ErrorJob:
    """Fail as told: job, engine, memory or bug."""

    kind: str

    def run(self, engine: PoseEngine, media: IO[bytes]) -> Generator[None, None, None]:
        """No result."""
        errors = {
            "job": JobError("the file is bad"),
            "engine": EngineFailedError("the graph broke"),
            "memory": MemoryError(),
            "bug": KeyError("bug"),
        }
        raise errors[self.kind]
        yield


STOP, KILL = int(signal.SIGSTOP), int(signal.SIGKILL)
