"""The CPU engine: MoveNet MultiPose finds people, BlazePose heavy places 33 keypoints, both run by MediaPipe."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np
from PIL import Image

from pose_service.contract import blazepose
from pose_service.contract.engine import EngineFailedError, EngineUnavailableError, Floats, Person, Pixels
from pose_service.contract.region import Detection, Region
from pose_service.contract.region_engine import RegionEstimate
from pose_service.contract.sighting import Sighting
from pose_service.engines.mediapipe_graph import MediapipeGraphs
from pose_service.engines.model_files import multipose_file, require_heavy
from pose_service.engines.multipose import Multipose

Result = TypeVar("Result")
VISIBLE = 0.5
# MediaPipe's detector sees 224 x 224 pixels and the keypoint model 256 x 256: more than this only costs time. It also
# costs memory, because MediaPipe pads an image to a square: 50,000 x 1,000 pixels became 7.5 GB.
MAX_SIDE = 2048


class MediapipeEngine:
    """Holds its models and throws them away after any exception: a graph that failed once fails for ever.

    One thread at a time: MediaPipe's graphs cannot be shared.
    """

    name = "mediapipe"
    device = "cpu"

    def __init__(self) -> None:
        self._graphs: MediapipeGraphs | None = None
        self._multipose: Multipose | None = None

    def load(self) -> None:
        """Import MediaPipe (1-2 s) and run every model once. Raises EngineUnavailableError if something is missing."""
        multipose_file()
        require_heavy()
        try:
            self._graphs = MediapipeGraphs()
        except ImportError as error:
            raise EngineUnavailableError(f"mediapipe cannot be imported: {error}") from error
        blank = np.zeros((256, 256, 3), np.uint8)
        self.sight(blank)
        self.detect(blank)
        self.estimate_region(blank, Region(128, 128, 256, 0))

    def estimate(self, rgb: Pixels) -> list[Person]:
        """The most prominent person, as `mp.solutions.pose` finds it. Raises EngineFailedError."""
        for detection in sorted(self.detect(rgb), key=lambda item: -item.score)[:1]:
            found = self.estimate_region(rgb, detection.region)
            if found is not None:
                return [replace(found.person, score=detection.score)]
        return []

    def sight(self, rgb: Pixels) -> list[Sighting]:
        """The six likeliest people in (H, W, 3), most of them nobody; one pass. Raises EngineFailedError."""
        try:
            self._multipose = self._multipose or Multipose(multipose_file())
            return self._multipose.sight(rgb)
        except Exception as error:
            self.close()
            raise EngineFailedError(f"mediapipe failed: {error}") from error

    def detect(self, rgb: Pixels) -> list[Detection]:
        """Everybody whom the detector sees in (H, W, 3); one pass. Raises EngineFailedError."""
        small = _reduce(rgb)
        found = self._run(lambda graphs: graphs.detect(small))
        x, y = rgb.shape[1] / max(small.shape[1], 1), rgb.shape[0] / max(small.shape[0], 1)
        return [replace(item, head=item.head * (x, y, x, y), region=item.region.scaled(x, y)) for item in found]

    def estimate_region(self, rgb: Pixels, region: Region) -> RegionEstimate | None:
        """The person in one region of (H, W, 3), or None; one pass. Raises EngineFailedError."""
        part, x0, y0 = _cut(rgb, region)
        if not part.size:
            return None
        small = _reduce(part)
        x, y = part.shape[1] / small.shape[1], part.shape[0] / small.shape[0]
        found = self._run(lambda graphs: graphs.estimate(small, region.moved(-x0, -y0).scaled(1 / x, 1 / y)))
        if found is None:
            return None
        points, world, following = found
        keypoints = points[:, :2] * (x, y) + (x0, y0)
        person = _person(keypoints, points[:, 3], world, width=rgb.shape[1], height=rgb.shape[0])
        return RegionEstimate(person, following.scaled(x, y).moved(x0, y0))

    def close(self) -> None:
        """Release the models; the next call builds new ones."""
        held = (self._graphs, self._multipose)
        self._graphs = self._multipose = None
        for each in held:
            with contextlib.suppress(Exception):
                if each is not None:
                    each.close()

    def _run(self, call: Callable[[MediapipeGraphs], Result]) -> Result:
        try:
            self._graphs = self._graphs or MediapipeGraphs()
            return call(self._graphs)
        except Exception as error:
            self.close()
            raise EngineFailedError(f"mediapipe failed: {error}") from error


def _cut(rgb: Pixels, region: Region) -> tuple[Pixels, int, int]:
    """The part of the image that a turned square can touch, and where it begins: copying all of it takes longer."""
    reach = region.side / np.sqrt(2) + 1
    x0, y0 = max(0, int(region.x - reach)), max(0, int(region.y - reach))
    x1, y1 = max(0, int(region.x + reach) + 1), max(0, int(region.y + reach) + 1)
    return np.ascontiguousarray(rgb[y0:y1, x0:x1]), x0, y0


def _reduce(rgb: Pixels) -> Pixels:
    """The image with its longer side at most MAX_SIDE."""
    height, width = rgb.shape[:2]
    ratio = MAX_SIDE / max(height, width, 1)
    if ratio >= 1:
        return np.ascontiguousarray(rgb)
    size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


def _person(keypoints: Floats, visibility: Floats, world: Floats, width: int, height: int) -> Person:
    confidence: Floats = np.clip(visibility, 0.0, 1.0)
    return Person(
        box=_box(keypoints, confidence, width, height),
        score=float(confidence.mean()),
        skeleton=blazepose.SKELETON,
        names=blazepose.NAMES,
        keypoints=keypoints,
        confidence=confidence,
        world=world,
    )


def _box(keypoints: Floats, confidence: Floats, width: int, height: int) -> Floats:
    """Box (4,) in pixels around the visible keypoints, inside the image: hidden ones are guesses far outside."""
    visible = keypoints[confidence >= VISIBLE]
    points = visible if len(visible) > 1 else keypoints
    limits = np.array([width, height])
    corners = np.clip([points.min(axis=0), points.max(axis=0)], 0, limits)
    box: Floats = corners.reshape(4)
    return box
