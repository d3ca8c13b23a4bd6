"""How far a rider turns about the vertical in a video."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from pose_service.measuring.body import Body
from pose_service.measuring.geometry import wrap

HIDDEN = "left_hip or right_hip is not clearly visible"
# Between two frames further apart, or further turned, the direction of the turn is a guess.
LONGEST_GAP_SECONDS = 0.25
LARGEST_STEP_DEGREES = 90.0
FEWEST_FRAMES = 3


def hip_yaw(body: Body) -> float:
    """Degrees of the hip line in the horizontal plane, + counter-clockwise seen from above; 0 when it faces right."""
    across = body.point("left_hip") - body.point("right_hip")
    return float(np.degrees(np.arctan2(across[2], across[0])))


class SpinMeter:
    """Adds up the turn of the hips, frame by frame."""

    def __init__(self) -> None:
        self._frames = 0
        self._total = 0.0
        self._fastest = 0.0
        self._last: Optional[tuple[float, float]] = None
        self._doubt = ""

    def add(self, time_seconds: float, yaw: Optional[float]) -> None:
        """The next frame; None when the hips are hidden."""
        if yaw is None:
            return
        if self._last is not None:
            self._step(time_seconds, yaw, *self._last)
        self._last = (time_seconds, yaw)
        self._frames += 1

    def _step(self, time_seconds: float, yaw: float, last_seconds: float, last_yaw: float) -> None:
        step, elapsed = wrap(yaw - last_yaw), time_seconds - last_seconds
        if elapsed > LONGEST_GAP_SECONDS:
            self._doubt = self._doubt or f"the hips were hidden from {last_seconds:.2f} to {time_seconds:.2f} s"
        elif abs(step) > LARGEST_STEP_DEGREES:
            self._doubt = (
                self._doubt or f"the hips turned by {abs(step):.0f} degrees in one frame at {time_seconds:.2f} s"
            )
        self._total += step
        if elapsed > 0:
            self._fastest = max(self._fastest, abs(step) / elapsed)

    def describe(self) -> dict[str, Any]:
        """{"value", "unit", "fastest_degrees_per_second"}, or "value" None and "reason"."""
        reason = HIDDEN if self._frames < FEWEST_FRAMES else self._doubt
        if reason:
            return {"value": None, "unit": "degrees", "reason": reason}
        return {
            "value": round(self._total) + 0,
            "unit": "degrees",
            "fastest_degrees_per_second": round(self._fastest),
        }
