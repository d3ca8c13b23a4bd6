"""How the camera moved between two frames, from points of the background that can be followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
from PIL import Image

from pose_service.contract.engine import Floats, Pixels

# Enough for a pan; more pixels cost time in proportion.
SIDE = 320
POINTS = 200
# Snow without tracks shows nothing: fewer points than this say nothing of the camera.
FEWEST_POINTS = 12
# Of the followed points that have to move together: below it the scene has no one motion.
FEWEST_TOGETHER = 0.5
OFF_PIXELS = 1.0
# Around each person, in shares of the box: snow spray and shadows move with the rider.
MARGIN = 0.15


@dataclass(frozen=True)
class CameraMotion:
    """matrix: (2, 3), from pixels of the frame before to pixels of this one: turn, scale and shift."""

    matrix: Floats

    def move(self, points: Floats) -> Floats:
        """Where the background's points (n, 2) of the frame before are now."""
        moved: Floats = points @ self.matrix[:, :2].T + self.matrix[:, 2]
        return moved

    def scaled(self, x: float, y: float) -> CameraMotion:
        """The same in a frame that was resized by x and y."""
        ratio = np.array([x, y])
        return CameraMotion(self.matrix * ratio[:, None] / np.array([x, y, 1.0]))


class Background:
    """Frames in order, all of one size."""

    def __init__(self) -> None:
        self._last: Optional[Pixels] = None

    def measure(self, rgb: Pixels, people: Sequence[Floats]) -> Optional[CameraMotion]:
        """The motion since the last (H, W, 3) frame, or None when the background does not show it.

        people: boxes (4,) in pixels of the last frame, whose insides are no background.
        """
        ratio = SIDE / max(rgb.shape[:2])
        size = (max(1, round(rgb.shape[1] * ratio)), max(1, round(rgb.shape[0] * ratio)))
        grey = np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0).convert("L"))
        last, self._last = self._last, grey
        if last is None or last.shape != grey.shape or min(grey.shape) < 32:
            return None
        x, y = rgb.shape[1] / size[0], rgb.shape[0] / size[1]
        matrix = _fit(last, grey, [box / (x, y, x, y) for box in people])
        return None if matrix is None else CameraMotion(matrix).scaled(x, y)


def _fit(last: Pixels, grey: Pixels, people: list[Floats]) -> Optional[Floats]:
    import cv2

    points = cv2.goodFeaturesToTrack(last, POINTS, 0.01, 5, mask=_mask(last.shape, people))
    if points is None or len(points) < FEWEST_POINTS:
        return None
    before, after = _followed(cv2, last, grey, points)
    if len(before) < FEWEST_POINTS:
        return None
    matrix, together = cv2.estimateAffinePartial2D(before, after, ransacReprojThreshold=OFF_PIXELS)
    if matrix is None or together.sum() < max(FEWEST_POINTS, FEWEST_TOGETHER * len(before)):
        return None
    return np.asarray(matrix, np.float64)


def _followed(cv2: Any, last: Pixels, grey: Pixels, points: Any) -> tuple[Any, Any]:
    """Points that lead back to where they came from when they are followed backwards."""
    there, is_there, _ = cv2.calcOpticalFlowPyrLK(last, grey, points, None)
    back, is_back, _ = cv2.calcOpticalFlowPyrLK(grey, last, there, None)
    off = np.linalg.norm((back - points)[:, 0], axis=1)
    is_kept = (is_there[:, 0] == 1) & (is_back[:, 0] == 1) & (off < OFF_PIXELS)
    return points[is_kept], there[is_kept]


def _mask(shape: tuple[int, ...], people: list[Floats]) -> Pixels:
    mask = np.full(shape, 255, np.uint8)
    for x0, y0, x1, y1 in (box.tolist() for box in people):
        wider, higher = MARGIN * (x1 - x0), MARGIN * (y1 - y0)
        rows = slice(max(0, int(y0 - higher)), max(0, int(y1 + higher) + 1))
        mask[rows, max(0, int(x0 - wider)) : max(0, int(x1 + wider) + 1)] = 0
    return mask
