"""The shapes of what the service answers, as JSON Schema; tests hold every real answer against them."""

from __future__ import annotations

from pose_service.web.json_schema import SHARE, Schema, array, count, mapping, number, record, reference, text

ENGINE = {"engine": text("Name of the engine."), "device": text("cpu or cuda:N.")}
DEGRADED = {"degraded_reason": text("Why a better engine is not in use.")}
ENGINES = {
    "engines": record({"ready": count("Engine processes that answer."), "total": count("Engine processes in all.")})
}

PROBLEM = record(
    {
        "type": text("urn:pose-service:problem:KIND, or about:blank when the status says it all."),
        "title": text("The status in words."),
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": text("What happened, for a person."),
        "instance": text("The path that was asked for."),
        "request_id": text("As in the header X-Request-Id and in the log."),
    },
    description="Problem details, RFC 9457.",
)
HEALTHY = record(
    {"status": text("degraded: some engines are down, others answer.", "ready", "degraded"), **ENGINE, **ENGINES},
    {**DEGRADED, "reason": text("Why engines are down.")},
)
MISSING_FILE = record(
    {
        "name": text("Short name, as in `invoke weights`."),
        "path": text("Where it belongs."),
        "needed_for": {"type": "array", "items": text("An engine, or video.")},
        "state": text("", "missing", "too-small"),
        "detail": text("More about its state."),
        "licence": text("In short."),
        "how_to_get": text("What to do."),
    }
)
UNHEALTHY = record(
    {"status": text("", "starting", "failed", "stopping"), "reason": text("Why.")},
    {**ENGINES, "missing": {"type": "array", "items": MISSING_FILE}},
)
STANCES = ("auto", "regular", "goofy")


def find_options(max_people: int) -> Schema:
    """Form fields that say whom to look for."""
    return {
        "max_people": {"type": "integer", "minimum": 1, "maximum": max_people, "default": max_people},
        "min_score": number("People below it are left out.", **SHARE),
        "stance": text("Which foot is in front.", *STANCES),
        "small": text("1: look for small people too, in tiles; several times as long.", "0", "1"),
    }


KEYPOINT = record(
    {
        "name": text("Name of the point in this skeleton."),
        "x": number("Pixels of the image as a browser shows it; may lie outside."),
        "y": number("Pixels."),
        "confidence": number("How sure the engine is that the point is visible.", **SHARE),
    }
)
WORLD_POINT = record(
    {"x": number("Metres, to the right."), "y": number("Metres, down."), "z": number("Metres, away.")},
    description="Camera frame, origin between the hips.",
)
_NAMED = {
    "unit": text("degrees, metres, ratios …"),
    "points": array({"type": "string"}, "The keypoints that it is made of."),
}
MEASURE = {
    "oneOf": [
        record(
            {
                "value": number("The measure."),
                **_NAMED,
                "error": {
                    "type": ["number", "null"],
                    "description": "How far the value may be off, in its unit, as far as the picture itself shows.",
                },
                "confidence": number("0 to 1.", **SHARE),
            }
        ),
        record({"value": {"type": "null"}, **_NAMED, "reason": text("Why it cannot be told.")}),
    ]
}
STANCE = record(
    {
        "value": text("Which foot is in front: regular is the left one.", "regular", "goofy"),
        "source": text("Who says so.", "given", "guessed", "assumed"),
    }
)
PERSON_FIELDS: Schema = {
    "box": array({"type": "number"}, "x0, y0, x1, y1 in pixels.", 4),
    "score": number("The share of such sightings that are people.", **SHARE),
    "skeleton": text("Which keypoints there are."),
    "keypoints": array(reference("Keypoint")),
    "world": array(reference("WorldPoint"), "The same points in metres; empty where depth is unknown."),
    "stance": reference("Stance"),
    "measures": mapping(reference("Measure"), "By name."),
    "assumptions": array({"type": "string"}, "What the measures take for granted."),
}
ROTATION = array(array({"type": "number"}, "A row.", 3), "A rotation matrix.", 3)
BODY_FIELDS: Schema = {
    "smpl": record(
        {
            "global_orient": reference("Rotation"),
            "body_pose": array(reference("Rotation"), "Relative to the parent joint.", 23),
            "betas": array({"type": "number"}, "Shape.", 10),
        },
        description="Of engines that fit a body model.",
    ),
    "camera": record(
        {
            "translation": array({"type": "number"}, "Metres from the camera to the body's origin.", 3),
            "focal_pixels": number("Of a camera in the middle of the image.", minimum=0),
        }
    ),
}
IMAGE_SIZE = record({"width": count("Pixels.", 1), "height": count("Pixels.", 1)})
SEARCH = record(
    {
        "passes": count("Calls of a model.", 1),
        "milliseconds": number("Finding people, in the engine.", minimum=0),
        "decode_milliseconds": number("Decoding, in the engine.", minimum=0),
        "smallest_pixels": {"type": ["integer", "null"], "description": "Shorter people were not looked for."},
    }
)
ESTIMATE = record(
    {
        **ENGINE,
        "image": reference("ImageSize"),
        "milliseconds": number("From the upload's end to the answer, waiting for an engine included.", minimum=0),
        "search": reference("Search"),
        "people": array(reference("Person"), "Best first; empty when nobody was found."),
    },
    DEGRADED,
)
SCHEMAS: Schema = {
    "Problem": PROBLEM,
    "Healthy": HEALTHY,
    "Unhealthy": UNHEALTHY,
    "Keypoint": KEYPOINT,
    "WorldPoint": WORLD_POINT,
    "Measure": MEASURE,
    "Stance": STANCE,
    "Search": SEARCH,
    "Person": record(PERSON_FIELDS, BODY_FIELDS),
    "Rotation": ROTATION,
    "ImageSize": IMAGE_SIZE,
    "Estimate": ESTIMATE,
}
