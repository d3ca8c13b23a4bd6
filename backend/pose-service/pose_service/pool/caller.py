"""Who waits for a job: is the client still there, and what should its log line say?"""

from __future__ import annotations

import select
import socket
from collections.abc import MutableMapping
from typing import Any, Optional

from pose_service.pool.request_id import ENVIRON_KEY as REQUEST_ID_KEY
from pose_service.pool.roster import EngineFacts

# serving.access_log writes what is here.
LOG_KEY = "pose.log"


class Caller:
    """One request, by its WSGI environment."""

    def __init__(self, environ: Optional[MutableMapping[str, Any]] = None) -> None:
        self._environ: MutableMapping[str, Any] = {} if environ is None else environ
        self.request_id: str = self._environ.get(REQUEST_ID_KEY, "")
        self._engine: Optional[EngineFacts] = None

    @property
    def engine(self) -> EngineFacts:
        """The engine that does the job, from its first result on."""
        assert self._engine is not None
        return self._engine

    def meet(self, engine: Optional[EngineFacts]) -> None:
        """An engine took the job."""
        self._engine = engine

    def is_gone(self) -> bool:
        """Has the client closed its connection? One that only shuts its sending side counts as gone."""
        client: Optional[socket.socket] = self._environ.get("gunicorn.socket")
        if client is None or client.fileno() < 0:
            return False
        poller = select.poll()
        poller.register(client, select.POLLRDHUP)
        return bool(poller.poll(0))

    def note(self, **fields: object) -> None:
        """Add fields to the request's log line."""
        self._environ.setdefault(LOG_KEY, {}).update(fields)
