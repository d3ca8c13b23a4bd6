"""The OpenAPI document against the running service: schemathesis makes the requests, good and bad ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hostile import clips
from hostile.clips import Clip, evenly
from hostile.image_cases import image_cases
from hostile.pictures import encoded, photo
from hostile.request_cases import request_cases
from hostile.service import Service, running_service
from hostile.video_cases import upload
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator

ROUTES = Path(__file__).parents[1] / "pose_service" / "web" / "routes"
EXAMPLES = 15

# Not JSON but forms: a missing or strange Content-Type is refused with 415, a body that never ends with 408 or 413.
REFUSALS = [400, 404, 405, 408, 413, 415, 422]
CONFIG = {"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}}

# Small, because every request looks for small people too.
FILES = {"image": encoded(photo().resize((160, 160)), "JPEG"), "video": clips.encoded(Clip(size=(160, 160)))}
MAX_FRAMES = 10


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A service that nobody else asks, and that takes short videos only."""
    with running_service(POSE_VIDEO_MAX_FRAMES=f"{MAX_FRAMES}") as running:
        yield running


@pytest.fixture(scope="module")
def document(service: Service) -> dict[str, Any]:
    """What the service serves."""
    found: dict[str, Any] = requests.get(f"http://127.0.0.1:{service.port}/openapi.json", timeout=10).json()
    return found


@pytest.fixture(scope="module")
def api(service: Service) -> Any:
    """What schemathesis makes of it."""
    config = schemathesis.Config.from_dict(CONFIG)
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{service.port}/openapi.json", config=config)


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_documented(case: schemathesis.Case) -> None:
    _fill_in_file(case)
    case.call_and_validate()


def test_every_route_is_documented(document: dict[str, Any]) -> None:
    declared = [re.findall(r"@routes\.(\w+)\(\"([^\"]+)\"", path.read_text()) for path in ROUTES.glob("*.py")]
    served = {(path, method) for found in declared for method, path in found}
    documented = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert served == documented


def test_every_refusal_of_a_photo_is_documented_and_met(document: dict[str, Any]) -> None:
    """Server errors are met where engines are killed, and the mesh that this engine does not make in test_mesh."""
    documented = {int(status) for status in document["paths"]["/pose"]["post"]["responses"]}
    met = {case.status for case in (*image_cases(), *request_cases()) if case.kind not in ("", "unreadable-request")}
    assert met | {404} == {status for status in documented if 400 <= status < 500}


@pytest.mark.parametrize(("frames", "end"), [(MAX_FRAMES, "summary"), (MAX_FRAMES + 2, "problem")])
def test_every_line_of_a_video_is_documented(service: Service, document: dict[str, Any], frames: int, end: str) -> None:
    line_schema = {"$ref": "#/components/schemas/VideoLine", "components": document["components"]}
    answer = service.send(upload(clips.encoded(Clip(times=evenly(frames, 10)))))
    lines = [json.loads(line) for line in answer.body.splitlines()]
    for line in lines:
        Draft202012Validator(line_schema).validate(line)
    assert list(lines[-1]) == [end]
    assert answer.content_type == "application/x-ndjson"


def test_every_schema_is_a_schema_and_is_used(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for found in schemas.values():
        Draft202012Validator.check_schema(found)
    used = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert used == set(schemas)


def _fill_in_file(case: schemathesis.Case) -> None:
    """A request that is meant to be good gets a good file: JSON Schema cannot say what a picture is."""
    if case.meta is None or not case.meta.generation.mode.is_positive or not isinstance(case.body, dict):
        return
    for field, content in FILES.items():
        if field in case.body:
            case.body[field] = content
    # A list in a field that nobody knows becomes a part for each entry, and a schema cannot limit all parts together.
    for field in [name for name, value in case.body.items() if isinstance(value, (list, dict))]:
        del case.body[field]
