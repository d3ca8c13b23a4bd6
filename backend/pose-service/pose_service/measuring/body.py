"""A person's points in space by the name of the body part, whatever skeleton the engine has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from pose_service.contract.engine import Floats, Person
from pose_service.measuring.geometry import UP, CoincidingPointsError, heading, unit

SIDES = ("left", "right")
# A skeleton has one of these for each part; the first one it has is used.
OTHER_NAMES = {"toe": ("foot_index", "big_toe"), "hand": ("index", "wrist")}


def both(*parts: str) -> tuple[str, ...]:
    """("knee",) -> ("left_knee", "right_knee")."""
    return tuple(f"{side}_{part}" for part in parts for side in SIDES)


@dataclass(frozen=True)
class Body:
    """One person and the side of the front foot. Points are metres in the camera frame."""

    person: Person
    front: str = "left"

    @property
    def rear(self) -> str:
        """The side of the rear foot."""
        return "right" if self.front == "left" else "left"

    def name(self, part: str) -> str:
        """The skeleton's own name of a part such as left_toe; the part itself when the skeleton has none."""
        return self.person.names[self._places[part]] if self.has(part) else part

    def has(self, part: str) -> bool:
        """Is this part in the skeleton?"""
        return part in self._places

    def confidence(self, part: str) -> float:
        """0-1; 0 for a part that the skeleton does not have."""
        return self._confidences[self._places[part]] if self.has(part) else 0.0

    def point(self, part: str) -> Floats:
        """Where it is (3,). Raises KeyError for a part that the skeleton does not have."""
        point: Floats = self.person.world[self._places[part]]
        return point

    @cached_property
    def _places(self) -> dict[str, int]:
        return _find_places(self.person.names)

    @cached_property
    def _confidences(self) -> list[float]:
        confidences: list[float] = self.person.confidence.tolist()
        return confidences

    def points(self, parts: tuple[str, ...]) -> Floats:
        """Where they are (n, 3). Raises KeyError as `point` does."""
        points: Floats = self.person.world[[self._places[part] for part in parts]]
        return points

    def middle(self, part: str) -> Floats:
        """Half-way between the left and the right one."""
        point: Floats = (self.point(f"left_{part}") + self.point(f"right_{part}")) / 2
        return point

    def across(self, part: str) -> Floats:
        """From the one on the rear foot's side to the one on the front foot's side."""
        vector: Floats = self.point(f"{self.front}_{part}") - self.point(f"{self.rear}_{part}")
        return vector

    def along_board(self) -> Floats:
        """Direction from the rear to the front ankle: the feet are bolted on, so that is nearly the board's.

        Raises CoincidingPointsError.
        """
        return unit(self.across("ankle"))

    def toe_side(self) -> Floats:
        """Horizontal direction across the board, to the side of the toes. Raises CoincidingPointsError."""
        along = heading(self.along_board())
        across: Floats = np.cross(UP, along)
        towards_toes = float(across @ (self.middle("toe") - self.middle("heel")))
        if abs(towards_toes) < 1e-9:
            raise CoincidingPointsError("the feet show no toe side")
        return across if towards_toes > 0 else -across


@lru_cache(maxsize=8)
def _find_places(names: tuple[str, ...]) -> dict[str, int]:
    """The row of every part, under the skeleton's names and under those that OTHER_NAMES adds."""
    places = {name: row for row, name in enumerate(names)}
    for part, others in OTHER_NAMES.items():
        for side in SIDES:
            rows = [places[f"{side}_{other}"] for other in others if f"{side}_{other}" in places]
            if rows:
                places[f"{side}_{part}"] = rows[0]
    return places
