"""Jumps in a video: where the hips fall freely, nothing carries the rider."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from pose_service.contract.engine import Floats, Person

GRAVITY = 9.81
# Long enough to tell an acceleration from jitter, short enough for a small jump.
WINDOW_SECONDS = 0.3
FEWEST_FRAMES = 5
# Share of gravity by which the acceleration may be off: the scale comes from the model's idea of the body's size.
TOLERANCE = 0.35
LARGEST_ERROR_METRES = 0.05
VISIBLE = 0.5
NOT_SEEN = "no free fall of at least 0.3 s was seen; it needs a camera that stands still and clearly visible hips"


@dataclass(frozen=True)
class Flight:
    """Seconds in the video."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Airtime."""
        return self.end - self.start


class FlightMeter:
    """Looks for free fall in the height of the hips, frame by frame; keeps the longest flight."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float, float]] = deque()
        self._current: Optional[Flight] = None
        self._longest: Optional[Flight] = None

    def add(self, time_seconds: float, person: Person) -> None:
        """The next frame in which the person is seen."""
        sample = _hip_height(person)
        if sample is None:
            self._samples.clear()
            return
        self._samples.append((time_seconds, *sample))
        while time_seconds - self._samples[0][0] > WINDOW_SECONDS:
            self._samples.popleft()
        self._judge(self._samples[0][0], time_seconds)

    def _judge(self, start: float, end: float) -> None:
        is_full = len(self._samples) >= FEWEST_FRAMES and end - start > 0.8 * WINDOW_SECONDS
        if not (is_full and _is_free_fall(np.array(self._samples))):
            self._current = None
            return
        is_same = self._current is not None and start <= self._current.end
        self._current = Flight(self._current.start if is_same and self._current else start, end)
        if self._longest is None or self._current.seconds > self._longest.seconds:
            self._longest = self._current

    def describe(self) -> dict[str, dict[str, Any]]:
        """{"airtime", "jump_height"}: each {"value", "unit", ...}, or "value" None and "reason".

        height = g t^2 / 8, for a take-off and a landing at the same height.
        """
        if self._longest is None:
            return {
                "airtime": {"value": None, "unit": "seconds", "reason": NOT_SEEN},
                "jump_height": {"value": None, "unit": "metres", "reason": NOT_SEEN},
            }
        flight = self._longest
        moments = {"start_seconds": round(flight.start, 3), "end_seconds": round(flight.end, 3)}
        height = GRAVITY * flight.seconds**2 / 8
        return {
            "airtime": {"value": round(flight.seconds, 2), "unit": "seconds", **moments},
            "jump_height": {"value": round(height, 2), "unit": "metres", **moments},
        }


def _hip_height(person: Person) -> tuple[float, float] | None:
    """Pixels from the top of the image down to the middle of the hips, and pixels a metre; None when hidden."""
    hips = [person.names.index(name) for name in ("left_hip", "right_hip")]
    is_seen = person.confidence >= VISIBLE
    if not is_seen[hips].all() or is_seen.sum() < 4:
        return None
    pixels, metres = person.keypoints[is_seen], person.world[is_seen][:, :2]
    spread = [float(np.linalg.norm(points - points.mean(axis=0))) for points in (pixels, metres)]
    if spread[1] < 1e-6 or spread[0] < 1e-6:
        return None
    return float(person.keypoints[hips, 1].mean()), spread[0] / spread[1]


def _is_free_fall(samples: Floats) -> bool:
    """Rows of seconds, pixels down, pixels a metre: does the height follow a parabola with gravity's acceleration?"""
    seconds = samples[:, 0] - samples[0, 0]
    metres_down = samples[:, 1] / np.median(samples[:, 2])
    fitted = np.polyfit(seconds, metres_down, 2)
    error = float(np.sqrt(np.mean((np.polyval(fitted, seconds) - metres_down) ** 2)))
    return bool(abs(2 * fitted[0] - GRAVITY) < TOLERANCE * GRAVITY and error < LARGEST_ERROR_METRES)
