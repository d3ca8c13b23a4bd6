"""How likely a sighting is a person: what all passes say of it, as one number that means something.

Logistic regressions on 271 sightings in 189 public photos with human labels; of those with 0.5 to 0.8 two of three
are people, of those with more than 0.8 nine of ten. The benchmark `pose-photos` measures it again.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Optional

import numpy as np

from pose_service.contract import coco
from pose_service.contract.engine import Floats, Person
from pose_service.contract.sighting import HIPS, SHOULDERS, Sighting

# Shoulders, hips and knees: the parts that both skeletons place well.
COMPARED = [*SHOULDERS, *HIPS, *(coco.NAMES.index(f"{side}_knee") for side in ("left", "right"))]
SHORTEST_TRUNK_PIXELS = 8.0
FARTHEST_TRUNKS = 2.0
# Whoever is cut off or hidden shows a few points all the same; nobody shows none.
CLEAREST_POINTS = 4


def chance(sighting: Sighting) -> float:
    """0-1, of the sighting alone: is it worth to be looked at by the keypoint model?"""
    clearest = float(np.sort(sighting.confidence)[-CLEAREST_POINTS:].mean())
    return _share(0.89 * _log_odds(sighting) + 7.53 * clearest - 1.84)


def likelihood(sighting: Sighting, placed: Optional[Person]) -> float:
    """0-1, without a mirror image. placed: what the keypoint model sees in the region; None when it denies a person."""
    if placed is None:
        return _share(1.30 + 1.22 * _log_odds(sighting))
    total = 1.52 + 1.42 * _log_odds(sighting)
    return _share(total - 2.48 * distance_trunks(sighting, placed) + 3.39 * float(placed.confidence.mean()))


def likelihood_with_mirror(sighting: Sighting, placed: Person, mirror: Optional[Person]) -> float:
    """The same when the mirror image was looked at too; None when the person is denied there."""
    total = 1.77 + 1.22 * _log_odds(sighting)
    total += 3.17 * float(placed.confidence.mean()) - 1.21 * distance_trunks(sighting, placed)
    if mirror is None:
        return _share(total - 3.06)
    return _share(total - 4.01 * min(FARTHEST_TRUNKS, distance_in_trunks(seventeen(placed), seventeen(mirror))))


def distance_trunks(sighting: Sighting, placed: Person) -> float:
    """Median distance of shoulders, hips and knees between the two, in lengths of the trunk, at most 2."""
    return min(FARTHEST_TRUNKS, distance_in_trunks(sighting.keypoints, seventeen(placed)))


def distance_in_trunks(first: Floats, second: Floats) -> float:
    """The same of two sets of points (17, 2); the trunk is that of the first."""
    distances = np.linalg.norm(first[COMPARED] - second[COMPARED], axis=1)
    return float(np.median(distances)) / trunk_pixels(first)


def trunk_pixels(keypoints: Floats) -> float:
    """Mean of the two diagonals from shoulder to opposite hip of (17, 2), at least SHORTEST_TRUNK_PIXELS."""
    diagonals = np.linalg.norm(keypoints[SHOULDERS] - keypoints[HIPS[::-1]], axis=1)
    return max(SHORTEST_TRUNK_PIXELS, float(diagonals.mean()))


def seventeen(person: Person) -> Floats:
    """COCO's points (17, 2) of a skeleton that has them all."""
    points: Floats = person.keypoints[_rows(person.names)]
    return points


@lru_cache(maxsize=8)
def _rows(names: tuple[str, ...]) -> list[int]:
    return [names.index(name) for name in coco.NAMES]


def _log_odds(sighting: Sighting) -> float:
    score = min(max(sighting.score, 1e-3), 1 - 1e-3)
    return math.log(score / (1 - score))


def _share(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))
