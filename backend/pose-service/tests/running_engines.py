"""Real engine processes for tests, without a web server."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from pose_service.pool.draining import Draining
from pose_service.pool.engine_pool import EnginePool, QueueLimits
from pose_service.pool.roster_client import RosterClient
from serving.launch import EngineSupervisor

TESTS = Path(__file__).parent
DEADLINE_SECONDS = 120.0
QUEUE = QueueLimits(16, 20.0)


@contextmanager
def running_engines(engines: int = 1, queue: QueueLimits = QUEUE, **environment: str) -> Iterator[EnginePool]:
    """A pool with a supervisor of its own, ready or failed; the engines can import the jobs of the tests."""
    path = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH", ""))))
    environment = {"POSE_ENGINE": "mediapipe", "POSE_ENGINES": str(engines), "PYTHONPATH": path, **environment}
    supervisor = EngineSupervisor()
    try:
        with mock.patch.dict(os.environ, environment):
            supervisor.ensure_running()
        pool = connected_pool(supervisor.folder, queue)
        wait_until(lambda: len(pool.roster.ready) == engines or pool.roster.status == "failed")
        yield pool
    finally:
        supervisor.stop()


def connected_pool(folder: Path, queue: QueueLimits) -> EnginePool:
    """A pool that can be drained without draining the others of this process."""
    client = RosterClient(folder)
    pool = EnginePool(queue, client.kill, Draining())
    client.start(pool.update, lambda: None)
    return pool


def wait_until(is_so: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> None:
    """Poll; fails when it does not come true."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)
