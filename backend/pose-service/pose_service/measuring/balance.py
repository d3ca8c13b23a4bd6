"""Where the body's mass is over the board, and how the board is tilted."""

from __future__ import annotations

import numpy as np

from pose_service.contract.engine import Floats
from pose_service.measuring.body import SIDES, Body
from pose_service.measuring.body_mass import center_of_mass
from pose_service.measuring.geometry import UP, elevation, lean, length


def fore_aft_balance(body: Body) -> float:
    """0 over the rear foot, 0.5 centred, 1 over the front foot."""
    rear = body.point(f"{body.rear}_ankle")
    return float((center_of_mass(body) - rear) @ body.along_board()) / length(body.across("ankle"))


def inclination(body: Body) -> float:
    """Degrees by which the mass leans out over the feet, + towards the toes, - towards the heels."""
    return lean(_over_feet(body), body.toe_side())


def center_of_mass_height(body: Body) -> float:
    """Height of the mass over the ankles in leg lengths: less is a deeper crouch."""
    legs = [length(_bone(body, side, "hip", "knee")) + length(_bone(body, side, "knee", "ankle")) for side in SIDES]
    return float(_over_feet(body) @ UP) / (sum(legs) / len(legs))


def edge_angle_proxy(body: Body, side: str) -> float:
    """Degrees by which one foot is tilted across the board, + on the toe edge: a stand-in for the board's edge angle.

    With a heel and two toes the sole is a plane; with one toe only the line from heel to toe is known.
    """
    heel, toe = body.point(f"{side}_heel"), body.point(f"{side}_toe")
    if not body.has(f"{side}_small_toe"):
        return elevation(heel - toe)
    sole: Floats = np.cross(toe - heel, body.point(f"{side}_small_toe") - heel)
    return lean(sole if sole @ UP > 0 else -sole, body.toe_side())


def angulation(body: Body) -> float:
    """Degrees by which the feet are tilted more than the body leans: mean edge angle proxy less inclination."""
    return sum(edge_angle_proxy(body, side) for side in SIDES) / len(SIDES) - inclination(body)


def _over_feet(body: Body) -> Floats:
    arm: Floats = center_of_mass(body) - body.middle("ankle")
    return arm


def _bone(body: Body, side: str, start: str, end: str) -> Floats:
    bone: Floats = body.point(f"{side}_{end}") - body.point(f"{side}_{start}")
    return bone
