"""Errors of jobs and engines as problem documents."""

from __future__ import annotations

from typing import Union

from flask import Flask, Response

from pose_service.contract.engine import EngineFailedError
from pose_service.contract.job import JobError
from pose_service.pool.pool_errors import PoolError
from pose_service.web.problem import ProblemError, answer_problem

EngineProblem = Union[PoolError, JobError, EngineFailedError]
KINDS = (PoolError, JobError, EngineFailedError)


def register_engine_problems(app: Flask) -> None:
    """Routes need no try/except for what an engine can do to them."""
    for kind in KINDS:
        app.register_error_handler(kind, _answer)


def as_problem(error: EngineProblem) -> ProblemError:
    """The problem document of an error that `run_job` raises."""
    if isinstance(error, EngineFailedError):
        return ProblemError(500, "engine-failed", str(error))
    retry_seconds = error.retry_seconds if isinstance(error, PoolError) else None
    headers = {} if retry_seconds is None else {"Retry-After": str(retry_seconds)}
    return ProblemError(error.status, error.kind, str(error), headers)


def _answer(error: EngineProblem) -> Response:
    return answer_problem(as_problem(error))
