"""Where the mass is."""

from __future__ import annotations

import numpy as np
import pytest
from bodies import STANDING, moved, person, posture, world_of

from pose_service.contract.blazepose import NAMES
from pose_service.measuring.body import Body
from pose_service.measuring.body_mass import HEAD_PERCENT, LIMBS, TRUNK_PERCENT, center_of_mass, moment_of_inertia


def test_the_shares_are_those_of_a_whole_man() -> None:
    assert HEAD_PERCENT + TRUNK_PERCENT + 2 * sum(limb.percent for limb in LIMBS) == pytest.approx(100, abs=1)


def test_a_body_that_is_symmetric_has_its_mass_in_the_middle() -> None:
    x, y, z = center_of_mass(Body(posture()))
    assert x == pytest.approx(0, abs=1e-9)
    assert z == pytest.approx(0, abs=1e-9)
    # A standing man's mass is a little above his hips.
    assert -0.2 < y < 0


def test_it_moves_with_the_body() -> None:
    shift = np.array([0.3, -1.0, 2.0])
    before, after = (center_of_mass(Body(each)) for each in (posture(), person(world_of(STANDING) + shift)))
    assert after - before == pytest.approx(shift)


def test_one_part_counts_by_its_share() -> None:
    ears = [name for name in NAMES if "ear" in name]
    before, after = (center_of_mass(Body(each)) for each in (posture(), moved(posture(), (0, 0, 1), ears)))
    assert (after - before)[2] == pytest.approx(HEAD_PERCENT / 100.7, rel=0.01)


def test_arms_held_out_make_a_body_slower_to_turn() -> None:
    tucked = {f"{side}_{part}": (0.0, 0.1, 0.0) for side in ("left", "right") for part in ("elbow", "wrist", "index")}
    out = moment_of_inertia(
        Body(posture(left_elbow=(0.5, -0.5, 0), left_wrist=(0.8, -0.5, 0), left_index=(0.9, -0.5, 0)))
    )
    assert moment_of_inertia(Body(posture(**tucked))) < moment_of_inertia(Body(posture())) < out


def test_a_body_on_one_line_has_no_inertia_about_it() -> None:
    world = world_of(STANDING) * (0, 1, 0)
    assert moment_of_inertia(Body(person(world))) == pytest.approx(0, abs=1e-12)
