"""MediaPipe Pose on the CPU: one person, 33 keypoints, no download."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from typing import Any

import numpy as np
from PIL import Image

from pose_service import blazepose
from pose_service.engine import EngineFailedError, EngineUnavailableError, Floats, Person, Pixels

VISIBLE = 0.5
# The detector sees 224 x 224 pixels and the keypoint model 256 x 256: more than this only costs time. It also costs
# memory, because MediaPipe pads an image to a square: 50,000 x 1,000 pixels became 7.5 GB.
MAX_SIDE = 2048


class MediapipeEngine:
    """Keeps idle Pose objects; a Pose is used by one thread at a time and thrown away after any exception.

    A Pose that two threads share, or that failed once, answers every later call with "Graph has errors".
    """

    name = "mediapipe"
    device = "cpu"

    def __init__(self) -> None:
        self._pose_class: Any = None
        self._idle: deque[Any] = deque()

    def load(self) -> None:
        """Import MediaPipe (1-2 s) and build the first Pose. Raises EngineUnavailableError if it is not installed."""
        os.environ.setdefault("GLOG_minloglevel", "2")
        try:
            from mediapipe.python.solutions.pose import Pose
        except ImportError as error:
            raise EngineUnavailableError(f"mediapipe cannot be imported: {error}") from error
        self._pose_class = Pose
        self.estimate(np.zeros((256, 256, 3), np.uint8))

    def estimate(self, rgb: Pixels) -> list[Person]:
        """Find the most prominent person. Raises EngineFailedError; the next call builds a new Pose."""
        pose = self._take()
        try:
            result = pose.process(_reduce(rgb))
        except Exception as error:
            with contextlib.suppress(Exception):
                pose.close()
            raise EngineFailedError(f"mediapipe failed: {error}") from error
        self._idle.append(pose)
        return _people(result, width=rgb.shape[1], height=rgb.shape[0])

    def close(self) -> None:
        """Close every idle Pose."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> Any:
        try:
            return self._idle.pop()
        except IndexError:
            # Complexity 1 is the only model inside the wheel; 0 and 2 would be downloaded.
            return self._pose_class(static_image_mode=True, model_complexity=1)


def _reduce(rgb: Pixels) -> Pixels:
    """The image with its longer side at most MAX_SIDE; keypoints are fractions, so nothing has to be scaled back."""
    height, width = rgb.shape[:2]
    ratio = MAX_SIDE / max(height, width, 1)
    if ratio >= 1:
        return rgb
    size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


def _people(result: Any, width: int, height: int) -> list[Person]:
    if result.pose_landmarks is None:
        return []
    landmarks = result.pose_landmarks.landmark
    keypoints = np.array([(mark.x * width, mark.y * height) for mark in landmarks])
    confidence = np.clip([mark.visibility for mark in landmarks], 0.0, 1.0)
    world = np.array([(mark.x, mark.y, mark.z) for mark in result.pose_world_landmarks.landmark])
    person = Person(
        box=_box(keypoints, confidence, width, height),
        # MediaPipe gives no score for a person: the mean visibility of the keypoints stands for it.
        score=float(confidence.mean()),
        skeleton=blazepose.SKELETON,
        names=blazepose.NAMES,
        keypoints=keypoints,
        confidence=confidence,
        world=world,
    )
    return [person]


def _box(keypoints: Floats, confidence: Floats, width: int, height: int) -> Floats:
    """Box (4,) in pixels around the visible keypoints, inside the image: hidden ones are guesses far outside."""
    visible = keypoints[confidence >= VISIBLE]
    points = visible if len(visible) > 1 else keypoints
    limits = np.array([width, height])
    corners = np.clip([points.min(axis=0), points.max(axis=0)], 0, limits)
    box: Floats = corners.reshape(4)
    return box
