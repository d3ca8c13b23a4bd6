"""Skeletons by hand: a rider who faces the camera, left foot in front, board from left to right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from pose_service.contract.blazepose import NAMES, SKELETON
from pose_service.contract.engine import Floats, Person
from pose_service.measuring.stance import Stance

REGULAR, GOOFY = Stance("regular", "given"), Stance("goofy", "given")
Point = tuple[float, float, float]
# Metres: x right, y down, z away. Toes point at the camera; every mass is as far in front of the ankles as behind.
LEFT_HALF: dict[str, Point] = {
    "ear": (0.08, -0.75, 0.0),
    "shoulder": (0.2, -0.5, 0.0),
    "elbow": (0.25, -0.2, 0.0),
    "wrist": (0.3, 0.1, 0.0),
    "index": (0.3, 0.2, 0.0),
    "hip": (0.12, 0.0, 0.0),
    "knee": (0.185, 0.45, 0.0),
    "ankle": (0.25, 0.9, 0.0),
    "heel": (0.25, 0.95, 0.1),
    "foot_index": (0.25, 0.95, -0.1),
}
STANDING: dict[str, Point] = {
    **{f"left_{part}": place for part, place in LEFT_HALF.items()},
    **{f"right_{part}": (-x, y, z) for part, (x, y, z) in LEFT_HALF.items()},
    "nose": (0.0, -0.75, -0.1),
}


def person(world: Floats, confidence: float = 1.0, names: tuple[str, ...] = NAMES) -> Person:
    """A person with this world (K, 3); pixels are 200 a metre, with the hips at (320, 240)."""
    keypoints = world[:, :2] * 200.0 + (320.0, 240.0)
    return Person(
        box=np.concatenate([keypoints.min(axis=0), keypoints.max(axis=0)]),
        score=1.0,
        skeleton=SKELETON,
        names=names,
        keypoints=keypoints,
        confidence=np.full(len(names), confidence),
        world=world,
    )


def posture(**changes: Point) -> Person:
    """The standing rider with some points elsewhere."""
    return person(world_of({**STANDING, **changes}))


def world_of(points: Mapping[str, Point]) -> Floats:
    """(33, 3); points that are not named are at the nose."""
    return np.array([points.get(name, STANDING["nose"]) for name in NAMES])


def moved(of: Person, by: Iterable[float], only: Iterable[str] = NAMES) -> Person:
    """The same person with some points shifted by metres (3,)."""
    is_moved = np.array([[name in set(only)] for name in NAMES])
    return person(of.world + is_moved * np.array(list(by)))


def turned(world: Floats, degrees: float, axis: int = 1) -> Floats:
    """Turned about the vertical (1) or another axis through the origin; about 1 it is counter-clockwise from above."""
    angle = np.radians(degrees)
    first, second = [(2, 1), (0, 2), (1, 0)][axis]
    result = world.copy()
    result[:, first] = world[:, first] * np.cos(angle) - world[:, second] * np.sin(angle)
    result[:, second] = world[:, first] * np.sin(angle) + world[:, second] * np.cos(angle)
    return result


def mirrored(of: Person) -> Person:
    """As in a mirror: left and right change names."""
    swap = {"left": "right", "right": "left"}

    def other(name: str) -> str:
        return "_".join(swap.get(word, word) for word in name.split("_"))

    order = [NAMES.index(other(name)) for name in NAMES]
    return person(of.world[order] * (-1, 1, 1))
