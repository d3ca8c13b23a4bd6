"""The engines that this web process can use, and the queue in front of them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Optional

from pose_service.pool.caller import Caller
from pose_service.pool.draining import Draining
from pose_service.pool.engine_connection import EngineConnection
from pose_service.pool.pool_errors import BusyError, ClientGoneError, EngineStartingError, NoEngineError, StoppingError
from pose_service.pool.roster import EngineEntry, KillRequest, Roster

# How often a waiting request looks whether its client is still there.
LOOK_SECONDS = 0.1
RECONNECT_SECONDS = 0.2

Key = tuple[int, int]


@dataclass(frozen=True)
class QueueLimits:
    """How many requests may be inside besides one an engine, and how long one waits for an engine."""

    length: int
    seconds: float


class EnginePool:
    """Gives every engine to one request at a time, first come first served."""

    def __init__(self, limits: QueueLimits, kill: Callable[[KillRequest], None], draining: Draining) -> None:
        self.limits = limits
        self.draining = draining
        self.roster = Roster()
        self._kill = kill
        self._changed = threading.Condition()
        self._idle: deque[EngineConnection] = deque()
        self._queue: deque[object] = deque()
        self._inside = 0
        self._is_informed = False

    @property
    def waiting(self) -> int:
        """Requests that wait for an engine now."""
        return len(self._queue)

    def update(self, roster: Roster) -> None:
        """Learn of new engines and of those that are gone."""
        with self._changed:
            before, self.roster = set(map(_key, self.roster.ready)), roster
            self._is_informed = True
            self._hang_up_on_strangers()
            new = [entry for entry in roster.ready if _key(entry) not in before]
            self._changed.notify_all()
        for entry in new:
            self._connect(entry)

    def wait_until_informed(self, timeout_seconds: float) -> None:
        """Wait for the first roster: without it, a reloaded service would say for a moment that it starts."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_informed, timeout_seconds)

    def admit(self) -> None:
        """Take a place; `leave` gives it back. Raises BusyError or StoppingError."""
        with self._changed:
            if self.draining.is_begun:
                raise StoppingError("The service is stopping.")
            if self._inside >= self.limits.length + max(1, len(self.roster.entries)):
                raise BusyError(f"Too many requests at once: {self._inside} are inside already.")
            self._inside += 1

    def leave(self) -> None:
        """Give the place back."""
        with self._changed:
            self._inside -= 1

    def lease(self, caller: Caller) -> EngineConnection:
        """Wait for an engine. Raises a PoolError."""
        ticket, deadline = object(), time.monotonic() + self.limits.seconds
        with self._changed:
            self._queue.append(ticket)
            try:
                while True:
                    connection = self._take_idle() if self._queue[0] is ticket else None
                    if connection is not None:
                        return connection
                    self._give_up_waiting(caller, deadline)
                    self._changed.wait(LOOK_SECONDS)
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()

    def give_back(self, connection: EngineConnection) -> None:
        """The engine is idle again."""
        with self._changed:
            self._idle.append(connection)
            self._hang_up_on_strangers()
            self._changed.notify_all()

    def drop(self, connection: EngineConnection) -> None:
        """Cancel what the engine does; it is idle again when it has noticed."""
        connection.close()
        self._connect(connection.entry)

    def kill(self, connection: EngineConnection, reason: str) -> None:
        """Have the engine killed and started again."""
        self._kill(KillRequest(connection.entry.slot, connection.entry.generation, reason))

    def loss(self, entry: EngineEntry, timeout_seconds: float) -> str:
        """Why that engine is gone, as soon as the supervisor knows."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_listed(entry), timeout_seconds)
            reasons = [other.reason for other in self.roster.entries if other.slot == entry.slot]
        return next(iter(reasons), "") or "the engine process is gone"

    def _take_idle(self) -> Optional[EngineConnection]:
        while self._idle:
            connection = self._idle.popleft()
            if connection.is_open():
                return connection
            connection.close()
        return None

    def _give_up_waiting(self, caller: Caller, deadline: float) -> None:
        if self.draining.is_begun or self.draining.is_over:
            raise StoppingError("The service is stopping.")
        status = self.roster.status
        if status == "failed":
            raise NoEngineError(self.roster.reason)
        if status == "starting" and self._is_informed and not self.roster.has_been_ready:
            raise EngineStartingError(self.roster.reason)
        if time.monotonic() > deadline:
            raise BusyError(f"Too many requests at once: no engine became free in {self.limits.seconds:g} s.")
        if caller.is_gone():
            raise ClientGoneError("The client is gone.")

    def _is_listed(self, entry: EngineEntry) -> bool:
        return any(_key(entry) == _key(other) for other in self.roster.ready)

    def _hang_up_on_strangers(self) -> None:
        listed = set(map(_key, self.roster.ready))
        for connection in [item for item in self._idle if _key(item.entry) not in listed]:
            self._idle.remove(connection)
            connection.close()

    def _connect(self, entry: EngineEntry) -> None:
        # In a thread of its own: an engine that is still busy with a cancelled job answers when it is done.
        threading.Thread(target=self._keep_connecting, args=(entry,), name="engine-connector", daemon=True).start()

    def _keep_connecting(self, entry: EngineEntry) -> None:
        while self._is_listed(entry):
            try:
                connection = EngineConnection(entry)
            except TimeoutError as error:
                self._kill(KillRequest(entry.slot, entry.generation, str(error)))
                return
            except (OSError, EOFError):
                time.sleep(RECONNECT_SECONDS)
            else:
                self.give_back(connection)
                return


def _key(entry: EngineEntry) -> Key:
    return entry.slot, entry.generation
