"""Who was found twice: the same person seen in two overlapping tiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pose_service.contract.engine import Floats, Person
from pose_service.contract.region import Detection

# Two heads never share a third of their area; one head in two tiles shares most of it.
SAME_HEAD = 0.3
# The detector's box is not centred on the nose: on the test photo the nose is just above it.
NEAR_HEAD = 1.0
# Keypoints of two estimates of one person differ by a few percent of the box; of two people by far more.
SAME_KEYPOINTS = 0.1
# A neck ring or a glove is taken for a head now and then; a child in front of an adult is larger than that.
PART_OF_A_PERSON = 0.15
VISIBLE = 0.5


def group_detections(found: Sequence[Detection]) -> list[list[Detection]]:
    """Detections of the same head together, best score first inside a group and among the groups.

    Scores within a tenth count as equal, and then what was found first, in the coarser tile, stays first.
    """
    groups: list[list[Detection]] = []
    for detection in found:
        group = next((each for each in groups if overlap(each[0].head, detection.head) > SAME_HEAD), None)
        if group is None:
            groups.append([detection])
        else:
            group.append(detection)
    for group in groups:
        group.sort(key=lambda item: -round(item.score, 1))
    return sorted(groups, key=lambda group: -best_score(group))


def best_score(group: Sequence[Detection]) -> float:
    """0-1."""
    return max(detection.score for detection in group)


def shows_head(person: Person, detection: Detection) -> bool:
    """Is the person's nose on the head that was detected? If not, the keypoints are a neighbour's, or nobody's."""
    if "nose" not in person.names:
        return True
    nose = person.keypoints[person.names.index("nose")]
    middle, size = (detection.head[:2] + detection.head[2:]) / 2, detection.head[2:] - detection.head[:2]
    return bool((np.abs(nose - middle) <= NEAR_HEAD * size).all())


def is_same_person(first: Person, second: Person) -> bool:
    """The boxes overlap and the keypoints lie together, or one is a small part of the other.

    The overlap itself is no measure: one estimate may show the legs and the other not, and two people may embrace.
    """
    sizes = sorted((area(first.box), area(second.box)))
    if _is_inside(first.box, second.box) and sizes[0] < PART_OF_A_PERSON * sizes[1]:
        return True
    return overlap(first.box, second.box) > 0 and _keypoint_distance(first, second) < SAME_KEYPOINTS


def overlap(first: Floats, second: Floats) -> float:
    """Intersection over union of two boxes (4,) x0, y0, x1, y1; 0 for boxes without area."""
    shared = _shared_area(first, second)
    union = area(first) + area(second) - shared
    return shared / union if union > 0 else 0.0


def area(box: Floats) -> float:
    """Square pixels of a box (4,)."""
    return float(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]))


def _shared_area(first: Floats, second: Floats) -> float:
    corner, other = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    return area(np.concatenate([corner, other]))


def _is_inside(first: Floats, second: Floats) -> bool:
    smaller = min(area(first), area(second))
    return smaller > 0 and _shared_area(first, second) / smaller > 0.8


def _keypoint_distance(first: Person, second: Person) -> float:
    """Median distance of the keypoints both show, in diagonals of the larger box."""
    both = (first.confidence >= VISIBLE) & (second.confidence >= VISIBLE)
    if not both.any():
        both = np.ones(len(first.confidence), bool)
    distance = np.median(np.linalg.norm(first.keypoints[both] - second.keypoints[both], axis=1))
    diagonal = max(float(np.linalg.norm(box[2:] - box[:2])) for box in (first.box, second.box))
    return float(distance) / max(diagonal, 1e-9)
