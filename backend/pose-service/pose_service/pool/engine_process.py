"""The engine process: one engine, one thread that uses it, one job after the other."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Generator
from multiprocessing.connection import Connection, Listener
from multiprocessing.reduction import recv_handle
from pathlib import Path
from typing import IO, Optional

import numpy as np

from pose_service.contract.engine import EngineFailedError, EngineUnavailableError, PoseEngine
from pose_service.contract.job import WORKING, JobError, Task
from pose_service.engines.registry import LoadedEngine, load_engine

# Imported here, so that a change of any of their files is seen as a change of the engine.
from pose_service.pool import image_job, video_job  # noqa: F401
from pose_service.pool.loaded_files import loaded_files
from pose_service.pool.messages import Begun, Failed, Finished, Message, Result, Working
from pose_service.pool.roster import ALIVE, EngineFacts
from serving import logs

logger = logging.getLogger(__name__)
# The kernel kills an engine before the web process or the supervisor when the container is out of memory.
OOM_SCORE = "500"
RETIRE_SECONDS = 600.0
ALIVE_SECONDS = 1.0


def serve(engine_name: str, address: str, requested_at: float, report: Connection, lifeline: Connection) -> None:
    """Load the engine, report its EngineFacts (or the text why it cannot load), then take jobs at `address`.

    requested_at: time.monotonic() of the supervisor when it asked for this process. The process ends when `lifeline`
    closes, and after its last connection when `lifeline` carries anything.
    """
    _prepare_process()
    forked_at = time.monotonic()
    with Listener(address, "AF_UNIX") as listener:
        try:
            loaded = load_engine(engine_name)
            loaded_at = time.monotonic()
            loaded.engine.estimate(np.zeros((256, 256, 3), np.uint8))
        except (EngineUnavailableError, EngineFailedError) as error:
            report.send(str(error))
            return
        moments = (requested_at, forked_at, loaded_at, time.monotonic())
        report.send(_facts(loaded, moments))
        threading.Thread(target=_say_alive, args=(report,), daemon=True).start()
        _serve_connections(loaded.engine, listener, lifeline)


def _prepare_process() -> None:
    # Ctrl-C reaches every process of the terminal; the supervisor decides when an engine ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)
    logs.configure(os.environ)


def _facts(loaded: LoadedEngine, moments: tuple[float, ...]) -> EngineFacts:
    parts = zip(("imports", "model", "first_estimate"), moments, moments[1:])
    seconds = {part: round(end - begin, 3) for part, begin, end in parts}
    engine = loaded.engine
    return EngineFacts(engine.name, engine.device, loaded.degraded_reason, seconds, loaded_files())


def _say_alive(report: Connection) -> None:
    """Every second: a process that is stopped, or whose interpreter hangs, falls silent."""
    with contextlib.suppress(OSError):
        while True:
            time.sleep(ALIVE_SECONDS)
            report.send(ALIVE)


def _serve_connections(engine: PoseEngine, listener: Listener, lifeline: Connection) -> None:
    idle, retired = threading.Event(), threading.Event()
    idle.set()
    threading.Thread(target=_end_with_lifeline, args=(lifeline, idle, retired), daemon=True).start()
    while not retired.is_set():
        with listener.accept() as connection:
            idle.clear()
            _serve_connection(engine, connection)
        idle.set()


def _end_with_lifeline(lifeline: Connection, idle: threading.Event, retired: threading.Event) -> None:
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv()
        retired.set()
        idle.wait(RETIRE_SECONDS)
    # At once: the main thread may be inside the engine or waiting for a connection that never comes.
    os._exit(0)


def _serve_connection(engine: PoseEngine, connection: Connection) -> None:
    """Take jobs until the other side closes."""
    # The first word tells the web process that this engine listens and does not hang.
    connection.send(os.getpid())
    while True:
        received = _receive(connection)
        if received is None:
            return
        task, media_fd = received
        with os.fdopen(media_fd, "rb") as media, contextlib.closing(_messages(engine, task, media)) as messages:
            try:
                connection.send(Begun())
                for message in messages:
                    connection.send(message)
            except OSError:
                # The client is gone: closing the generator ends the job.
                return


def _receive(connection: Connection) -> Optional[tuple[Task, int]]:
    """The next task and the descriptor of its file; None when the connection is of no more use."""
    try:
        return connection.recv(), recv_handle(connection)
    except (EOFError, OSError):
        return None
    except Exception:
        # While source files change, the web process can send what this process does not know yet.
        logger.exception("a task that cannot be read")
        return None


def _messages(engine: PoseEngine, task: Task, media: IO[bytes]) -> Generator[Message, None, None]:
    seconds = 0.0
    resumed = time.perf_counter()
    media.seek(0)
    try:
        with contextlib.closing(task.job.run(engine, media)) as results:
            for result in results:
                seconds += time.perf_counter() - resumed
                yield Working() if result is WORKING else Result(result)
                resumed = time.perf_counter()
    except Exception as error:
        yield Failed(_for_the_client(error, task.request_id), seconds + time.perf_counter() - resumed)
    else:
        yield Finished(seconds + time.perf_counter() - resumed)


def _for_the_client(error: Exception, request_id: str) -> Exception:
    if isinstance(error, (JobError, EngineFailedError)):
        return error
    if isinstance(error, MemoryError):
        return EngineFailedError("there is not enough memory for this file")
    logger.error("unexpected error in a job", exc_info=error, extra={"fields": {"request_id": request_id}})
    return EngineFailedError(f"unexpected {type(error).__name__}")
