"""Which foot is in front: regular is the left one, goofy the right one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from pose_service.contract.engine import Person
from pose_service.measuring.geometry import CoincidingPointsError, heading

CHOICES = ("auto", "regular", "goofy")
FRONT_SIDES = {"regular": "left", "goofy": "right"}
LOOKED_AT = ("nose", "left_ear", "right_ear", "left_ankle", "right_ankle")
VISIBLE = 0.5
# Below this the rider looks across the board, and the head says nothing.
CLEAR = 0.2


@dataclass(frozen=True)
class Stance:
    """name: regular or goofy. source: given, guessed (from the head), or assumed (nothing shows it)."""

    name: str
    source: str

    @property
    def front(self) -> str:
        """The side of the front foot: left or right."""
        return FRONT_SIDES[self.name]

    @property
    def assumption(self) -> str:
        """One sentence for the answer."""
        reasons = {
            "given": "given",
            "guessed": "guessed: riders look over the front foot",
            "assumed": "assumed: the head does not show it; send stance=regular or stance=goofy",
        }
        return f"stance={self.name} ({reasons[self.source]})"


ASSUMED = Stance("regular", "assumed")


def choose_stance(requested: str, gazes: list[Optional[float]]) -> Stance:
    """The stance that was asked for, or for "auto" the one that the gazes (see `gaze`) agree on."""
    if requested in FRONT_SIDES:
        return Stance(requested, "given")
    seen = [each for each in gazes if each is not None]
    mean = float(np.mean(seen)) if seen else 0.0
    if abs(mean) < CLEAR:
        return ASSUMED
    return Stance("regular" if mean > 0 else "goofy", "guessed")


def gaze(person: Person) -> float | None:
    """How far the head looks over the left foot: 1 along the feet, -1 over the right one; None when it is hidden."""
    if not len(person.world):
        return None
    points = {name: index for index, name in enumerate(person.names)}
    if any(name not in points or person.confidence[points[name]] < VISIBLE for name in LOOKED_AT):
        return None
    nose, left_ear, right_ear, left_ankle, right_ankle = (person.world[points[name]] for name in LOOKED_AT)
    try:
        return float(heading(nose - (left_ear + right_ear) / 2) @ heading(left_ankle - right_ankle))
    except CoincidingPointsError:
        return None
