"""Where in an image one person is: a turned square, as BlazePose's keypoint model wants it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from pose_service.contract.engine import Floats

# MediaPipe's own: the circle around a person touches fingers and toes, the square is a quarter larger.
MARGIN = 1.25


@dataclass(frozen=True)
class Region:
    """Square with its centre and side in pixels; `turn` in radians, 0 for an upright person, clockwise as seen."""

    x: float
    y: float
    side: float
    turn: float

    def moved(self, x: float, y: float) -> Region:
        """The same square in an image whose origin is (-x, -y) of this one's."""
        return replace(self, x=self.x + x, y=self.y + y)

    def scaled(self, x: float, y: float) -> Region:
        """The same square after the image was resized by x and y, which are nearly equal."""
        return Region(self.x * x, self.y * y, self.side * math.sqrt(x * y), self.turn)


@dataclass(frozen=True)
class Detection:
    """A person that the detector saw. score: 0-1. head: (4,) x0, y0, x1, y1 in pixels. region: of the whole body."""

    score: float
    head: Floats
    region: Region


def region_around(centre: Floats, rim: Floats) -> Region:
    """From the middle of the hips (2,) and a point (2,) on the circle around the body, straight above when upright."""
    across, down = float(rim[0] - centre[0]), float(rim[1] - centre[1])
    turn = math.pi / 2 - math.atan2(-down, across)
    turn -= 2 * math.pi * math.floor((turn + math.pi) / (2 * math.pi))
    return Region(float(centre[0]), float(centre[1]), 2 * MARGIN * math.hypot(across, down), turn)
