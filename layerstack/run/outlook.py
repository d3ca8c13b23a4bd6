"""Diagnoses a start while it waits, and ends it when waiting cannot help."""

import queue
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from layerstack.errors import StackError, StartFailed
from layerstack.interrupt import start_thread
from layerstack.wait import call_within

# A look asks every service; a start that is over before needs none.
FIRST_SECONDS = 5.0
NEXT_SECONDS = 10.0
# A second look that is to confirm the first one.
CONFIRMING_SECONDS = 3.0
LAST_SECONDS = 60.0

# `sure`: no waiting mends it. `likely`: the same, once a second look agrees. `failing`: a fault, but of a kind that may
# end by itself during a start. `passing`: still on its way.
Prospect = Literal["sure", "likely", "failing", "passing"]


@dataclass(frozen=True)
class Trouble:
    """The fault to repair first among some services, and the error that says so."""

    service: str
    kind: str
    prospect: Prospect
    error: StartFailed

    def is_same(self, before: Sequence["Trouble"]) -> bool:
        """Whether the previous look found the same."""
        return any((self.service, self.kind) == (one.service, one.kind) for one in before[-1:])


# What is wrong with these services now, None when all of them answer. Given by the room that knows: `verify`.
Diagnose = Callable[[Sequence[str]], Trouble | None]


class Outlook:
    """Begins with its creation. Looks run one after the other in a thread; nobody waits for their outcome."""

    def __init__(self, diagnose: Diagnose | None) -> None:
        self._diagnose = diagnose
        self._next = time.monotonic() + FIRST_SECONDS
        self._is_looking = False
        self._seen: queue.SimpleQueue[Trouble | None] = queue.SimpleQueue()
        self._before: list[Trouble] = []

    def require_hope(self, services: Sequence[str]) -> None:
        """Start a look when it is due. Raises StartFailed when the last one found a fault that does not pass."""
        with suppress(queue.Empty):
            self._judge(self._seen.get_nowait())
        # One look at a time: on a slow machine a look may take longer than the interval.
        if self._diagnose and services and not self._is_looking and time.monotonic() >= self._next:
            self._is_looking = True
            start_thread(self._look, tuple(services))

    def look_now(self, services: Sequence[str]) -> Trouble | None:
        """The current trouble, None for none. Raises EngineError."""
        return self._diagnose(services) if self._diagnose and services else None

    def explain(self, error: StartFailed, services: Sequence[str], is_of_container: bool = True) -> StartFailed:
        """The diagnosis of a start that has failed, the error itself where it says no more.

        What Compose refuses before any container fails is explained by what the engine knows only: a container that
        is merely slow at this moment has not caused it.
        """
        found = None
        with suppress(StackError, TimeoutError):
            found = call_within(LAST_SECONDS, lambda: self.look_now(services))
        telling = ("sure", "likely", "failing") if is_of_container else ("sure",)
        return found.error if found and found.prospect in telling else error

    def _look(self, services: Sequence[str]) -> None:
        try:
            found = self.look_now(services)
        except Exception:
            # The wait watches the engine and the containers itself, and reports what it sees.
            found = None
        self._seen.put(found)

    def _judge(self, trouble: Trouble | None) -> None:
        is_hopeless = trouble is not None and trouble.prospect in ("sure", "likely")
        if trouble and is_hopeless and (trouble.prospect == "sure" or trouble.is_same(self._before)):
            raise trouble.error
        self._before, self._is_looking = [trouble] if trouble else [], False
        self._next = time.monotonic() + (CONFIRMING_SECONDS if is_hopeless else NEXT_SECONDS)
