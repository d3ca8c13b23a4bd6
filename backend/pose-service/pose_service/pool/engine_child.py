"""An engine process, seen from the supervisor."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

from pose_service.pool.roster import ALIVE, EngineFacts

# Children are forked from one process that has imported the libraries and nothing of ours: a restart is quick, the
# libraries are in memory once, and a changed source is read anew.
PROCESSES = multiprocessing.get_context("forkserver")
PRELOADS = ("numpy", "PIL.Image")
MEDIAPIPE_PRELOADS = (
    "mediapipe.python.solution_base",
    "mediapipe.framework.calculator_pb2",
    "mediapipe.framework.formats.rect_pb2",
    "google.protobuf.text_format",
    "av",
)
KILL_WAIT_SECONDS = 5.0
# An engine that is ready says every second that it runs (engine_process). Between two calls of `poll` no more than this
# counts as silence: while the whole container was paused, nobody was silent.
LONGEST_GAP_SECONDS = 2.0
FROZEN_SECONDS = 10.0


def preloads(engine_name: str) -> list[str]:
    """The libraries that the processes of this engine share; multiprocessing leaves out what is not installed."""
    return [*PRELOADS, *(() if engine_name == "hmr2" else MEDIAPIPE_PRELOADS)]


class EngineChild:
    """Starts one engine process; `poll` learns what became of it."""

    def __init__(self, engine_name: str, folder: Path, name: str) -> None:
        self.address = str(folder / f"{name}.sock")
        self.started_at = time.monotonic()
        self.retired_at = float("inf")
        self.facts: EngineFacts | None = None
        self.refusal = ""
        self._polled_at = self.started_at
        self._silent_seconds = 0.0
        self._report, report = PROCESSES.Pipe(duplex=False)
        lifeline, self._lifeline = PROCESSES.Pipe(duplex=False)
        self._process = PROCESSES.Process(
            target=_serve, args=(engine_name, self.address, self.started_at, report, lifeline), name=name, daemon=True
        )
        self._process.start()
        report.close()
        lifeline.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid or 0

    @property
    def wakers(self) -> list[Connection | int]:
        """What becomes readable when something happens to this process."""
        return [self._process.sentinel] if self.facts or self.refusal else [self._process.sentinel, self._report]

    def poll(self) -> None:
        """Take the report, once it is there, into `facts` or `refusal`, and the signs of life after it."""
        now = time.monotonic()
        self._silent_seconds += min(now - self._polled_at, LONGEST_GAP_SECONDS)
        self._polled_at = now
        with contextlib.suppress(EOFError, OSError):
            while self._report.poll():
                self._silent_seconds = 0.0
                said = self._report.recv()
                if isinstance(said, EngineFacts):
                    self.facts = said
                elif said != ALIVE:
                    self.refusal = str(said)

    @property
    def is_frozen(self) -> bool:
        """Is it ready and has said nothing for too long?"""
        return self.facts is not None and self._silent_seconds > FROZEN_SECONDS

    def death(self) -> str:
        """How it ended, for a person; empty while it runs."""
        code = self._process.exitcode
        if code is None:
            return ""
        if self.refusal:
            return self.refusal
        if code >= 0:
            return f"the engine process ended with exit code {code}"
        hint = " (the kernel does that when the container is out of memory)" if -code == signal.SIGKILL else ""
        return f"the engine process was killed by {signal.Signals(-code).name}{hint}"

    def retire(self) -> None:
        """Let it end after the job that it has."""
        self.retired_at = time.monotonic()
        with contextlib.suppress(OSError):
            self._lifeline.send("retire")

    def kill(self) -> None:
        """End it now, stopped or hanging as it may be, and leave nothing of it."""
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
        self._process.join(KILL_WAIT_SECONDS)
        self.clean_up()

    def clean_up(self) -> None:
        """Close what belonged to a process that is gone."""
        self._report.close()
        self._lifeline.close()
        Path(self.address).unlink(missing_ok=True)


def _serve(engine_name: str, address: str, requested_at: float, report: Connection, lifeline: Connection) -> None:
    # Imported in the child only: the supervisor stays small.
    from pose_service.pool.engine_process import serve

    serve(engine_name, address, requested_at, report, lifeline)
