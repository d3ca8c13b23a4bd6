"""Angles and lengths between points in space.

Coordinates are metres in the camera frame: x right, y down, z away. Up is (0, -1, 0): the camera is taken as level.
"""

from __future__ import annotations

import numpy as np

from pose_service.contract.engine import Floats

UP = np.array([0.0, -1.0, 0.0])
SHORTEST_METRES = 1e-9


class CoincidingPointsError(ValueError):
    """Points that should span a direction do not."""


def unit(vector: Floats) -> Floats:
    """The vector (3,) with length 1. Raises CoincidingPointsError when it has none."""
    direction: Floats = vector / length(vector)
    return direction


def length(vector: Floats) -> float:
    """Metres. Raises CoincidingPointsError when it is nothing to divide by."""
    metres = float(np.linalg.norm(vector))
    if not metres > SHORTEST_METRES:
        raise CoincidingPointsError("two of its points coincide")
    return metres


def angle(first: Floats, second: Floats) -> float:
    """Degrees 0-180 between two vectors (3,). Raises CoincidingPointsError when one has no length."""
    first_unit, second_unit = unit(first), unit(second)
    # Accurate near 0 and 180 degrees, where arccos of the dot product is not.
    return float(
        np.degrees(2.0 * np.arctan2(np.linalg.norm(first_unit - second_unit), np.linalg.norm(first_unit + second_unit)))
    )


def flexion(first: Floats, joint: Floats, last: Floats) -> float:
    """Degrees by which a joint is bent: 0 straight, 180 folded. Raises CoincidingPointsError."""
    return 180.0 - angle(first - joint, last - joint)


def elevation(vector: Floats) -> float:
    """Degrees above the horizontal, -90 to 90. Raises CoincidingPointsError."""
    return float(np.degrees(np.arcsin(np.clip(unit(vector) @ UP, -1.0, 1.0))))


def level(vector: Floats) -> Floats:
    """Its part in the horizontal plane (3,)."""
    part: Floats = vector - (vector @ UP) * UP
    return part


def heading(vector: Floats) -> Floats:
    """Its horizontal direction (3,). Raises CoincidingPointsError for a vertical one."""
    part = level(vector)
    if not float(np.linalg.norm(part)) > SHORTEST_METRES:
        raise CoincidingPointsError("its points lie straight above each other")
    return unit(part)


def turn(reference: Floats, vector: Floats) -> float:
    """Degrees -180 to 180 from one to the other in the horizontal plane, + counter-clockwise seen from above.

    Raises CoincidingPointsError when one of them is vertical.
    """
    start, end = heading(reference), heading(vector)
    return float(np.degrees(np.arctan2(UP @ np.cross(start, end), start @ end)))


def lean(vector: Floats, sideways: Floats) -> float:
    """Degrees -180 to 180 by which a vector leaves the vertical towards `sideways`. Raises CoincidingPointsError."""
    length(vector)
    return float(np.degrees(np.arctan2(vector @ unit(sideways), vector @ UP)))


def wrap(degrees: float) -> float:
    """The same direction as -180 <= degrees < 180."""
    return (degrees + 180.0) % 360.0 - 180.0
