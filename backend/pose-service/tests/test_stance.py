"""Which foot is in front."""

from __future__ import annotations

import numpy as np
import pytest
from bodies import mirrored, person, posture, turned

from pose_service.contract.blazepose import NAMES
from pose_service.contract.engine import Person
from pose_service.measuring.stance import choose_stance, gaze


def looking(degrees: float) -> Person:
    """The head turned, + counter-clockwise from above; straight is to the camera, across the board."""
    standing = posture()
    head = np.array([[name in ("nose", "left_ear", "right_ear")] for name in NAMES])
    return person(np.where(head, turned(standing.world, degrees), standing.world))


@pytest.mark.parametrize(("degrees", "expected"), [(90, 1.0), (-90, -1.0), (0, 0.0), (180, 0.0), (30, 0.5)])
def test_gaze_is_how_far_the_head_turns_to_the_left_foot(degrees: float, expected: float) -> None:
    assert gaze(looking(degrees)) == pytest.approx(expected, abs=1e-9)


def test_gaze_in_the_mirror_is_the_opposite() -> None:
    assert gaze(mirrored(looking(60))) == pytest.approx(-(gaze(looking(60)) or 0))


def test_riders_look_over_the_front_foot() -> None:
    for degrees, name in ((70, "regular"), (-70, "goofy")):
        stance = choose_stance("auto", [gaze(looking(degrees))])
        assert (stance.name, stance.source) == (name, "guessed")


def test_a_head_that_tells_nothing_leaves_the_common_stance() -> None:
    hidden = person(posture().world, confidence=0.4)
    for gazes in ([], [gaze(hidden)], [gaze(looking(0))], [0.9, -0.9]):
        stance = choose_stance("auto", gazes)
        assert (stance.name, stance.source, stance.front) == ("regular", "assumed", "left")
        assert "send stance=" in stance.assumption


@pytest.mark.parametrize(("name", "front"), [("regular", "left"), ("goofy", "right")])
def test_a_given_stance_is_taken(name: str, front: str) -> None:
    stance = choose_stance(name, [-1.0, 1.0])
    assert (stance.name, stance.source, stance.front) == (name, "given", front)
