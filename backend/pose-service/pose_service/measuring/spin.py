"""How far a rider turns about the vertical in the air."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from pose_service.contract.engine import Floats
from pose_service.measuring.body import Body
from pose_service.measuring.flight import Flight
from pose_service.measuring.geometry import wrap

HIDDEN = "left_hip or right_hip is not clearly visible"
# Between two frames further apart, or further turned, the direction of the turn is a guess.
LONGEST_GAP_SECONDS = 0.15
LARGEST_STEP_DEGREES = 90.0
FEWEST_FRAMES = 3
# Hips that swing by more than this share of the whole turn against it are not followed well enough.
LARGEST_SWING = 0.5
ALLOWED_SWING_DEGREES = 45.0


def hip_yaw(body: Body) -> float:
    """Degrees of the hip line in the horizontal plane, + counter-clockwise seen from above; 0 when it faces right."""
    across = body.point("left_hip") - body.point("right_hip")
    return float(np.degrees(np.arctan2(across[2], across[0])))


class SpinMeter:
    """Collects the turn of the hips, and adds it up over a flight."""

    def __init__(self) -> None:
        self._yaws: list[tuple[float, float]] = []

    def add(self, time_seconds: float, yaw: Optional[float]) -> None:
        """The next frame; None when the hips are hidden."""
        if yaw is not None:
            self._yaws.append((time_seconds, yaw))

    def describe(self, flight: Optional[Flight], reason: str) -> dict[str, Any]:
        """{"value", "unit", "error", "fastest_degrees_per_second"} between take-off and landing.

        Or "value" None and "reason", which is the flight's when there is none.
        """
        if flight is None:
            return _nothing(reason)
        inside = [(at, yaw) for at, yaw in self._yaws if flight.start <= at <= flight.end]
        if len(inside) < FEWEST_FRAMES:
            return _nothing(HIDDEN)
        times = np.array([at for at, _ in inside])
        steps = np.array([wrap(yaw - last) for (_, last), (_, yaw) in zip(inside, inside[1:])])
        doubt = _doubt(times, steps, flight)
        if doubt:
            return _nothing(doubt)
        rates = np.abs(steps) / np.diff(times)
        return {
            "value": round(float(steps.sum())) + 0,
            "unit": "degrees",
            "error": round(float(np.abs(steps).max()) + _swing(steps)),
            "fastest_degrees_per_second": round(float(rates.max())),
        }


def _doubt(times: Floats, steps: Floats, flight: Flight) -> str:
    moments = np.concatenate([[flight.start], times, [flight.end]])
    gaps = np.diff(moments)
    place = int(np.argmax(gaps))
    if gaps[place] > LONGEST_GAP_SECONDS:
        return f"the hips were hidden from {moments[place]:.2f} to {moments[place + 1]:.2f} s"
    place = int(np.argmax(np.abs(steps)))
    if abs(steps[place]) > LARGEST_STEP_DEGREES:
        return f"the hips turned by {abs(steps[place]):.0f} degrees in one frame at {times[place + 1]:.2f} s"
    if _swing(steps) > max(ALLOWED_SWING_DEGREES, LARGEST_SWING * abs(float(steps.sum()))):
        return "the hips seem to swing to and fro in the air: the direction of the turn is not clear"
    return ""


def _swing(steps: Floats) -> float:
    """Degrees turned against the whole turn."""
    return float(np.abs(steps).sum() - abs(steps.sum())) / 2


def _nothing(reason: str) -> dict[str, Any]:
    return {"value": None, "unit": "degrees", "reason": reason}
