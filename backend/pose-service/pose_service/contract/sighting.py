"""A person as the detector sees one: 17 points in the image, no depth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pose_service.contract import coco
from pose_service.contract.engine import Floats
from pose_service.contract.region import MARGIN, Region

# Points that count for the size of the body.
SEEN = 0.2
# Of the reach from the hips: fingers, toes and the top of the head lie beyond the 17 points.
BEYOND = 1.08
SHOULDERS = [coco.NAMES.index(f"{side}_shoulder") for side in ("left", "right")]
HIPS = [coco.NAMES.index(f"{side}_hip") for side in ("left", "right")]
# Below this the hips and shoulders lie on each other, and the body has no direction.
SHORTEST_TRUNK_PIXELS = 1.0


@dataclass(frozen=True)
class Sighting:
    """score: 0-1, the detector's own. keypoints: (17, 2) pixels. confidence: (17,) 0-1."""

    score: float
    keypoints: Floats
    confidence: Floats

    @property
    def region(self) -> Region:
        """The turned square around the whole body, for the keypoint model."""
        hips, shoulders = self.keypoints[HIPS].mean(axis=0), self.keypoints[SHOULDERS].mean(axis=0)
        seen = self.keypoints[self.confidence > SEEN]
        points = seen if len(seen) >= 2 else self.keypoints
        reach = float(np.linalg.norm(points - hips, axis=1).max()) * BEYOND
        across, down = (shoulders - hips).tolist()
        is_clear = math.hypot(across, down) > SHORTEST_TRUNK_PIXELS
        turn = math.atan2(across, -down) if is_clear else 0.0
        return Region(float(hips[0]), float(hips[1]), 2 * MARGIN * reach, turn)
