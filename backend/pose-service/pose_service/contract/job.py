"""Work that the web process hands to an engine process."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import IO, Any, ClassVar, Protocol

from pose_service.contract.engine import PoseEngine

# Yielded by a job that goes on without a result: only silence is taken for a hanging engine.
WORKING = object()


class JobError(Exception):
    """The job cannot be done, and that is no fault of the engine: it goes on with the next one.

    It becomes a problem document: `status`, `kind` and its text. Subclasses take one text, because they travel from
    process to process.
    """

    status: ClassVar[int] = 422
    kind: ClassVar[str] = "unprocessable"


class Job(Protocol):
    """A picklable description of the work (a frozen dataclass); the uploaded file travels beside it."""

    def run(self, engine: PoseEngine, media: IO[bytes]) -> Generator[Any, None, None]:
        """Do the work in the engine process; yield picklable results, one by one.

        media: the upload, seekable, at its start; it has a fileno(). A result is sent when it is yielded, and a slow
        reader holds the generator up. The generator is closed when the client is gone. Raises JobError or
        EngineFailedError.
        """


@dataclass(frozen=True)
class Task:
    """A job and the request that it belongs to, for log lines."""

    job: Job
    request_id: str
