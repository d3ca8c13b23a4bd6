"""The values of one followed person in the frames around the one that is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from pose_service.contract.engine import Floats, Person
from pose_service.measuring.body import Body
from pose_service.measuring.body_mass import PARTS, moment_of_inertia
from pose_service.measuring.geometry import wrap
from pose_service.measuring.measures import CIRCULAR, MEASURES, Measure, Outcome, compute, compute_one
from pose_service.measuring.smoothing import jitter, smooth, unwrap_around
from pose_service.measuring.spin import hip_yaw
from pose_service.measuring.stance import Stance

# Standard deviations: nine of ten values of a normal distribution lie within 1.6.
ERROR_PER_JITTER = 1.6
INERTIA = "moment_of_inertia"
# Only a video has a first frame to compare with; less than 1 is tucked in.
VIDEO_MEASURES: dict[str, Measure] = {
    **MEASURES,
    INERTIA: Measure("of the first frame", PARTS, moment_of_inertia, 2, least_error=0.05),
}
YAW = Measure("degrees", ("left_hip", "right_hip"), hip_yaw)
NAMES = tuple(VIDEO_MEASURES)
_CIRCULAR_COLUMNS = np.array([*(name in CIRCULAR for name in NAMES), True])


@dataclass(frozen=True)
class Smoothed:
    """keypoints: (K, 2) pixels. values: by measure, None where the raw one is None. yaw: degrees of the hip line.

    errors: by measure, what the jitter of the neighbouring frames makes of a raw value; None with too few of them.
    """

    keypoints: Floats
    values: dict[str, Optional[float]]
    yaw: Optional[float]
    errors: dict[str, Optional[float]]


@dataclass
class PersonSeries:
    """One person through a video: the stance, and what the inertia is compared with."""

    stance: Stance
    _first_inertia: Optional[float] = None
    _known: dict[int, tuple[dict[str, Outcome], Floats]] = field(default_factory=dict)

    def outcomes(self, index: int, person: Person) -> dict[str, Outcome]:
        """Every measure in frame `index`; computed once."""
        return self._look_up(index, person)[0]

    def smooth(self, frames: list[tuple[int, float, Optional[Person]]], middle: int) -> Smoothed:
        """frames: index, seconds and the person, or None, of the neighbours; `middle`: which of them is asked for."""
        times = np.array([seconds for _, seconds, _ in frames])
        person = frames[middle][2]
        if person is None:
            raise ValueError("the person is not in this frame")
        width = len(NAMES) + 1
        empty = np.full(width + person.keypoints.size, np.nan)
        # Neighbours with another skeleton have other points, and none of them the measures.
        alike = [each if each is not None and each.names == person.names else None for _, _, each in frames]
        rows = [empty if each is None else self._look_up(f[0], each)[1] for f, each in zip(frames, alike)]
        values = np.stack(rows)
        circular = np.flatnonzero(_CIRCULAR_COLUMNS)
        values[:, circular] = unwrap_around(values[:, circular], values[middle, circular])
        smoothed = smooth(times, values, middle)
        noise = jitter(values[:, : len(NAMES)])
        errors = {
            name: None if np.isnan(each) else VIDEO_MEASURES[name].least_error + ERROR_PER_JITTER * float(each)
            for name, each in zip(NAMES, noise)
        }
        numbers = [None if np.isnan(value) else float(value) for value in smoothed[:width]]
        turned = [
            wrap(each) if each is not None and is_circular else each
            for each, is_circular in zip(numbers, _CIRCULAR_COLUMNS)
        ]
        return Smoothed(smoothed[width:].reshape(-1, 2), dict(zip(NAMES, turned)), turned[-1], errors)

    def forget(self, index: int) -> None:
        """Drop what was computed for frames up to this one."""
        for each in [known for known in self._known if known <= index]:
            del self._known[each]

    def _look_up(self, index: int, person: Person) -> tuple[dict[str, Outcome], Floats]:
        if index not in self._known:
            body = Body(person, self.stance.front)
            outcomes = {**compute(person, self.stance), INERTIA: self._inertia(body)}
            numbers = [outcomes[name].value for name in NAMES] + [compute_one(YAW, body).value]
            row = np.array([np.nan if value is None else value for value in numbers])
            self._known[index] = outcomes, np.concatenate([row, person.keypoints.ravel()])
        return self._known[index]

    def _inertia(self, body: Body) -> Outcome:
        outcome = compute_one(VIDEO_MEASURES[INERTIA], body)
        if not outcome.value:
            return outcome
        self._first_inertia = self._first_inertia or outcome.value
        return Outcome(outcome.value / self._first_inertia, outcome.points, outcome.confidence)
