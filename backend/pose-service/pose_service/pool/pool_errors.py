"""Why a job got no answer from an engine; each is a problem document (see engine_problems)."""

from __future__ import annotations

from typing import ClassVar, Optional


class PoolError(Exception):
    """No answer; `retry_seconds` says when another try makes sense."""

    status: ClassVar[int] = 503
    kind: ClassVar[str]
    retry_seconds: ClassVar[Optional[int]] = None


class BusyError(PoolError):
    """Too many are waiting already, or none became free in time."""

    kind = "busy"
    retry_seconds = 5


class EngineStartingError(PoolError):
    """No engine has loaded yet."""

    kind = "engine-starting"
    retry_seconds = 5


class NoEngineError(PoolError):
    """No engine loads."""

    kind = "engine-failed"
    retry_seconds = 30


class EngineLostError(PoolError):
    """The engine died with this job in it."""

    kind = "engine-lost"
    retry_seconds = 1


class DeadlineError(PoolError):
    """The engine took too long with this job and was killed."""

    status = 504
    kind = "deadline"


class StoppingError(PoolError):
    """The service stops."""

    kind = "stopping"
    retry_seconds = 5


class ClientGoneError(PoolError):
    """Nobody waits for the answer; the status is for the log."""

    status = 400
    kind = "client-gone"
