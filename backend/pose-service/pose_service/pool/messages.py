"""What an engine process answers to one job: that it begins, results, then one of the two ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True)
class Begun:
    """The engine has the task. One that is lost before this may be given to another engine."""


@dataclass(frozen=True)
class Result:
    """One thing that the job yielded."""

    value: object


@dataclass(frozen=True)
class Working:
    """No result yet, but the engine is at it."""


@dataclass(frozen=True)
class Finished:
    """The job is done; it took the engine so many seconds, waiting for a slow reader left out."""

    engine_seconds: float


@dataclass(frozen=True)
class Failed:
    """The job ended with an error that the web process raises again."""

    error: Exception
    engine_seconds: float


Message = Union[Begun, Result, Working, Finished, Failed]
