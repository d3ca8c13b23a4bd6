"""Listens to the supervisor, and asks it to kill engines."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any, Optional

from pose_service.pool.roster import KillRequest, Roster
from serving.launch import CONTROL_NAME

logger = logging.getLogger(__name__)
CONNECT_SECONDS = 20.0
RETRY_SECONDS = 0.05


class RosterClient:
    """Calls `on_roster` with every roster from a thread of its own, and `on_lost` once the supervisor is gone."""

    def __init__(self, folder: Path) -> None:
        self._address = str(folder / CONTROL_NAME)
        self._control: Optional[Connection[Any, Any]] = None
        self._sending = threading.Lock()

    def start(self, on_roster: Callable[[Roster], None], on_lost: Callable[[], None]) -> None:
        """Begin to listen; returns at once."""
        threading.Thread(target=self._listen, args=(on_roster, on_lost), name="roster", daemon=True).start()

    def kill(self, request: KillRequest) -> None:
        """Ask the supervisor to kill an engine; without a supervisor there is none to kill."""
        with self._sending, contextlib.suppress(OSError):
            if self._control is not None:
                self._control.send(request)

    def _listen(self, on_roster: Callable[[Roster], None], on_lost: Callable[[], None]) -> None:
        try:
            self._control = self._connect()
            while True:
                on_roster(self._control.recv())
        except Exception as error:
            # Its end, or a source file of it that changed under this process.
            logger.error("the supervisor of the engines is gone: %r", error)
            on_roster(Roster())
            on_lost()

    def _connect(self) -> Connection[Any, Any]:
        deadline = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                return Client(self._address, "AF_UNIX")
            except FileNotFoundError:
                # It starts. Any other error means that it has ended.
                if time.monotonic() > deadline:
                    raise
                time.sleep(RETRY_SECONDS)
