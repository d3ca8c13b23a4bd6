"""What every pose engine offers, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]


class EngineUnavailableError(Exception):
    """This engine cannot run here; the text says why and what to do."""


class EngineFailedError(Exception):
    """The engine broke on one image; the next image gets a fresh one."""


@dataclass(frozen=True)
class Body3D:
    """An SMPL body, for engines that fit one; matrices are float32 rotations.

    global_orient: (3, 3) body to camera. body_pose: (23, 3, 3) relative to the parent. betas: (10,). camera: (3,)
    metres from a camera with focal_pixels in the middle of the image. vertices: (6890, 3) metres in the frame of
    `world`, but with SMPL's own origin; None when nobody asked for them.
    """

    global_orient: Floats
    body_pose: Floats
    betas: Floats
    camera: Floats
    focal_pixels: float
    vertices: Optional[Floats] = None


@dataclass(frozen=True)
class Person:
    """One person in one image.

    box: (4,) x0, y0, x1, y1 in pixels. score: 0-1. names: K keypoint names of the skeleton.
    keypoints: (K, 2) pixels of the image, may lie outside it. confidence: (K,) 0-1.
    world: (K, 3) metres in the camera frame (x right, y down, z away, origin mid-hip); (0, 3) without any depth.
    views: where the same points are in two estimates of which `world` is the mean: the picture and its mirror image.
    """

    box: Floats
    score: float
    skeleton: str
    names: tuple[str, ...]
    keypoints: Floats
    confidence: Floats
    world: Floats
    body: Optional[Body3D] = None
    views: Optional[tuple[Floats, Floats]] = None


class PoseEngine(Protocol):
    """A pose engine. `estimate` may be called from several threads at once."""

    @property
    def name(self) -> str:
        """Short name, as in POSE_ENGINE."""

    @property
    def device(self) -> str:
        """Where it computes: cpu or cuda:N."""

    def load(self) -> None:
        """Load the models and warm up (seconds). Raises EngineUnavailableError."""

    def estimate(self, rgb: Pixels) -> list[Person]:
        """Find people in an (H, W, 3) RGB image; an empty list when there is nobody. Raises EngineFailedError."""

    def close(self) -> None:
        """Release the models."""
