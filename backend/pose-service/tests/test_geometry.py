"""Angles between points."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pose_service.contract.engine import Floats
from pose_service.measuring.geometry import CoincidingPointsError, angle, elevation, flexion, lean, turn, unit, wrap

coordinates = st.floats(-2, 2).map(lambda value: round(value, 3))
RIGHT, AWAY, DOWN = np.eye(3)[[0, 2, 1]]


def test_nothing_has_no_direction() -> None:
    for compute in (lambda: angle(np.zeros(3), RIGHT), lambda: unit(np.zeros(3)), lambda: lean(np.zeros(3), RIGHT)):
        with pytest.raises(CoincidingPointsError, match="coincide"):
            compute()
    with pytest.raises(CoincidingPointsError, match="above each other"):
        turn(DOWN, RIGHT)


def test_directions_of_the_camera_frame() -> None:
    assert turn(RIGHT, AWAY) == pytest.approx(90)
    assert elevation(-DOWN) == pytest.approx(90)
    assert lean(RIGHT - DOWN, RIGHT) == pytest.approx(45)
    assert lean(DOWN, RIGHT) == pytest.approx(180)


@given(hnp.arrays(np.float64, (3, 3), elements=coordinates))
def test_flexion_does_not_depend_on_the_direction_of_reading(points: Floats) -> None:
    first, joint, last = points
    if min(np.linalg.norm(first - joint), np.linalg.norm(last - joint)) < 1e-6:
        return
    assert flexion(first, joint, last) == pytest.approx(flexion(last, joint, first), abs=1e-9)


@given(st.floats(0, 180), st.floats(0.1, 3))
def test_angle_recovers_a_known_angle(degrees: float, length: float) -> None:
    turned = np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), 0.0]) * length
    assert angle(RIGHT, turned) == pytest.approx(degrees, abs=1e-6)


@given(st.floats(-180, 179.9), st.integers(-3, 3))
def test_wrap_takes_whole_turns_away(degrees: float, turns: int) -> None:
    assert wrap(degrees + 360 * turns) == pytest.approx(degrees, abs=1e-6)
