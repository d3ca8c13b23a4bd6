"""Notices that the web process no longer answers, and ends what does not, so that it starts again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from typing import Any

from serving.liveness import PATH

REQUEST = f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
GOOD = b"HTTP/1.1 200 "
PAUSE_SECONDS = 1.0
PROBE_SECONDS = 2.0
# A web process that answered once is deaf after so long; one that still imports the app has BOOT_SECONDS.
DEAF_SECONDS = 6.0
BOOT_SECONDS = 60.0
# EX_SOFTWARE of sysexits.h: the container's restart policy does the rest.
EXIT_CODE = 70


class Watchdog(threading.Thread):
    """A thread of gunicorn's first process: asks over the real socket, kills a deaf web process, then ends the service.

    The first process starts another web process for a killed one, and the engines stay. If that one is deaf too, the
    fault lies deeper.
    """

    def __init__(self, server: Any) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._server = server
        self._silent_seconds = 0.0
        self._has_answered = False
        self._has_killed = False

    def run(self) -> None:
        """As long as the process lives; gunicorn closes its sockets first when it stops."""
        while True:
            began = time.monotonic()
            self._server.engine_supervisor.beat()
            is_alive = self._probe()
            time.sleep(PAUSE_SECONDS)
            if self._server.LISTENERS:
                # No more than a round can take: while the whole container was paused, nobody was deaf.
                self._note(is_alive, min(time.monotonic() - began, PAUSE_SECONDS + PROBE_SECONDS))

    def _probe(self) -> bool:
        try:
            with _connected(self._server.LISTENERS[0]) as client:
                client.sendall(REQUEST)
                return client.recv(len(GOOD)) == GOOD
        except (OSError, IndexError):
            return False

    def _note(self, is_alive: bool, seconds: float) -> None:
        if is_alive:
            self._silent_seconds, self._has_answered, self._has_killed = 0.0, True, False
            return
        self._silent_seconds += seconds
        limit_seconds = DEAF_SECONDS if self._has_answered else BOOT_SECONDS
        if self._silent_seconds >= limit_seconds and self._server.LISTENERS:
            self._end(f"the web process has not answered for {self._silent_seconds:.0f} s")

    def _end(self, reason: str) -> None:
        is_second = self._has_killed
        self._silent_seconds, self._has_killed = 0.0, True
        if is_second:
            reason += ", nor did the one before it"
        self._server.log.critical("%s; %s", reason, "the service ends" if is_second else "another one takes over")
        for pid in list(self._server.WORKERS):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if is_second:
            # The supervisor and its engines end when their pipe to this process closes.
            os._exit(EXIT_CODE)


def _connected(listener: Any) -> socket.socket:
    """A connection to one of gunicorn's sockets, whatever it is bound to."""
    client = socket.socket(listener.sock.family)
    client.settimeout(PROBE_SECONDS)
    address = listener.getsockname()
    if isinstance(address, tuple):
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address[0], address[0])
        address = (host, *address[1:])
    try:
        client.connect(address)
    except OSError:
        client.close()
        raise
    return client
