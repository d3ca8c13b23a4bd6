"""The OpenAPI 3.1 document of this service, as data."""

from __future__ import annotations

from typing import Any

from pose_service.web.json_schema import Schema, reference, text
from pose_service.web.openapi_schemas import SCHEMAS, find_options
from pose_service.web.openapi_video import VIDEO_SCHEMAS
from pose_service.web.upload import MAX_PARTS

JSON, PROBLEM_JSON, NDJSON = "application/json", "application/problem+json", "application/x-ndjson"
FORM = "multipart/form-data"
PICTURES = ("image/png", "image/jpeg")
MESH = "application/octet-stream"
READABLE_VIDEOS = "video/mp4, video/quicktime, video/webm"
READABLE_IMAGES = "image/jpeg, image/png, image/gif, image/webp, image/avif, image/heic, image/bmp, image/tiff"
BINARY: Schema = {"type": "string", "format": "binary"}
RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}

# What every request may be answered with; gunicorn itself answers what is no HTTP.
HOST_PROBLEMS = {421: "The Host is none of this service's names."}
UPLOAD_PROBLEMS = {
    **HOST_PROBLEMS,
    400: "The form is broken, has no file in the field or several, or an option has no sense.",
    403: "A page of another origin sent it.",
    408: "The upload did not arrive in time.",
    413: "The request is larger than the service reads, or has too many parts.",
    415: "Not multipart/form-data.",
    422: "The file is damaged, of another kind, too long, or has too many pixels.",
    500: "The engine failed with this file.",
    503: "No engine is ready, too many requests wait, or the engine was lost; Retry-After says when to come back.",
    504: "The deadline passed.",
}
NO_MESH = "The engine makes no mesh."


def build_document(max_people: int) -> dict[str, Any]:
    """The whole document. max_people: the most that a request may ask for."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "pose-service",
            "version": "1.0.0",
            "description": "Finds people in photos and videos and measures their posture.",
        },
        "paths": {
            "/health": {"get": _health()},
            "/picture": {"post": _picture()},
            "/pose": {"post": _pose(max_people)},
            "/pose/faces": {"get": _faces()},
            "/pose/video": {"post": _video(max_people)},
            "/openapi.json": {"get": _openapi()},
            "/metrics": {"get": _metrics()},
        },
        "components": {"schemas": {**SCHEMAS, **VIDEO_SCHEMAS}},
    }


def _health() -> Schema:
    return {
        "operationId": "getHealth",
        "summary": "Are the engines ready?",
        "responses": {
            "200": _answer("An engine answers.", {JSON: reference("Healthy")}),
            "503": _answer("None answers, with the reason.", {JSON: reference("Unhealthy")}),
            **_problems(HOST_PROBLEMS),
        },
    }


def _picture() -> Schema:
    return {
        "operationId": "postPicture",
        "summary": "The photo itself as JPEG, upright, at most 2560 pixels long, for browsers that cannot show HEIC.",
        "requestBody": _form({"image": BINARY}, READABLE_IMAGES, {}),
        "responses": {"200": _answer("The picture.", {"image/jpeg": BINARY}), **_problems(UPLOAD_PROBLEMS)},
    }


def _pose(max_people: int) -> Schema:
    answer = {JSON: reference("Estimate"), **{kind: BINARY for kind in (*PICTURES, MESH)}}
    return {
        "operationId": "postPose",
        "summary": "The people in a photo; draw=1: the photo with their skeletons, PNG or JPEG by Accept; mesh=1: "
        "their vertices, (n, 6890, 3) little-endian float32 in metres, the shape in X-Mesh-Shape.",
        "parameters": [
            {"name": "draw", "in": "query", "schema": text("1 asks for the picture.", "0", "1")},
            {"name": "mesh", "in": "query", "schema": text("1 asks for the vertices, whatever draw says.", "0", "1")},
        ],
        "requestBody": _form({"image": BINARY}, READABLE_IMAGES, find_options(max_people)),
        "responses": {"200": _answer("Who was found.", answer), **_problems({**UPLOAD_PROBLEMS, 404: NO_MESH})},
    }


def _faces() -> Schema:
    problems = {**HOST_PROBLEMS, 404: NO_MESH, **{key: UPLOAD_PROBLEMS[key] for key in (503, 504)}}
    return {
        "operationId": "getFaces",
        "summary": "Which vertices of a mesh make a triangle: (13776, 3) little-endian uint32, the same for everybody.",
        "responses": {"200": _answer("The triangles.", {MESH: BINARY}), **_problems(problems)},
    }


def _video(max_people: int) -> Schema:
    # OpenAPI 3.1 has no word for the items of a stream; 3.2 calls it itemSchema.
    lines = {"type": "string", "description": "One VideoLine a line.", "x-itemSchema": reference("VideoLine")}
    return {
        "operationId": "postVideo",
        "summary": "The people in every frame of a video, as soon as it is done, and a summary.",
        "requestBody": _form({"video": BINARY}, READABLE_VIDEOS, find_options(max_people)),
        "responses": {
            "200": _answer("Lines of JSON. An error after the first frame is the last line.", {NDJSON: lines}),
            **_problems(UPLOAD_PROBLEMS),
        },
    }


def _openapi() -> Schema:
    return {
        "operationId": "getOpenapi",
        "summary": "This document.",
        "responses": {"200": _answer("OpenAPI 3.1.", {JSON: {"type": "object"}}), **_problems(HOST_PROBLEMS)},
    }


def _metrics() -> Schema:
    return {
        "operationId": "getMetrics",
        "summary": "Numbers for Prometheus.",
        "responses": {
            "200": _answer("Prometheus text format.", {"text/plain": {"type": "string"}}),
            **_problems(HOST_PROBLEMS),
        },
    }


def _form(file: Schema, content_type: str, options: Schema) -> Schema:
    properties = {**file, **options}
    # Fields of other names are passed over; a form of too many parts is refused.
    schema = {"type": "object", "required": list(file), "properties": properties, "maxProperties": MAX_PARTS}
    encoding = {name: {"contentType": content_type} for name in file}
    return {"required": True, "content": {FORM: {"schema": schema, "encoding": encoding}}}


def _answer(description: str, content: dict[str, Schema]) -> Schema:
    return {"description": description, "content": {kind: {"schema": schema} for kind, schema in content.items()}}


def _problems(statuses: dict[int, str]) -> Schema:
    return {str(status): _problem(status, description) for status, description in statuses.items()}


def _problem(status: int, description: str) -> Schema:
    answer = _answer(description, {PROBLEM_JSON: reference("Problem")})
    return {**answer, "headers": RETRY_AFTER} if status == 503 else answer
