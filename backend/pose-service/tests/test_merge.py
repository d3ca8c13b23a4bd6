"""Who was found twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bodies import posture

from pose_service.contract.engine import Person
from pose_service.contract.region import Detection, Region
from pose_service.finding.merge import is_same_person, overlap, shows_head

REGION = Region(0, 0, 100, 0)


def placed(x: float, y: float = 0.0, size: float = 1.0) -> Person:
    standing = posture()
    shift = np.array([x, y])
    corners = np.concatenate([shift, shift])
    return replace(standing, keypoints=standing.keypoints * size + shift, box=standing.box * size + corners)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),
    ],
)
def test_overlap(first: tuple[float, ...], second: tuple[float, ...], expected: float) -> None:
    assert overlap(np.array(first, float), np.array(second, float)) == pytest.approx(expected)


def test_the_same_person_again_with_jitter_is_the_same() -> None:
    again = placed(3, -2, 1.02)
    assert is_same_person(placed(0), again)
    # One estimate shows the legs, the other one does not.
    half = replace(again, box=np.array([*again.box[:3], (again.box[1] + again.box[3]) / 2]))
    assert is_same_person(placed(0), half)


def test_neighbours_are_two_people_even_when_they_overlap() -> None:
    width = placed(0).box[2] - placed(0).box[0]
    assert not is_same_person(placed(0), placed(0.6 * width))
    assert not is_same_person(placed(0), placed(3 * width))


def test_a_child_in_front_of_an_adult_is_somebody_else() -> None:
    adult = placed(0)
    middle = (adult.box[:2] + adult.box[2:]) / 2
    child = placed(*(middle - 0.25 * (adult.box[:2] + adult.box[2:])), 0.5)
    assert not is_same_person(child, adult)


def test_keypoints_belong_to_the_head_that_was_detected() -> None:
    person = placed(0)
    x, y = person.keypoints[person.names.index("nose")].tolist()
    for shift, expected in ((0, True), (30, True), (200, False)):
        head = np.array([x - 20 + shift, y - 20, x + 20 + shift, y + 20])
        assert shows_head(person, Detection(0.9, head, REGION)) == expected
