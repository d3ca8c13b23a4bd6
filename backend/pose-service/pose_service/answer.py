"""The JSON that POST /pose answers."""

from __future__ import annotations

from typing import Any

from pose_service.engine import Person
from pose_service.measures import ASSUMPTIONS, measure


def describe_person(person: Person) -> dict[str, Any]:
    """One entry of "people": pixels with one decimal, metres with four, confidence with three."""
    return {
        "box": [round(edge, 1) for edge in person.box.tolist()],
        "score": round(person.score, 3),
        "skeleton": person.skeleton,
        "keypoints": _keypoints(person),
        "world": [{"x": round(x, 4), "y": round(y, 4), "z": round(z, 4)} for x, y, z in person.world.tolist()],
        "measures": measure(person),
        "assumptions": list(ASSUMPTIONS),
    }


def _keypoints(person: Person) -> list[dict[str, Any]]:
    rows = zip(person.names, person.keypoints.tolist(), person.confidence.tolist())
    return [
        {"name": name, "x": round(x, 1), "y": round(y, 1), "confidence": round(seen, 3)} for name, (x, y), seen in rows
    ]
