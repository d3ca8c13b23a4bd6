"""How one person is written in JSON."""

from __future__ import annotations

from typing import Any

from pose_service.engine import Floats, Person
from pose_service.measures import assumptions, measure
from pose_service.stance import Stance, choose_stance, gaze


def describe_person(person: Person, stance: Stance, measures: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """One entry of "people": pixels with one decimal, metres with four, confidence with three."""
    return {
        "box": [round(edge, 1) for edge in person.box.tolist()],
        "score": round(person.score, 3),
        "skeleton": person.skeleton,
        "keypoints": _keypoints(person),
        "world": describe_world(person.world),
        "stance": {"value": stance.name, "source": stance.source},
        "measures": measures,
        "assumptions": assumptions(stance),
    }


def describe_people(people: tuple[Person, ...], requested_stance: str = "auto") -> list[dict[str, Any]]:
    """ "people" of one image; requested_stance: auto, regular or goofy."""
    stances = [choose_stance(requested_stance, [gaze(person)]) for person in people]
    return [describe_person(each, stance, measure(each, stance)) for each, stance in zip(people, stances)]


def describe_world(world: Floats) -> list[dict[str, float]]:
    """Metres (K, 3) with four decimals."""
    return [{"x": round(x, 4), "y": round(y, 4), "z": round(z, 4)} for x, y, z in world.tolist()]


def _keypoints(person: Person) -> list[dict[str, Any]]:
    rows = zip(person.names, person.keypoints.tolist(), person.confidence.tolist())
    return [
        {"name": name, "x": round(x, 1), "y": round(y, 1), "confidence": round(seen, 3)} for name, (x, y), seen in rows
    ]
