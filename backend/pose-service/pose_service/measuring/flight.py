"""Jumps in a video: where the hips fall freely, nothing carries the rider."""

from __future__ import annotations

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
LARGEST_ERROR_METRES = 0.06
# Take-off and landing count as seen when the rider is seen for so long before and after.
AROUND_SECONDS = 0.15
# Take-off and landing are looked for so far outside of what certainly falls.
EDGE_SECONDS = 0.3
LINE_FRAMES = 3
# Between two frames further apart the rider counts as lost.
LONGEST_GAP_SECONDS = 0.15
# A rider who becomes larger or smaller by more does not stay in the plane in which pixels are metres.
LARGEST_ZOOM = 1.35
VISIBLE = 0.5
NOT_SEEN = "no free fall of at least 0.3 s was seen, with the hips clearly visible throughout"
NO_BACKGROUND = "the background shows too little to tell how the camera moved"
NOT_INSIDE = "take-off or landing is not in the clip, or the person is not seen there"
NOT_IN_PLANE = "the rider comes closer or goes away too fast for heights in pixels to be heights in metres"


@dataclass(frozen=True)
class Flight:
    """Seconds in the video: take-off, highest point, landing. error: seconds by which the airtime may be off."""

    start: float
    top: float
    end: float
    error: float

    @property
    def seconds(self) -> float:
        """Airtime."""
        return self.end - self.start


@dataclass(frozen=True)
class HipHeight:
    """Where the hips are in one frame, with the camera's motion taken out.

    pixels: down from the top of the view. pixels_a_metre: of this person in this view. view: number of the stretch of
    the clip through which the camera's motion is known; heights of different views cannot be compared.
    """

    seconds: float
    pixels: float
    pixels_a_metre: float
    view: int


def pixels_a_metre(person: Person) -> Optional[float]:
    """How large the person is in the picture; None when the hips or most of the body are hidden."""
    hips = [person.names.index(name) for name in ("left_hip", "right_hip")]
    is_seen = person.confidence >= VISIBLE
    if not len(person.world) or not is_seen[hips].all() or is_seen.sum() < 4:
        return None
    pixels, metres = person.keypoints[is_seen], person.world[is_seen][:, :2]
    spread = [float(np.linalg.norm(points - points.mean(axis=0))) for points in (pixels, metres)]
    return None if min(spread) < 1e-6 else spread[0] / spread[1]


class FlightMeter:
    """Collects the height of the hips, and finds the longest flight in it at the end."""

    def __init__(self) -> None:
        self._heights: list[HipHeight] = []
        self._views: set[int] = set()
        self._frames = 0

    def add(self, height: Optional[HipHeight], view: int) -> None:
        """The next frame in which the person is; None when the hips are hidden."""
        self._frames += 1
        self._views.add(view)
        if height is not None:
            self._heights.append(height)

    def find(self) -> tuple[Optional[Flight], str]:
        """The longest flight, or why there is none."""
        flights: list[Flight] = []
        reasons: list[str] = []
        for run in _runs(self._heights):
            for core in _cores(run):
                flight, reason = _measure(run, core)
                flights += [flight] if flight else []
                reasons += [reason] if reason else []
        if reasons:
            # A longer flight may be among those that could not be measured.
            return None, reasons[0]
        if flights:
            return max(flights, key=lambda each: each.seconds), ""
        # A view of its own for nearly every frame: the camera's motion was never known for long.
        is_unknown = self._frames > FEWEST_FRAMES and len(self._views) * FEWEST_FRAMES > self._frames
        return None, NO_BACKGROUND if is_unknown else NOT_SEEN


def describe_flight(flight: Optional[Flight], reason: str) -> dict[str, dict[str, Any]]:
    """{"airtime", "jump_height"}: each {"value", "unit", "error", ...}, or "value" None and "reason".

    The height is that above the take-off: g t^2 / 2 for the time from there to the highest point.
    """
    if flight is None:
        return {
            "airtime": {"value": None, "unit": "seconds", "reason": reason},
            "jump_height": {"value": None, "unit": "metres", "reason": reason},
        }
    moments = {"start_seconds": round(flight.start, 3), "end_seconds": round(flight.end, 3)}
    rise = max(0.0, flight.top - flight.start)
    height, off = GRAVITY * rise**2 / 2, GRAVITY * rise * flight.error / 2
    return {
        "airtime": {"value": round(flight.seconds, 2), "unit": "seconds", "error": round(flight.error, 2), **moments},
        "jump_height": {"value": round(height, 2), "unit": "metres", "error": round(off, 2), **moments},
    }


def _runs(heights: list[HipHeight]) -> list[Floats]:
    """Stretches in one view without a gap: rows of seconds, pixels down, pixels a metre."""
    runs: list[list[HipHeight]] = []
    for height in heights:
        last = runs[-1][-1] if runs else None
        is_next = last is not None and last.view == height.view
        if is_next and last is not None and height.seconds - last.seconds <= LONGEST_GAP_SECONDS:
            runs[-1].append(height)
        else:
            runs.append([height])
    return [np.array([(each.seconds, each.pixels, each.pixels_a_metre) for each in run]) for run in runs]


def _cores(run: Floats) -> list[tuple[int, int]]:
    """First and last row of each stretch in which every window falls freely."""
    cores: list[tuple[int, int]] = []
    for first in range(len(run)):
        last = int(np.searchsorted(run[:, 0], run[first, 0] + WINDOW_SECONDS, side="right")) - 1
        is_full = last - first + 1 >= FEWEST_FRAMES and run[last, 0] - run[first, 0] > 0.8 * WINDOW_SECONDS
        if not is_full or not _is_free_fall(run[first : last + 1]):
            continue
        if cores and first <= cores[-1][1]:
            cores[-1] = (cores[-1][0], last)
        else:
            cores.append((first, last))
    return cores


def _is_free_fall(rows: Floats) -> bool:
    """Does the height follow a parabola with gravity's acceleration?"""
    fitted, error = _parabola(rows)
    return bool(abs(2 * fitted[0] - GRAVITY) < TOLERANCE * GRAVITY and error < LARGEST_ERROR_METRES)


def _parabola(rows: Floats) -> tuple[Floats, float]:
    """Coefficients of metres down over seconds since the first row, and the root mean square error in metres."""
    seconds, down = rows[:, 0] - rows[0, 0], rows[:, 1] / np.median(rows[:, 2])
    fitted: Floats = np.polyfit(seconds, down, 2)
    return fitted, float(np.sqrt(np.mean((np.polyval(fitted, seconds) - down) ** 2)))


def _measure(run: Floats, core: tuple[int, int]) -> tuple[Optional[Flight], str]:
    """The flight around a core, or why it cannot be measured."""
    rows = run[core[0] : core[1] + 1]
    if rows[:, 2].max() > LARGEST_ZOOM * rows[:, 2].min():
        return None, NOT_IN_PLANE
    start, end = _boundary(run, core), _boundary(run[::-1], (len(run) - 1 - core[1], len(run) - 1 - core[0]))
    if start is None or end is None:
        return None, NOT_INSIDE
    inside = run[(run[:, 0] >= start) & (run[:, 0] <= end)]
    if len(inside) < FEWEST_FRAMES or not _is_free_fall(inside):
        return None, NOT_IN_PLANE
    fitted, error = _parabola(inside)
    top = float(np.clip(inside[0, 0] - fitted[1] / (2 * fitted[0]), start, end))
    # A frame more or less on both sides together, and what the jitter makes of the moments of take-off and landing.
    frame = float(np.median(np.diff(run[:, 0])))
    return Flight(start, top, end, frame + 2 * error / (GRAVITY * (end - start) / 2)), ""


def _boundary(run: Floats, core: tuple[int, int]) -> Optional[float]:
    """Seconds of the take-off: before it the hips go in a line, after it they fall; None when it is not in the run.

    run: rows as in `_runs`; backwards in time it is the landing.
    """
    middle = (core[0] + core[1] + 1) // 2
    reach = int(np.searchsorted(np.abs(run[:, 0] - run[0, 0]), abs(run[core[0], 0] - run[0, 0]) - EDGE_SECONDS))
    lowest = max(0, reach)
    seconds, down = run[lowest:middle, 0] - run[middle, 0], run[lowest:middle, 1] / np.median(run[lowest:middle, 2])
    splits = range(LINE_FRAMES, len(seconds) - LINE_FRAMES)
    if not splits:
        return None
    left, right = {}, {}
    for split in splits:
        left[split] = _squares(seconds[:split], down[:split], 1)
        right[split] = _squares(seconds[split:], down[split:], 2)
    best = min(splits, key=lambda split: left[split] + right[split])
    curve = np.polyfit(seconds[best:], down[best:], 2)
    is_far = abs(float(np.polyval(curve, seconds[0])) - down[0]) > LARGEST_ERROR_METRES
    is_seen = abs(float(seconds[best] - (run[0, 0] - run[middle, 0]))) >= AROUND_SECONDS
    return float((run[lowest + best, 0] + run[lowest + best - 1, 0]) / 2) if is_far and is_seen else None


def _squares(seconds: Floats, down: Floats, degree: int) -> float:
    fitted = np.polyfit(seconds, down, degree)
    return float(np.square(np.polyval(fitted, seconds) - down).sum())
