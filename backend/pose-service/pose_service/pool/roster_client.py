"""Listens to the supervisor, and asks it to kill engines."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import struct
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
# The supervisor says something every second (TELL_SECONDS), but is busy while the libraries are imported.
STEP_SECONDS, SILENT_STEPS = 1.0, 20


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
            known = None
            while True:
                roster = _receive(self._control)
                if roster != known:
                    known = roster
                    on_roster(roster)
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


def _receive(control: Connection[Any, Any]) -> Roster:
    """The next roster. Raises EOFError or OSError when the supervisor is gone, TimeoutError when it was frozen."""
    # In steps: while the whole container was paused, only one of them ran out.
    for _ in range(SILENT_STEPS):
        if control.poll(STEP_SECONDS):
            roster: Roster = control.recv()
            return roster
    with contextlib.suppress(OSError):
        os.kill(_peer_pid(control), signal.SIGKILL)
    msg = f"it has not said anything for {SILENT_STEPS * STEP_SECONDS:g} s and was killed"
    raise TimeoutError(msg)


def _peer_pid(control: Connection[Any, Any]) -> int:
    with socket.fromfd(control.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as line:
        credentials = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, _user, _group = struct.unpack("3i", credentials)
    return int(pid)
