"""What a whole video shows of one person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

from pose_service.measuring.flight import FlightMeter, HipHeight, describe_flight
from pose_service.measuring.measures import Measure, rounded
from pose_service.measuring.spin import SpinMeter
from pose_service.measuring.stance import Stance


@dataclass
class Range:
    """Smallest, largest and mean value so far, and when. Keeps no values: a video may be long."""

    count: int = 0
    total: float = 0.0
    least: tuple[float, float] = (float("inf"), 0.0)
    most: tuple[float, float] = (float("-inf"), 0.0)
    errors: int = 0
    total_error: float = 0.0
    reason: str = "never seen"

    def add(self, value: Optional[float], time_seconds: float, reason: str = "") -> None:
        """A value, or why there is none."""
        if value is None:
            self.reason = reason or self.reason
            return
        self.count += 1
        self.total += value
        if value < self.least[0]:
            self.least = (value, time_seconds)
        if value > self.most[0]:
            self.most = (value, time_seconds)

    def doubt(self, error: Optional[float]) -> None:
        """The error of a value."""
        if error is not None:
            self.errors += 1
            self.total_error += error

    def describe(self, item: Measure) -> dict[str, Any]:
        """unit, min, min_at_seconds, max, max_at_seconds, mean, error, frames; or None and a reason."""
        if not self.count:
            nothing = {"min": None, "max": None, "mean": None}
            return {"unit": item.unit, **nothing, "frames": 0, "reason": self.reason}
        return {
            "unit": item.unit,
            "min": rounded(item, self.least[0]),
            "min_at_seconds": round(self.least[1], 3),
            "max": rounded(item, self.most[0]),
            "max_at_seconds": round(self.most[1], 3),
            "mean": rounded(item, self.total / self.count),
            "error": rounded(item, self.total_error / self.errors) if self.errors else None,
            "frames": self.count,
        }


@dataclass
class PersonSummary:
    """Takes one frame after the other of one person."""

    id: int
    stance: Stance
    measures: dict[str, Measure]
    first_seconds: float
    last_seconds: float = 0.0
    frames: int = 0
    ranges: dict[str, Range] = field(default_factory=dict)
    spin: SpinMeter = field(default_factory=SpinMeter)
    flight: FlightMeter = field(default_factory=FlightMeter)

    def add(self, time_seconds: float, values: dict[str, Optional[float]], errors: dict[str, Optional[float]]) -> None:
        """One frame: the smoothed values by measure, and their errors."""
        self.frames += 1
        self.last_seconds = time_seconds
        for name, value in values.items():
            known = self.ranges.setdefault(name, Range())
            known.add(value, time_seconds)
            if value is not None:
                known.doubt(errors[name])

    def fly(self, time_seconds: float, height: Optional[HipHeight], view: int, yaw: Optional[float]) -> None:
        """The same frame: the hips' height in the steady view of this number, and their smoothed turn."""
        self.flight.add(height, view)
        self.spin.add(time_seconds, yaw)

    def explain(self, reasons: dict[str, str]) -> None:
        """Why a measure had no value in a frame."""
        for name, reason in reasons.items():
            self.ranges.setdefault(name, Range()).add(None, 0.0, reason)

    def describe(self) -> dict[str, Any]:
        """One entry of the summary's "people"."""
        flight, reason = self.flight.find()
        return {
            "id": self.id,
            "frames": self.frames,
            "first_seconds": round(self.first_seconds, 3),
            "last_seconds": round(self.last_seconds, 3),
            "stance": {"value": self.stance.name, "source": self.stance.source},
            "measures": {name: each.describe(self.measures[name]) for name, each in self.ranges.items()},
            "spin": self.spin.describe(flight, reason),
            **describe_flight(flight, reason),
        }
