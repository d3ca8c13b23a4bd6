"""Shoulders, hips and trunk against the board and the vertical."""

from __future__ import annotations

from pose_service.contract.engine import Floats
from pose_service.measuring.body import Body
from pose_service.measuring.geometry import UP, angle, elevation, lean, length, turn, wrap


def trunk_lean(body: Body) -> float:
    """Degrees between the trunk and the vertical, in any direction: 0-180."""
    return angle(_trunk(body), UP)


def trunk_lean_along_board(body: Body) -> float:
    """Degrees, + towards the front foot."""
    return lean(_trunk(body), body.along_board())


def trunk_lean_toe_side(body: Body) -> float:
    """Degrees, + towards the toes, - towards the heels."""
    return lean(_trunk(body), body.toe_side())


def shoulder_rotation(body: Body) -> float:
    """Degrees from the board to the shoulders, + counter-clockwise seen from above, 0 in line with the board."""
    return turn(body.along_board(), body.across("shoulder"))


def hip_rotation(body: Body) -> float:
    """Degrees from the board to the hips, as for the shoulders."""
    return turn(body.along_board(), body.across("hip"))


def shoulder_hip_separation(body: Body) -> float:
    """Degrees by which the shoulders are wound up against the hips, -180 to 180."""
    return wrap(shoulder_rotation(body) - hip_rotation(body))


def shoulder_tilt(body: Body) -> float:
    """Degrees by which the front shoulder is higher than the board's direction gives: 0 is parallel to the slope."""
    return elevation(body.across("shoulder")) - elevation(body.along_board())


def hip_tilt(body: Body) -> float:
    """Degrees, as for the shoulders."""
    return elevation(body.across("hip")) - elevation(body.along_board())


def stance_width(body: Body) -> float:
    """Distance of the ankles in shoulder widths."""
    return length(body.across("ankle")) / length(body.across("shoulder"))


def _trunk(body: Body) -> Floats:
    trunk: Floats = body.middle("shoulder") - body.middle("hip")
    return trunk
