"""A place for one engine process: starts it, starts it again after it died, replaces it when its source changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Optional, Union

from pose_service.pool.engine_child import FROZEN_SECONDS, EngineChild
from pose_service.pool.roster import EngineEntry

logger = logging.getLogger(__name__)
FIRST_DELAY_SECONDS = 0.1
LAST_DELAY_SECONDS = 30.0
# For one that had loaded: files that crash it must not keep the service down.
WORKED_DELAY_SECONDS = 1.0
# An engine that worked for so long had a good start: its next failure is the first again.
GOOD_SECONDS = 10.0
# A replaced engine may finish its video; one that hangs is not kept for ever.
RETIRE_SECONDS = 660.0

StartChild = Callable[[int, int], EngineChild]


class EngineSlot:
    """Call `tick` often; `entry` says how far it is."""

    def __init__(self, number: int, start_child: StartChild, start_seconds: float) -> None:
        self.number = number
        self.restarts = 0
        self._start_child = start_child
        self._start_seconds = start_seconds
        self._generation = 0
        self._child: Optional[EngineChild] = None
        self._successor: Optional[EngineChild] = None
        self._leaving: list[EngineChild] = []
        self._failures = 0
        self._has_worked = False
        self._reason = ""
        self._retry_at = 0.0
        self._ready_at = 0.0

    @property
    def is_ready(self) -> bool:
        """Does it take jobs?"""
        return self._child is not None and self._child.facts is not None

    @property
    def is_replacing(self) -> bool:
        """Does a new process start beside the old one?"""
        return self._successor is not None

    @property
    def entry(self) -> EngineEntry:
        """What the web process is told."""
        child = self._child
        state = "down" if child is None else "ready" if child.facts else "starting"
        pid, address = (child.pid, child.address) if child else (0, "")
        facts = child.facts if child else None
        return EngineEntry(
            self.number, self._generation, pid, address, state, self._reason, self._failures, self._has_worked, facts
        )

    @property
    def wakers(self) -> list[Union[Connection, int]]:
        """What becomes readable when `tick` has something to do."""
        children = [child for child in (self._child, self._successor) if child]
        return [waker for child in children for waker in child.wakers]

    def seconds_to_next(self) -> float:
        """When `tick` has something to do although nothing becomes readable."""
        return max(0.0, self._retry_at - time.monotonic()) if self._child is None else 1.0

    def tick(self) -> None:
        """Start what is due, and see what became of the processes."""
        self._leaving = [child for child in self._leaving if not _has_left(child)]
        if self._successor is not None:
            self._watch_successor(self._successor)
        if self._child is None:
            self._start_when_due()
        else:
            self._watch(self._child)

    def kill(self, generation: int, reason: str) -> None:
        """Kill the process of that generation; a younger one is left alone."""
        if self._child is not None and generation == self._generation:
            self._lose(self._child, reason)

    def replace(self) -> None:
        """Start a process with the changed source; the old one works until the new one is ready."""
        if self._successor is not None:
            self._successor.kill()
        if self._child is None:
            self._retry_at = 0.0
        self._successor = None if self._child is None else self._start_child(self.number, self._generation + 1)

    def stop(self) -> None:
        """Kill every process of this slot."""
        for child in (self._child, self._successor, *self._leaving):
            if child is not None:
                child.kill()

    def _start_when_due(self) -> None:
        if time.monotonic() < self._retry_at:
            return
        self._generation += 1
        self.restarts += self._generation > 1
        self._child = self._start_child(self.number, self._generation)

    def _watch(self, child: EngineChild) -> None:
        was_ready = child.facts is not None
        child.poll()
        if child.refusal or child.death():
            self._lose(child, child.refusal or child.death())
        elif child.is_frozen:
            self._lose(child, f"the engine process has not reacted for {FROZEN_SECONDS:g} s")
        elif not was_ready and child.facts is not None:
            self._ready_at = time.monotonic()
            _log_ready(self.number, child)
        elif not was_ready and time.monotonic() > child.started_at + self._start_seconds:
            self._lose(child, f"the engine did not load within {self._start_seconds:g} s")

    def _lose(self, child: EngineChild, reason: str) -> None:
        self._has_worked = child.facts is not None
        worked_well = self._has_worked and time.monotonic() - self._ready_at > GOOD_SECONDS
        self._failures = 1 if worked_well else self._failures + 1
        self._reason = reason
        longest = WORKED_DELAY_SECONDS if self._has_worked else LAST_DELAY_SECONDS
        delay = min(FIRST_DELAY_SECONDS * 2 ** min(self._failures - 1, 16), longest)
        self._retry_at = time.monotonic() + delay
        self._child = None
        child.kill()
        logger.error("engine %d (process %d) is lost: %s; next start in %.1f s", self.number, child.pid, reason, delay)

    def _watch_successor(self, successor: EngineChild) -> None:
        successor.poll()
        problem = successor.refusal or successor.death()
        if not problem and time.monotonic() > successor.started_at + self._start_seconds:
            problem = f"it did not load within {self._start_seconds:g} s"
        if problem:
            self._successor = None
            successor.kill()
            logger.error("engine %d keeps its old source, the new one does not load: %s", self.number, problem)
        elif successor.facts is not None:
            self._take_over(successor)

    def _take_over(self, successor: EngineChild) -> None:
        old, self._child, self._successor = self._child, successor, None
        self._generation += 1
        self._failures, self._reason, self._ready_at = 0, "", time.monotonic()
        _log_ready(self.number, successor)
        if old is not None:
            old.retire()
            self._leaving.append(old)
            logger.info("engine %d: process %d replaces %d", self.number, successor.pid, old.pid)


def _log_ready(number: int, child: EngineChild) -> None:
    facts = child.facts
    assert facts is not None
    parts = ", ".join(f"{part} {seconds:.2f} s" for part, seconds in facts.seconds.items())
    logger.info("engine %d (process %d): %s on %s is ready (%s)", number, child.pid, facts.name, facts.device, parts)


def _has_left(child: EngineChild) -> bool:
    if child.death():
        child.clean_up()
        return True
    if time.monotonic() > child.retired_at + RETIRE_SECONDS:
        child.kill()
        return True
    return False
