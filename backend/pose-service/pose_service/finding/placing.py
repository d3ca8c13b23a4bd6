"""From a sighting to a person: the keypoint model's points, or the detector's own where the two disagree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional

import numpy as np

from pose_service.contract import coco
from pose_service.contract.engine import Floats, Person, Pixels
from pose_service.contract.region import Region
from pose_service.contract.region_engine import RegionEngine, RegionEstimate
from pose_service.contract.sighting import Sighting
from pose_service.finding.likelihood import distance_trunks, likelihood, likelihood_with_mirror
from pose_service.finding.mirror_image import estimate_mirror_image, merge_views

# Further apart than this the two models mean different bodies, and the detector is right more often.
AGREEMENT_TRUNKS = 0.6
# The box of a person with 17 points goes around those of at least this confidence.
IN_THE_BOX = 0.3


@dataclass
class Passes:
    """How often a model ran, and may run."""

    most: int
    count: int = 0

    @property
    def is_left(self) -> bool:
        """May another one run?"""
        return self.count < self.most

    def take(self) -> None:
        """One more."""
        self.count += 1


def place(
    engine: RegionEngine, rgb: Pixels, sighting: Sighting, min_score: float, passes: Passes
) -> RegionEstimate | None:
    """The person, with the likelihood as score, or None when it is below `min_score`; two passes at most.

    Raises EngineFailedError.
    """
    passes.take()
    found = engine.estimate_region(rgb, sighting.region)
    if found is None:
        return _scored(seen_only(sighting, rgb), likelihood(sighting, None), sighting.region, min_score)
    best = likelihood_with_mirror(sighting, found.person, found.person)
    if best < min_score or not passes.is_left:
        return _scored(found.person, likelihood(sighting, found.person), found.region, min_score)
    passes.take()
    mirror = estimate_mirror_image(engine, rgb, sighting.region)
    score = likelihood_with_mirror(sighting, found.person, mirror)
    if distance_trunks(sighting, found.person) >= AGREEMENT_TRUNKS:
        return _scored(seen_only(sighting, rgb), score, sighting.region, min_score)
    person = found.person if mirror is None else merge_views(found.person, mirror)
    return _scored(person, score, found.region, min_score)


def place_again(
    engine: RegionEngine, rgb: Pixels, region: Region, sighting: Optional[Sighting]
) -> RegionEstimate | None:
    """Somebody who is followed, one pass: in the sighting's region, or without one where the frame before left off.

    The score is the likelihood of the sighting. None when nobody is there. Raises EngineFailedError.
    """
    found = engine.estimate_region(rgb, region)
    if sighting is None:
        return found
    if found is None or distance_trunks(sighting, found.person) >= AGREEMENT_TRUNKS:
        person = None if found is None else found.person
        return _scored(seen_only(sighting, rgb), likelihood(sighting, person), region, 0.0)
    return _scored(found.person, likelihood(sighting, found.person), found.region, 0.0)


def seen_only(sighting: Sighting, rgb: Pixels) -> Person:
    """A person with the detector's 17 points and no depth."""
    return Person(
        box=_box(sighting, np.array([rgb.shape[1], rgb.shape[0]])),
        score=sighting.score,
        skeleton=coco.SKELETON,
        names=coco.NAMES,
        keypoints=sighting.keypoints,
        confidence=sighting.confidence,
        world=np.empty((0, 3)),
    )


def _scored(person: Person, score: float, region: Region, min_score: float) -> Optional[RegionEstimate]:
    return RegionEstimate(replace(person, score=score), region) if score >= min_score else None


def _box(sighting: Sighting, size: Floats) -> Floats:
    seen = sighting.keypoints[sighting.confidence >= IN_THE_BOX]
    points = seen if len(seen) > 1 else sighting.keypoints
    box: Floats = np.clip([points.min(axis=0), points.max(axis=0)], 0, size).reshape(4)
    return box
