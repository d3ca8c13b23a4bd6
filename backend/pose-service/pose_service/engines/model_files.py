"""Where the CPU engine's model files are; the base image holds them (docs/models.md)."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from pose_service.contract.engine import EngineUnavailableError

FOLDER_VARIABLE = "POSE_CPU_MODELS"
DEFAULT_FOLDER = "/opt/pose-models"
MULTIPOSE = "movenet_multipose.tflite"
HEAVY = "modules/pose_landmark/pose_landmark_heavy.tflite"


def multipose_file() -> Path:
    """The person finder's model. Raises EngineUnavailableError when it is missing."""
    return _existing(Path(os.environ.get(FOLDER_VARIABLE, DEFAULT_FOLDER)) / MULTIPOSE)


def require_heavy() -> None:
    """MediaPipe opens this file by itself, inside its own package. Raises EngineUnavailableError without it."""
    package = importlib.util.find_spec("mediapipe")
    if package is None or package.origin is None:
        raise EngineUnavailableError("mediapipe cannot be imported: it is not installed")
    _existing(Path(package.origin).parent / HEAVY)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise EngineUnavailableError(f"{path} is missing: rebuild the base image base-python-pose")
    return path
