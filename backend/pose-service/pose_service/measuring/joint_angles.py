"""How far hips, knees and ankles are bent."""

from __future__ import annotations

from pose_service.measuring.body import Body
from pose_service.measuring.geometry import angle, flexion


def knee_flexion(body: Body, side: str) -> float:
    """Degrees: 0 straight, 180 folded."""
    return _flexion(body, side, ("hip", "knee", "ankle"))


def hip_flexion(body: Body, side: str) -> float:
    """Degrees between trunk and thigh: 0 straight, 180 folded."""
    return _flexion(body, side, ("shoulder", "hip", "knee"))


def ankle_dorsiflexion(body: Body, side: str) -> float:
    """Degrees by which the shin leans over the foot: 0 is a right angle."""
    knee, ankle, toe = (body.point(f"{side}_{part}") for part in ("knee", "ankle", "toe"))
    return 90.0 - angle(knee - ankle, toe - ankle)


def flexion_asymmetry(body: Body) -> float:
    """Degrees by which the front knee is bent more than the rear one: + moves the pivot forward."""
    return knee_flexion(body, body.front) - knee_flexion(body, body.rear)


def _flexion(body: Body, side: str, parts: tuple[str, str, str]) -> float:
    first, joint, last = (body.point(f"{side}_{part}") for part in parts)
    return flexion(first, joint, last)
