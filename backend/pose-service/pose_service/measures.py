"""Posture measures from one person's 3D keypoints.

Coordinates are metres in the camera frame: x right, y down, z away. Up is (0, -1, 0): the camera is taken as level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Union

import numpy as np

from pose_service.engine import Floats, Person

MIN_CONFIDENCE = 0.5
UP = np.array([0.0, -1.0, 0.0])
ASSUMPTIONS = (
    "camera level",
    "angles are within about 10 degrees, less sure in loose clothing",
    "slope, board and edge angle cannot be seen in one image",
)

Points = Mapping[str, Floats]
Value = dict[str, Union[float, str, None]]


class CoincidingPointsError(ValueError):
    """Two points that should span a direction are the same."""


@dataclass(frozen=True)
class Measure:
    """How one value comes from the named points."""

    unit: str
    points: tuple[str, ...]
    compute: Callable[[Points], float]
    decimals: int = 0


def measure(person: Person) -> dict[str, Value]:
    """Compute every measure: {name: {"value", "unit"}} or {name: {"value": None, "reason"}}.

    A value is null when one of its points has a confidence below 0.5. Angles are whole degrees.
    """
    confidence = dict(zip(person.names, person.confidence.tolist()))
    points = dict(zip(person.names, person.world))
    return {name: _value(item, points, confidence) for name, item in MEASURES.items()}


def flexion(first: Floats, joint: Floats, last: Floats) -> float:
    """Degrees by which a joint is bent: 0 straight, 180 folded. Raises CoincidingPointsError."""
    return 180.0 - angle(first - joint, last - joint)


def angle(first: Floats, second: Floats) -> float:
    """Degrees 0-180 between two vectors (3,). Raises CoincidingPointsError when one has no length."""
    first_unit, second_unit = _unit(first), _unit(second)
    # Accurate near 0 and 180 degrees, where arccos of the dot product is not.
    return float(
        np.degrees(2.0 * np.arctan2(np.linalg.norm(first_unit - second_unit), np.linalg.norm(first_unit + second_unit)))
    )


def _value(item: Measure, points: Points, confidence: Mapping[str, float]) -> Value:
    weakest = min(item.points, key=lambda name: confidence.get(name, 0.0))
    if confidence.get(weakest, 0.0) < MIN_CONFIDENCE:
        seen = confidence.get(weakest, 0.0)
        return {"value": None, "reason": f"{weakest} is not clearly visible (confidence {seen:.2f} < {MIN_CONFIDENCE})"}
    try:
        value = item.compute(points)
    except CoincidingPointsError as error:
        return {"value": None, "reason": str(error)}
    return {"value": round(value, item.decimals) if item.decimals else round(value), "unit": item.unit}


def _flexion_of(first: str, joint: str, last: str) -> Measure:
    return Measure("degrees", (first, joint, last), lambda p: flexion(p[first], p[joint], p[last]))


def _trunk_lean(points: Points) -> float:
    shoulders = (points["left_shoulder"] + points["right_shoulder"]) / 2
    hips = (points["left_hip"] + points["right_hip"]) / 2
    return angle(shoulders - hips, UP)


def _stance_width(points: Points) -> float:
    shoulders = _length(points["left_shoulder"] - points["right_shoulder"])
    return float(np.linalg.norm(points["left_ankle"] - points["right_ankle"])) / shoulders


def _unit(vector: Floats) -> Floats:
    unit: Floats = vector / _length(vector)
    return unit


def _length(vector: Floats) -> float:
    length = float(np.linalg.norm(vector))
    if not length > 1e-9:
        raise CoincidingPointsError("two of its points coincide")
    return length


MEASURES: dict[str, Measure] = {
    "knee_flexion_left": _flexion_of("left_hip", "left_knee", "left_ankle"),
    "knee_flexion_right": _flexion_of("right_hip", "right_knee", "right_ankle"),
    "hip_flexion_left": _flexion_of("left_shoulder", "left_hip", "left_knee"),
    "hip_flexion_right": _flexion_of("right_shoulder", "right_hip", "right_knee"),
    "trunk_lean": Measure("degrees", ("left_shoulder", "right_shoulder", "left_hip", "right_hip"), _trunk_lean),
    "stance_width": Measure(
        "shoulder widths", ("left_ankle", "right_ankle", "left_shoulder", "right_shoulder"), _stance_width, decimals=2
    ),
}
