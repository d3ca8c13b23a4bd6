"""What the tests share: a real photo, a real engine, clients of the app."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as hypothesis_settings
from running_engines import running_engines
from server import Server, copy_source
from starting import Start
from werkzeug.test import TestResponse

from pose_service.engines.registry import LoadedEngine, load_engine
from pose_service.pool.engine_pool import EnginePool
from pose_service.settings import Settings
from pose_service.web.factory import create_app

# The image's folder is read-only for the user that runs the tests.
hypothesis_settings.register_profile("image", database=None, deadline=None)
hypothesis_settings.load_profile("image")


class ReadingClient(FlaskClient):
    """Reads every answer to its end and closes it, as a server does."""

    def open(self, *args: Any, buffered: bool = True, **options: Any) -> TestResponse:
        """Make a request."""
        return super().open(*args, buffered=buffered, **options)


@pytest.fixture(scope="session")
def astronaut() -> Path:
    """A real photo of one person, 512 x 512 pixels."""
    return Path(__file__).parent / "data" / "astronaut.jpg"


@pytest.fixture(scope="session")
def loaded() -> LoadedEngine:
    """MediaPipe, loaded once for all tests."""
    return load_engine("mediapipe")


@pytest.fixture(scope="session")
def pool() -> Iterator[EnginePool]:
    """One engine process with MediaPipe."""
    with running_engines(1) as running:
        assert running.roster.status == "ready", running.roster.reason
        yield running


@pytest.fixture(scope="session")
def app(pool: EnginePool) -> Flask:
    """The app with MediaPipe ready and small limits."""
    made = create_app(Settings(max_upload_bytes=4 * 1024 * 1024, max_pixels=2_000_000), pool)
    made.test_client_class = ReadingClient
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of the app with MediaPipe."""
    return app.test_client()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start servers in a writable copy of the source; whatever still runs afterwards is killed."""
    copy_source(tmp_path)
    servers: list[Server] = []

    def start_server(**environment: str) -> Server:
        # Each engine that loads takes seconds of a processor.
        servers.append(Server(tmp_path, **{"POSE_ENGINE": "mediapipe", "POSE_ENGINES": "1", **environment}))
        return servers[-1]

    yield start_server
    for server in servers:
        server.process.kill()
        server.process.wait()


@pytest.fixture(scope="session")
def cuda() -> None:
    """Skip without a CUDA device; with REQUIRE_GPU=1 its absence is a failure."""
    reason = _cuda_missing()
    if reason is None:
        return
    if os.environ.get("REQUIRE_GPU") == "1":
        pytest.fail(f"a GPU was demanded: {reason}")
    pytest.skip(reason)


def _cuda_missing() -> str | None:
    try:
        import torch
    except ImportError:
        return "PyTorch is not installed: this is the CPU image"
    return None if torch.cuda.is_available() else "PyTorch sees no CUDA device"
