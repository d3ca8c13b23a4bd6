"""POST /pose: a photo in, people out."""

from __future__ import annotations

import threading
import time
from typing import IO, Any, Union

from flask import Blueprint, Response, request

from pose_service.contract.mesh import MEDIA_TYPE, encode_vertices
from pose_service.finding.people_finder import FoundPeople
from pose_service.media.image import decode
from pose_service.pool.caller import Caller
from pose_service.pool.engine_pool import EnginePool
from pose_service.pool.image_job import ImageFindings, ImageJob
from pose_service.settings import Settings
from pose_service.web.answer import describe_people
from pose_service.web.draw import FORMATS, draw_people, encode
from pose_service.web.job_run import JobLimits, run_job
from pose_service.web.options import parse_options
from pose_service.web.routes.health import describe_engine
from pose_service.web.upload import read_upload

# One at a time in this process: 50 megapixels with transparency take 1 GB for a moment.
DRAWING = threading.Lock()


def create_pose_routes(pool: EnginePool, settings: Settings) -> Blueprint:
    """The people in one image; the errors that can be expected become problems (engine_problems)."""
    routes = Blueprint("pose", __name__)
    limits = JobLimits(settings.deadline_seconds, settings.deadline_seconds)

    @routes.post("/pose")
    def post_pose() -> Union[dict[str, Any], Response]:
        upload = read_upload("image")
        options = parse_options(request.values, settings)
        caller = Caller(request.environ)
        started = time.perf_counter()
        job = ImageJob(options.find, settings.max_pixels, options.is_mesh)
        findings: ImageFindings
        (findings,) = run_job(pool, job, upload.stream, limits, caller)
        caller.note(people=len(findings.found.people), passes=findings.found.passes)
        if options.is_mesh:
            content, shape = encode_vertices(findings.found.people)
            return Response(content, mimetype=MEDIA_TYPE, headers={"X-Mesh-Shape": shape})
        if options.is_drawing:
            return _picture(upload.stream, settings.max_pixels, findings.found)
        return {
            **describe_engine(caller.engine),
            "image": {"width": findings.width, "height": findings.height},
            "milliseconds": round((time.perf_counter() - started) * 1000, 1),
            "search": _describe_search(findings),
            "people": describe_people(findings.found.people, options.stance),
        }

    return routes


def _describe_search(findings: ImageFindings) -> dict[str, Any]:
    """What finding has cost, and how small the people are that it looked for."""
    found = findings.found
    return {
        "passes": found.passes,
        "milliseconds": round(found.milliseconds, 1),
        "decode_milliseconds": round(findings.decode_milliseconds, 1),
        "smallest_pixels": None if found.smallest_pixels is None else round(found.smallest_pixels),
    }


def _picture(stream: IO[bytes], max_pixels: int, found: FoundPeople) -> Response:
    media_type = request.accept_mimetypes.best_match(list(FORMATS)) or "image/png"
    with DRAWING:
        stream.seek(0)
        content = encode(draw_people(decode(stream, max_pixels), found.people), media_type)
    return Response(content, mimetype=media_type, headers={"Vary": "Accept"})
