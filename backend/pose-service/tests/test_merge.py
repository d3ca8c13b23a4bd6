"""Who was found twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bodies import posture

from pose_service.contract.engine import Person
from pose_service.contract.region import Detection, Region
from pose_service.finding.merge import best_score, group_detections, is_same_person, overlap, shows_head

REGION = Region(0, 0, 100, 0)


def detection(x: float, score: float, side: float = 40) -> Detection:
    return Detection(score, np.array([x, 0, x + side, side], float), REGION)


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


def test_one_head_in_two_tiles_is_one_group_with_the_best_score_first() -> None:
    groups = group_detections([detection(0, 0.6), detection(200, 0.7), detection(4, 0.9)])
    assert [[item.score for item in group] for group in groups] == [[0.9, 0.6], [0.7]]
    assert best_score(groups[0]) == 0.9


def test_of_equal_scores_the_coarser_tile_stays_first() -> None:
    ((first, second),) = group_detections([detection(0, 0.80), detection(2, 0.84)])
    assert (first.score, second.score) == (0.80, 0.84)


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


def test_a_child_in_front_of_an_adult_is_somebody_and_a_speck_is_not() -> None:
    adult = placed(0)
    middle = (adult.box[:2] + adult.box[2:]) / 2
    child, speck = (placed(*(middle - 0.5 * size * (adult.box[:2] + adult.box[2:])), size) for size in (0.5, 0.1))
    assert not is_same_person(adult, child)
    assert is_same_person(adult, speck)


def test_keypoints_belong_to_the_head_that_was_detected() -> None:
    person = placed(0)
    x, y = person.keypoints[person.names.index("nose")].tolist()
    for shift, expected in ((0, True), (30, True), (200, False)):
        head = np.array([x - 20 + shift, y - 20, x + 20 + shift, y + 20])
        assert shows_head(person, Detection(0.9, head, REGION)) == expected
