"""Where a body's mass is: shares of an average man, Plagenhoef 1983. Board, boots and clothes are left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pose_service.contract.engine import Floats
from pose_service.measuring.body import SIDES, Body, both
from pose_service.measuring.geometry import unit

PARTS = both("ear", "shoulder", "elbow", "wrist", "hand", "hip", "knee", "ankle", "heel", "toe")


@dataclass(frozen=True)
class Limb:
    """percent of the body's mass; its centre is `centre_percent` of the way from one end to the other."""

    start: str
    end: str
    percent: float
    centre_percent: float


LIMBS = (
    Limb("shoulder", "elbow", 3.25, 43.6),
    Limb("elbow", "wrist", 1.87, 43.0),
    Limb("wrist", "hand", 0.65, 46.8),
    Limb("hip", "knee", 10.5, 43.3),
    Limb("knee", "ankle", 4.75, 43.4),
    Limb("heel", "toe", 1.43, 50.0),
)
HEAD_PERCENT = 8.96
TRUNK_PERCENT = 46.84


def _centre_shares() -> Floats:
    """(14, 20): how much each of PARTS counts for the centre of head, trunk and each limb."""
    shares = np.zeros((2 + len(LIMBS) * len(SIDES), len(PARTS)))
    shares[0, [PARTS.index(part) for part in both("ear")]] = 1 / 2
    shares[1, [PARTS.index(part) for part in both("shoulder", "hip")]] = 1 / 4
    pairs = [(limb, side) for limb in LIMBS for side in SIDES]
    for row, (limb, side) in enumerate(pairs, start=2):
        shares[row, PARTS.index(f"{side}_{limb.start}")] = 1 - limb.centre_percent / 100
        shares[row, PARTS.index(f"{side}_{limb.end}")] = limb.centre_percent / 100
    return shares


# The ears' middle stands for the centre of head and neck, and half-way from shoulders to hips for the trunk's.
CENTRE_SHARES = _centre_shares()
PERCENTS = np.array([HEAD_PERCENT, TRUNK_PERCENT, *(limb.percent for limb in LIMBS for _ in SIDES)])
MASS_SHARES = PERCENTS / PERCENTS.sum()


def center_of_mass(body: Body) -> Floats:
    """Metres (3,)."""
    centre: Floats = MASS_SHARES @ CENTRE_SHARES @ body.points(PARTS)
    return centre


def moment_of_inertia(body: Body) -> float:
    """About the line from the hips to the shoulders, per kilogram of body mass: square metres.

    Each part counts as a point at its centre. Raises CoincidingPointsError.
    """
    hips = body.middle("hip")
    axis = unit(body.middle("shoulder") - hips)
    arms = CENTRE_SHARES @ body.points(PARTS) - hips
    distances = np.linalg.norm(arms - np.outer(arms @ axis, axis), axis=1)
    return float(MASS_SHARES @ distances**2)
