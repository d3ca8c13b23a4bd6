"""The shapes of the lines that POST /pose/video answers."""

from __future__ import annotations

from pose_service.web.json_schema import Schema, array, count, mapping, number, record, reference, text
from pose_service.web.openapi_schemas import DEGRADED, ENGINE, PERSON_FIELDS

MAYBE_NUMBER: Schema = {"type": ["number", "null"]}
SECONDS = number("Since the start of the video.", minimum=0)
SMOOTHED = record(
    {
        "keypoints": array(array({"type": "number"}, length=2), "x, y of each keypoint, in the same order."),
        "measures": mapping(MAYBE_NUMBER, "Values by name."),
    },
    description="Median of five frames, then Savitzky-Golay.",
)
TRACKED_PERSON = record({"id": count("The same in every frame.", 0), **PERSON_FIELDS, "smoothed": SMOOTHED})
FRAME = record(
    {
        "index": count("0 for the first."),
        "time_seconds": SECONDS,
        "image": reference("ImageSize"),
        "milliseconds": number("Decoding and tracking, in the engine.", minimum=0),
        "total": record({"frames": {"type": ["integer", "null"]}, "seconds": MAYBE_NUMBER}),
        "people": array(reference("TrackedPerson")),
    },
    description="One frame, in order. total is what the container says of the whole video.",
)
_NULL: Schema = {"type": "null"}
_UNTOLD: Schema = {"reason": text("Why it cannot be told.")}
RANGE: Schema = {
    "oneOf": [
        record(
            {
                "unit": text(""),
                "min": number("Of the smoothed values."),
                "min_at_seconds": SECONDS,
                "max": number(""),
                "max_at_seconds": SECONDS,
                "mean": number(""),
                "error": {**MAYBE_NUMBER, "description": "Of a single value, in its unit: the mean over the frames."},
                "frames": count("With a value.", 1),
            }
        ),
        record(
            {
                "unit": text(""),
                **{name: {"type": "null"} for name in ("min", "max", "mean")},
                "frames": count(""),
                **_UNTOLD,
            }
        ),
    ]
}


def event(unit: str, found: Schema) -> Schema:
    """Something that can be seen in a video or not."""
    unseen = record({"value": _NULL, "unit": {"const": unit}, **_UNTOLD})
    return {"oneOf": [record({"value": number(""), "unit": {"const": unit}, **found}), unseen]}


_MOMENTS: Schema = {"error": number("In its unit.", minimum=0), "start_seconds": SECONDS, "end_seconds": SECONDS}
SUMMARISED_PERSON = record(
    {
        "id": count(""),
        "frames": count("In which this person is.", 1),
        "first_seconds": SECONDS,
        "last_seconds": SECONDS,
        "stance": reference("Stance"),
        "measures": mapping(reference("Range"), "By name."),
        "spin": event(
            "degrees", {"error": number("In its unit.", minimum=0), "fastest_degrees_per_second": number("", minimum=0)}
        ),
        "airtime": event("seconds", _MOMENTS),
        "jump_height": event("metres", _MOMENTS),
    }
)
SUMMARY = record(
    {
        **ENGINE,
        "frames": count("All of them."),
        "seconds": SECONDS,
        "damaged_packets": count("Parts of the file that could not be decoded."),
        "people": array(reference("SummarisedPerson")),
        "assumptions": array({"type": "string"}),
    },
    DEGRADED,
)
VIDEO_LINE: Schema = {
    "description": "A frame; the last line is the summary, or the problem that ended the video early.",
    "oneOf": [
        reference("Frame"),
        record({"summary": reference("Summary")}),
        record({"problem": reference("Problem")}),
    ],
}
VIDEO_SCHEMAS: Schema = {
    "TrackedPerson": TRACKED_PERSON,
    "Frame": FRAME,
    "Range": RANGE,
    "SummarisedPerson": SUMMARISED_PERSON,
    "Summary": SUMMARY,
    "VideoLine": VIDEO_LINE,
}
