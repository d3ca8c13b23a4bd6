"""What the tests share: a real photo, a real engine, clients of the app."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as hypothesis_settings

from pose_service.engine_host import EngineHost
from pose_service.factory import create_app
from pose_service.registry import LoadedEngine, load_engine
from pose_service.settings import Settings

# The image's folder is read-only for the user that runs the tests.
hypothesis_settings.register_profile("image", database=None, deadline=None)
hypothesis_settings.load_profile("image")


@pytest.fixture(scope="session")
def astronaut() -> Path:
    """A real photo of one person, 512 x 512 pixels."""
    return Path(__file__).parent / "data" / "astronaut.jpg"


@pytest.fixture(scope="session")
def loaded() -> LoadedEngine:
    """MediaPipe, loaded once for all tests."""
    return load_engine("mediapipe")


@pytest.fixture(scope="session")
def app(loaded: LoadedEngine) -> Flask:
    """The app with MediaPipe ready and small limits."""
    host = EngineHost(lambda: loaded)
    host.run()
    return create_app(Settings(max_upload_bytes=4 * 1024 * 1024, max_pixels=2_000_000), host)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of the app with MediaPipe."""
    return app.test_client()


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
