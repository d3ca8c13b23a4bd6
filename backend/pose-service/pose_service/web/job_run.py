"""Runs one job for one request: wait for an engine, hand it over, give back what comes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Union

from pose_service.contract.job import Job, Task
from pose_service.pool.caller import Caller
from pose_service.pool.engine_connection import EngineConnection, shared_file
from pose_service.pool.engine_pool import LOOK_SECONDS, EnginePool
from pose_service.pool.messages import Failed, Finished, Message, Result
from pose_service.pool.pool_errors import ClientGoneError, DeadlineError, EngineLostError, PoolError, StoppingError
from pose_service.web import metrics

# The supervisor learns of a death at once; this is for a busy machine.
LOSS_SECONDS = 1.0
# An idle engine takes a task in a fraction of a millisecond.
BEGIN_SECONDS = 5.0


class HangingError(DeadlineError):
    """The engine itself does not answer."""


@dataclass(frozen=True)
class JobLimits:
    """seconds: for the whole job. step_seconds: without any result for so long, the engine counts as hanging."""

    seconds: float
    step_seconds: float


def run_job(pool: EnginePool, job: Job, media: IO[bytes], limits: JobLimits, caller: Caller) -> Iterator[Any]:
    """Yield what the job yields, as it comes; nothing happens before the first step, and closing cancels the job.

    Raises a PoolError, a JobError or EngineFailedError.
    """
    with shared_file(media) as media_fd:
        connection = _begin(pool, Task(job, caller.request_id), media_fd, caller)
    end = None
    try:
        for message in _messages(pool, connection, limits, caller):
            if isinstance(message, (Finished, Failed)):
                end = message
            elif isinstance(message, Result):
                yield message.value
    except (OSError, EOFError) as error:
        reason = pool.loss(connection.entry, LOSS_SECONDS)
        raise EngineLostError(f"The engine was lost with this request in it: {reason}.") from error
    finally:
        if end is None:
            pool.drop(connection)
        else:
            pool.give_back(connection)
    _account(end, caller)


def _begin(pool: EnginePool, task: Task, media_fd: int, caller: Caller) -> EngineConnection:
    """An engine that has the task. One that was lost while it rested costs nothing: the next one gets the task."""
    asked_at = time.perf_counter()
    while True:
        connection = pool.lease(caller)
        try:
            connection.start(task, media_fd)
            _next_message(pool, connection, BEGIN_SECONDS, caller)
        except (OSError, EOFError, HangingError):
            pool.drop(connection)
        except PoolError:
            pool.drop(connection)
            raise
        else:
            waited_ms = round((time.perf_counter() - asked_at) * 1000, 1)
            caller.note(queue_ms=waited_ms, engine_process=connection.entry.pid)
            caller.meet(connection.entry.facts)
            return connection


def _account(end: Union[Finished, Failed, None], caller: Caller) -> None:
    if end is None:
        return
    metrics.ENGINE_SECONDS.observe(end.engine_seconds)
    caller.note(engine_ms=round(end.engine_seconds * 1000, 1))
    if isinstance(end, Failed):
        raise end.error


def _messages(pool: EnginePool, connection: EngineConnection, limits: JobLimits, caller: Caller) -> Iterator[Message]:
    """Every message up to and with the last one."""
    ends_at = time.monotonic() + limits.seconds
    while True:
        message = _next_message(pool, connection, limits.step_seconds, caller)
        yield message
        if isinstance(message, (Finished, Failed)):
            return
        if time.monotonic() > ends_at:
            raise DeadlineError(f"The work took longer than {limits.seconds:g} s.")
        if pool.draining.is_over:
            raise StoppingError("The service is stopping.")


def _next_message(pool: EnginePool, connection: EngineConnection, step_seconds: float, caller: Caller) -> Message:
    """Raises HangingError when there is none in time; the engine is being killed then."""
    hangs_at = time.monotonic() + step_seconds
    while True:
        message = connection.receive(LOOK_SECONDS)
        if message is not None:
            return message
        if pool.draining.is_over:
            raise StoppingError("The service is stopping.")
        if caller.is_gone():
            raise ClientGoneError("The client is gone.")
        if time.monotonic() > hangs_at:
            reason = f"no answer within {step_seconds:g} s"
            pool.kill(connection, reason)
            raise HangingError(f"The engine gave {reason} and was killed.")
