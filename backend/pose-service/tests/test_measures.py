"""Measures: known postures, and properties that hold for all."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from bodies import GOOFY, REGULAR, STANDING, mirrored, moved, person, posture, turned, world_of
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pose_service.contract.blazepose import NAMES
from pose_service.contract.engine import Floats, Person
from pose_service.measuring.geometry import wrap
from pose_service.measuring.measures import (
    ASSUMPTIONS,
    CIRCULAR,
    LOW_CONFIDENCE,
    MEASURES,
    assumptions,
    compute,
    measure,
)
from pose_service.measuring.stance import Stance

UPPER_BODY = tuple(name for name in NAMES if not any(part in name for part in ("hip", "knee", "ankle", "heel", "foot")))
SHOULDERS, HIPS = ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")
OF_TURNING = ("shoulder_rotation", "hip_rotation", "shoulder_hip_separation")
jitter = hnp.arrays(np.float64, (33, 3), elements=st.floats(-0.05, 0.05).map(lambda value: round(value, 3)))
anything = hnp.arrays(np.float64, (33, 3), elements=st.floats(-2, 2).map(lambda value: round(value, 3)))
riders = jitter.map(lambda noise: person(world_of(STANDING) + noise))


def values(of: Person, stance: Stance = REGULAR) -> dict[str, float]:
    found = {name: outcome.value for name, outcome in compute(of, stance).items()}
    assert all(value is not None for value in found.values()), found
    return {name: value for name, value in found.items() if value is not None}


def assert_same(first: dict[str, float], second: dict[str, float], abs_error: float = 1e-4) -> None:
    assert first.keys() == second.keys()
    for name, value in first.items():
        difference = second[name] - value
        assert abs(wrap(difference) if name in CIRCULAR else difference) < abs_error, name


def test_standing_straight() -> None:
    expected = dict.fromkeys(MEASURES, 0.0)
    expected |= {"stance_width": 1.25, "fore_aft_balance": 0.5}
    found = values(posture())
    # Neither is nought on a straight body, and both have tests of their own.
    for name in ("hip_flexion_left", "hip_flexion_right", "center_of_mass_height"):
        expected[name] = found[name]
    for side in ("left", "right"):
        expected[f"ankle_dorsiflexion_{side}"] = found[f"ankle_dorsiflexion_{side}"]
    assert found == pytest.approx(expected, abs=1e-6)


def test_sitting_bends_hip_and_knee_of_one_side_by_a_right_angle() -> None:
    hip, depth = STANDING["left_hip"], -0.45
    sitting = posture(
        left_shoulder=(hip[0], -0.5, 0.0), left_knee=(hip[0], 0.0, depth), left_ankle=(hip[0], 0.45, depth)
    )
    found = values(sitting)
    assert found["knee_flexion_left"] == pytest.approx(90)
    assert found["hip_flexion_left"] == pytest.approx(90)
    assert found["flexion_asymmetry"] == pytest.approx(90)
    assert values(sitting, GOOFY)["flexion_asymmetry"] == pytest.approx(-90)


@pytest.mark.parametrize("degrees", [0, 10, 35])
def test_ankle_dorsiflexion_is_the_lean_of_the_shin_over_the_foot(degrees: float) -> None:
    x, y, z = 0.25, 0.9, 0.0
    knee = (x, y - 0.4 * math.cos(math.radians(degrees)), z - 0.4 * math.sin(math.radians(degrees)))
    found = values(posture(left_ankle=(x, y, z), left_foot_index=(x, y, z - 0.2), left_knee=knee))
    assert found["ankle_dorsiflexion_left"] == pytest.approx(degrees)


@pytest.mark.parametrize(("x", "z"), [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_trunk_lean_in_each_direction(x: int, z: int) -> None:
    tilt = 0.5 * math.tan(math.radians(30))
    found = values(moved(posture(), (x * tilt, 0, z * tilt), SHOULDERS))
    assert found["trunk_lean"] == pytest.approx(30)
    # The left foot is in front, at larger x; the toes point to smaller z.
    assert found["trunk_lean_along_board"] == pytest.approx(30 * x, abs=1e-6)
    assert found["trunk_lean_toe_side"] == pytest.approx(-30 * z, abs=1e-6)


@pytest.mark.parametrize("degrees", [-170, -40, 25, 90])
def test_turned_shoulders_are_wound_up_against_the_hips(degrees: float) -> None:
    standing = posture()
    upper = np.array([[name in UPPER_BODY] for name in NAMES])
    found = values(person(np.where(upper, turned(standing.world, degrees), standing.world)))
    assert found["shoulder_rotation"] == pytest.approx(degrees)
    assert found["hip_rotation"] == pytest.approx(0, abs=1e-6)
    assert found["shoulder_hip_separation"] == pytest.approx(degrees)


def test_turned_to_the_camera_counts_counter_clockwise_from_above() -> None:
    """Seen from above, the front shoulder at the right goes away from the camera: counter-clockwise."""
    found = values(moved(moved(posture(), (0, 0, 0.2), SHOULDERS[:1]), (0, 0, -0.2), SHOULDERS[1:]))
    assert found["shoulder_rotation"] == pytest.approx(45)


@pytest.mark.parametrize(("points", "name"), [(SHOULDERS, "shoulder_tilt"), (HIPS, "hip_tilt")])
def test_tilt_is_that_of_the_line_against_the_board(points: tuple[str, str], name: str) -> None:
    width = STANDING[points[0]][0]
    raised = moved(posture(), (0, -2 * width * math.tan(math.radians(20)), 0), points[:1])
    assert values(raised)[name] == pytest.approx(20)


def test_a_rider_upright_to_a_slope_has_no_tilt() -> None:
    found = values(person(turned(world_of(STANDING), 15, axis=2)))
    assert found["shoulder_tilt"] == pytest.approx(0, abs=1e-6)
    assert found["hip_tilt"] == pytest.approx(0, abs=1e-6)
    assert found["trunk_lean"] == pytest.approx(15)


@pytest.mark.parametrize(("shift", "expected"), [(-0.25, 0.0), (0.0, 0.5), (0.25, 1.0)])
def test_balance_is_where_the_mass_is_between_the_feet(shift: float, expected: float) -> None:
    feet = [name for name in NAMES if any(part in name for part in ("ankle", "heel", "foot"))]
    standing = posture()
    # The feet are moved under the body, and the feet's own mass with them.
    found = values(moved(standing, (-shift, 0, 0), feet))
    feet_share = 2 * 1.43 + 2 * 4.75 * 0.434
    assert found["fore_aft_balance"] == pytest.approx(expected - shift / 0.5 * feet_share / 100.7, abs=0.001)


@pytest.mark.parametrize("degrees", [-25, 10, 40])
def test_leaning_as_a_whole_is_inclination_and_edge_without_angulation(degrees: float) -> None:
    """Turned about the board, which lies along x: toes down when the body leans to the toes, at smaller z."""
    on_ankles = world_of(STANDING) - (0, 0.9, 0)
    found = values(person(turned(on_ankles, -degrees, axis=0)))
    assert found["inclination"] == pytest.approx(degrees, abs=1e-6)
    assert found["edge_angle_proxy_left"] == pytest.approx(degrees)
    assert found["edge_angle_proxy_right"] == pytest.approx(degrees)
    assert found["angulation"] == pytest.approx(0, abs=1e-6)


def test_sole_with_two_toes_is_a_plane() -> None:
    names = tuple(
        {"left_foot_index": "left_big_toe", "right_foot_index": "right_big_toe"}.get(each, each) for each in NAMES
    )
    small = np.array([[0.3, 0.95, -0.08], [-0.3, 0.95, -0.08]])
    world = np.vstack([world_of(STANDING), small]) - (0, 0.95, 0)
    tilted = person(turned(world, -20, axis=0), names=(*names, "left_small_toe", "right_small_toe"))
    found = measure(tilted, REGULAR)["edge_angle_proxy_left"]
    assert found["value"] == 20
    assert "left_small_toe" in found["points"]
    assert "left_big_toe" in found["points"]


def test_crouching_lowers_the_mass() -> None:
    """The hips go down by 0.3 m and the knees forward, so that thigh and shin keep their lengths."""
    shin = math.hypot(0.065, 0.45)
    forward = math.sqrt(shin**2 - 0.065**2 - 0.3**2)
    knees = {"left_knee": (0.185, 0.6, -forward), "right_knee": (-0.185, 0.6, -forward)}
    crouched = moved(posture(**knees), (0, 0.3, 0), HIPS + UPPER_BODY)
    high, low = (values(each)["center_of_mass_height"] for each in (posture(), crouched))
    assert 0.7 * 0.3 < (high - low) * 2 * shin < 0.3


@given(riders, st.floats(-180, 180), hnp.arrays(np.float64, 3, elements=st.floats(-5, 5)), st.floats(0.2, 5))
def test_turned_about_the_vertical_moved_and_scaled_they_stay(
    rider: Person, degrees: float, shift: Floats, scale: float
) -> None:
    assert_same(values(rider), values(person(turned(rider.world, degrees) * scale + shift)))


@given(riders)
def test_a_goofy_rider_is_a_regular_one_in_the_mirror(rider: Person) -> None:
    expected = values(rider)
    for name in OF_TURNING:
        expected[name] = -expected[name]
    swapped = {name: expected[_other_side(name)] for name in expected}
    assert_same(swapped, values(mirrored(rider), GOOFY))


@given(anything)
def test_every_posture_gives_a_value_in_range_or_a_reason(world: Floats) -> None:
    for name, item in measure(person(world), REGULAR).items():
        if item["value"] is None:
            assert item["reason"]
        else:
            assert math.isfinite(item["value"])
            assert item["unit"] != "degrees" or -360 <= item["value"] <= 360, name


def test_each_measure_says_what_it_is_made_of() -> None:
    for name, item in measure(posture(), REGULAR).items():
        assert item["unit"] == MEASURES[name].unit
        assert set(item["points"]) <= set(NAMES)
        assert 0 < item["confidence"] <= 1
        assert isinstance(item["value"], int) == (item["unit"] == "degrees")


def test_hidden_points_give_null_with_the_point_named() -> None:
    for item in measure(person(np.zeros((33, 3)), confidence=0.49), REGULAR).values():
        assert item["value"] is None
        assert "confidence 0.49 < 0.5" in item["reason"]


def test_one_hidden_ankle_hides_only_what_needs_it() -> None:
    standing = posture()
    standing.confidence[NAMES.index("left_ankle")] = 0.2
    for item in measure(standing, REGULAR).values():
        assert (item["value"] is None) == ("left_ankle" in item["points"])


def test_confidence_is_that_of_the_weakest_point_and_low_for_boots_and_board() -> None:
    standing = posture()
    standing.confidence[NAMES.index("left_knee")] = 0.7
    found = measure(standing, REGULAR)
    assert found["knee_flexion_left"]["confidence"] == 0.7
    assert found["knee_flexion_right"]["confidence"] == 1.0
    for name in ("ankle_dorsiflexion_right", "edge_angle_proxy_left", "angulation"):
        assert found[name]["confidence"] == LOW_CONFIDENCE


def test_coinciding_points_give_null_with_a_reason() -> None:
    for item in measure(person(np.zeros((33, 3))), REGULAR).values():
        assert item["value"] is None
        assert item["reason"] == "two of its points coincide"


def test_a_skeleton_without_feet_says_so() -> None:
    short = NAMES[: NAMES.index("left_heel")]
    found = measure(person(world_of(STANDING)[: len(short)], names=short), REGULAR)
    assert "skeleton has no left_heel" in found["edge_angle_proxy_left"]["reason"]
    assert found["knee_flexion_left"]["value"] is not None


def test_assumptions_name_the_stance_and_where_it_comes_from() -> None:
    assert assumptions(GOOFY)[0] == "camera level"
    assert "stance=goofy (given)" in assumptions(GOOFY)
    assert set(ASSUMPTIONS) < set(assumptions(GOOFY))


def _other_side(name: str) -> str:
    if name.endswith("_left"):
        return name[: -len("left")] + "right"
    return name[: -len("right")] + "left" if name.endswith("_right") else name


def test_two_estimates_that_differ_state_an_error_and_a_doubtful_person_states_none() -> None:
    straight, bent = posture(), posture(left_ankle=(0.185, 0.45 + 0.45, 0.3))
    views = (straight.world, bent.world)
    rider = replace(straight, world=(straight.world + bent.world) / 2, views=views)
    knees = [compute(person(view), REGULAR)["knee_flexion_left"].value for view in views]
    assert knees[0] is not None
    assert knees[1] is not None
    error = compute(rider, REGULAR)["knee_flexion_left"].error
    assert error == pytest.approx(4 + abs(knees[0] - knees[1]) / 2)
    assert compute(rider, REGULAR)["knee_flexion_right"].error == pytest.approx(4)
    assert compute(replace(rider, score=0.7), REGULAR)["knee_flexion_left"].error is None
    assert compute(straight, REGULAR)["knee_flexion_left"].error is None


def test_without_depth_every_measure_has_that_reason() -> None:
    plain = replace(posture(), world=np.empty((0, 3)))
    outcomes = compute(plain, REGULAR).values()
    assert {each.value for each in outcomes} == {None}
    assert all("no depth" in each.reason and each.points for each in outcomes)
