"""Who was found twice, and whose head it is."""

from __future__ import annotations

import numpy as np

from pose_service.contract.engine import Floats, Person
from pose_service.contract.region import Detection
from pose_service.contract.sighting import SHOULDERS, Sighting
from pose_service.finding.likelihood import distance_in_trunks, seventeen, trunk_pixels

# The detector's box is not centred on the nose: on the test photo the nose is just above it.
NEAR_HEAD = 1.0
# Two estimates of one person: shoulders, hips and knees within half a trunk, or boxes that are nearly the same.
SAME_TRUNKS = 0.5
SAME_BOX = 0.6
# Nobody shares a head, wherever the two estimates put legs that cannot be seen.
SAME_HEAD_TRUNKS = 0.15
HEAD = [*range(5), *SHOULDERS]


def shows_head(person: Person, detection: Detection) -> bool:
    """Is the person's nose on the head that was detected? If not, the keypoints are a neighbour's, or nobody's."""
    if "nose" not in person.names:
        return True
    nose = person.keypoints[person.names.index("nose")]
    middle, size = (detection.head[:2] + detection.head[2:]) / 2, detection.head[2:] - detection.head[:2]
    return bool((np.abs(nose - middle) <= NEAR_HEAD * size).all())


def is_same_person(first: Person, second: Person) -> bool:
    """The joints lie together, or the heads, or the boxes do.

    Two people who embrace have boxes that overlap by less; of one person an estimate may show the legs and another not.
    """
    if overlap(first.box, second.box) > SAME_BOX:
        return True
    one, other = seventeen(first), seventeen(second)
    if distance_in_trunks(one, other) < SAME_TRUNKS:
        return True
    heads = float(np.median(np.linalg.norm(one[HEAD] - other[HEAD], axis=1)))
    return heads < SAME_HEAD_TRUNKS * min(trunk_pixels(one), trunk_pixels(other))


def is_seen_as(sighting: Sighting, person: Person) -> bool:
    """Is this sighting that person again? Told by the joints, because nothing has placed the sighting yet."""
    return distance_in_trunks(sighting.keypoints, seventeen(person)) < SAME_TRUNKS


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
