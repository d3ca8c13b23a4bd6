"""Measures: known postures, and properties that hold for all."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pose_service.blazepose import NAMES, SKELETON
from pose_service.engine import Floats, Person
from pose_service.measures import MEASURES, CoincidingPointsError, angle, flexion, measure

STANDING = {
    "left_shoulder": (0.2, -0.5, 0.0),
    "right_shoulder": (-0.2, -0.5, 0.0),
    "left_hip": (0.1, 0.0, 0.0),
    "right_hip": (-0.1, 0.0, 0.0),
    "left_knee": (0.1, 0.45, 0.0),
    "right_knee": (-0.1, 0.45, 0.0),
    "left_ankle": (0.1, 0.9, 0.0),
    "right_ankle": (-0.1, 0.9, 0.0),
}
coordinates = st.floats(-2, 2, allow_nan=False).map(lambda value: round(value, 3))
worlds = hnp.arrays(np.float64, (33, 3), elements=coordinates)


def person(world: Floats, confidence: float = 1.0) -> Person:
    return Person(
        box=np.zeros(4),
        score=1.0,
        skeleton=SKELETON,
        names=NAMES,
        keypoints=np.zeros((33, 2)),
        confidence=np.full(33, confidence),
        world=world,
    )


def posture(**changes: tuple[float, float, float]) -> Person:
    points = {**STANDING, **changes}
    return person(np.array([points.get(name, (0.0, 0.0, 0.0)) for name in NAMES]))


def values(of: Person) -> dict[str, object]:
    return {name: item["value"] for name, item in measure(of).items()}


def test_standing_straight() -> None:
    assert values(posture()) == {
        "knee_flexion_left": 0,
        "knee_flexion_right": 0,
        "hip_flexion_left": pytest.approx(11, abs=1),
        "hip_flexion_right": pytest.approx(11, abs=1),
        "trunk_lean": 0,
        "stance_width": 0.5,
    }


def test_sitting_bends_hip_and_knee_of_one_side_by_a_right_angle() -> None:
    sitting = posture(left_shoulder=(0.1, -0.5, 0.0), left_knee=(0.1, 0.0, -0.45), left_ankle=(0.1, 0.45, -0.45))
    found = values(sitting)
    assert (found["hip_flexion_left"], found["knee_flexion_left"], found["knee_flexion_right"]) == (90, 90, 0)


@pytest.mark.parametrize(("x", "z"), [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_trunk_lean_is_the_angle_from_vertical_in_any_direction(x: int, z: int) -> None:
    tilt = 0.5 * math.tan(math.radians(30))
    leaning = posture(left_shoulder=(0.2 + x * tilt, -0.5, z * tilt), right_shoulder=(-0.2 + x * tilt, -0.5, z * tilt))
    assert values(leaning)["trunk_lean"] == 30


def test_units_and_whole_degrees() -> None:
    for name, item in measure(posture()).items():
        assert item["unit"] == ("shoulder widths" if name == "stance_width" else "degrees")
        assert name == "stance_width" or isinstance(item["value"], int)


def test_hidden_points_give_null_with_the_point_named() -> None:
    for item in measure(person(np.zeros((33, 3)), confidence=0.49)).values():
        assert item["value"] is None
        assert "confidence 0.49 < 0.5" in str(item["reason"])


def test_one_hidden_ankle_hides_only_its_own_measures() -> None:
    standing = posture()
    standing.confidence[NAMES.index("left_ankle")] = 0.2
    missing = {name for name, value in values(standing).items() if value is None}
    assert missing == {"knee_flexion_left", "stance_width"}


def test_coinciding_points_give_null_with_a_reason() -> None:
    for item in measure(person(np.zeros((33, 3)))).values():
        assert item == {"value": None, "reason": "two of its points coincide"}


def test_angle_of_nothing_is_refused() -> None:
    with pytest.raises(CoincidingPointsError):
        angle(np.zeros(3), np.ones(3))


@given(worlds)
def test_values_are_in_range(world: Floats) -> None:
    for name, item in measure(person(world)).items():
        value = item["value"]
        if value is None:
            assert item["reason"]
        else:
            assert isinstance(value, (int, float))
            assert 0 <= value <= (180 if MEASURES[name].unit == "degrees" else float("inf"))


@given(worlds, hnp.arrays(np.float64, 3, elements=coordinates), st.floats(0.2, 5))
def test_angles_ignore_where_the_person_is_and_how_large(world: Floats, shift: Floats, scale: float) -> None:
    points, moved = dict(zip(NAMES, world)), dict(zip(NAMES, world * scale + shift))
    for item in MEASURES.values():
        try:
            before = item.compute(points)
        except CoincidingPointsError:
            continue
        assert item.compute(moved) == pytest.approx(before, abs=1e-3, rel=1e-6)


@given(hnp.arrays(np.float64, (3, 3), elements=coordinates))
def test_flexion_does_not_depend_on_the_direction_of_reading(points: Floats) -> None:
    first, joint, last = points
    if min(np.linalg.norm(first - joint), np.linalg.norm(last - joint)) < 1e-6:
        return
    assert flexion(first, joint, last) == pytest.approx(flexion(last, joint, first), abs=1e-9)


@given(st.floats(0, 180), st.floats(0.1, 3))
def test_angle_recovers_a_known_angle(degrees: float, length: float) -> None:
    turned = np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), 0.0]) * length
    assert angle(np.array([1.0, 0.0, 0.0]), turned) == pytest.approx(degrees, abs=1e-6)
