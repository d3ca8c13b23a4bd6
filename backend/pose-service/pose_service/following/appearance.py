"""What somebody wears, as a histogram of colours: enough to know a rider again after a jump or a cut."""

from __future__ import annotations

import numpy as np

from pose_service.contract.engine import Floats, Person, Pixels

LEVELS = 6
PARTS = ("left_shoulder", "right_shoulder", "left_hip", "right_hip", "left_knee", "right_knee")
SMALLEST_SIDE = 2


def colours(rgb: Pixels, person: Person) -> Floats:
    """(LEVELS ** 3,) shares of the colours between shoulders and knees; all 0 when that lies outside of the image."""
    points = person.keypoints[[person.names.index(part) for part in PARTS]]
    height, width = rgb.shape[:2]
    (x0, y0), (x1, y1) = np.clip([points.min(axis=0), points.max(axis=0)], 0, [width, height]).astype(int)
    part = rgb[y0 : y1 + 1, x0 : x1 + 1]
    if min(part.shape[:2]) < SMALLEST_SIDE:
        return np.zeros(LEVELS**3)
    # Every few pixels are enough, however close the rider is.
    step = max(1, min(part.shape[:2]) // 32)
    levels = part[::step, ::step].reshape(-1, 3).astype(np.int64) * LEVELS // 256
    counts = np.bincount(levels @ (LEVELS**2, LEVELS, 1), minlength=LEVELS**3)
    shares: Floats = counts / counts.sum()
    return shares


def likeness(first: Floats, second: Floats) -> float:
    """0-1, Bhattacharyya's coefficient of two histograms."""
    return float(np.sqrt(first * second).sum())
