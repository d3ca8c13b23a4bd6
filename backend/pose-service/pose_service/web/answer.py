"""How one person is written in JSON."""

from __future__ import annotations

from typing import Any

from pose_service.contract.engine import Floats, Person
from pose_service.measuring.measures import assumptions, measure
from pose_service.measuring.stance import Stance, choose_stance, gaze

# No engine that fits a body model says how sure it is of a single joint.
WHOLE_CONFIDENCE = "the confidence of every keypoint is that of the whole person"


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
        "assumptions": [*assumptions(stance), *([WHOLE_CONFIDENCE] if person.body else [])],
        **_body(person),
    }


def describe_people(people: tuple[Person, ...], requested_stance: str = "auto") -> list[dict[str, Any]]:
    """ "people" of one image; requested_stance: auto, regular or goofy."""
    stances = [choose_stance(requested_stance, [gaze(person)]) for person in people]
    return [describe_person(each, stance, measure(each, stance)) for each, stance in zip(people, stances)]


def describe_world(world: Floats) -> list[dict[str, float]]:
    """Metres (K, 3) with four decimals."""
    return [{"x": round(x, 4), "y": round(y, 4), "z": round(z, 4)} for x, y, z in world.tolist()]


def _body(person: Person) -> dict[str, Any]:
    """The fields smpl and camera, for an engine that fits a body model."""
    body = person.body
    if body is None:
        return {}
    matrices = {name: getattr(body, name).round(5).tolist() for name in ("global_orient", "body_pose", "betas")}
    translation = [round(part, 4) for part in body.camera.tolist()]
    return {"smpl": matrices, "camera": {"translation": translation, "focal_pixels": round(body.focal_pixels, 1)}}


def _keypoints(person: Person) -> list[dict[str, Any]]:
    rows = zip(person.names, person.keypoints.tolist(), person.confidence.tolist())
    return [
        {"name": name, "x": round(x, 1), "y": round(y, 1), "confidence": round(seen, 3)} for name, (x, y), seen in rows
    ]
