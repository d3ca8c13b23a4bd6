"""POST /pose/video: a clip in, a line of JSON for each frame out."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Iterator
from typing import Any

from flask import Blueprint, Response, request, stream_with_context

from pose_service.media.video_limits import VideoLimits
from pose_service.pool.caller import Caller
from pose_service.pool.engine_pool import EnginePool
from pose_service.pool.video_job import VideoJob
from pose_service.settings import Settings
from pose_service.web.engine_problems import KINDS, as_problem
from pose_service.web.job_run import JobLimits, run_job
from pose_service.web.options import parse_options
from pose_service.web.problem import answer_problem
from pose_service.web.routes.health import describe_engine
from pose_service.web.upload import read_upload
from pose_service.web.video_answer import describe_video

MEDIA_TYPE = "application/x-ndjson"
Lines = Generator[dict[str, Any], None, None]


def create_video_routes(pool: EnginePool, settings: Settings) -> Blueprint:
    """The people in one video. What goes wrong before the first frame is a problem, later a last line with one."""
    routes = Blueprint("video", __name__)
    limits = VideoLimits(settings.video_seconds, settings.video_frames, settings.video_pixels)
    job_limits = JobLimits(settings.video_deadline_seconds, settings.deadline_seconds)

    @routes.post("/pose/video")
    def post_video() -> Response:
        request.max_content_length = settings.max_video_bytes
        upload = read_upload("video")
        options = parse_options(request.values, settings)
        caller = Caller(request.environ)
        frames = run_job(pool, VideoJob(options.find, limits), upload.stream, job_limits, caller)
        lines = _with_engine(describe_video(frames, options.stance), caller)
        # The first line now, because after it the status cannot change.
        first = next(lines)
        return Response(stream_with_context(_encoded(first, lines)), mimetype=MEDIA_TYPE)

    return routes


def _with_engine(lines: Iterator[dict[str, Any]], caller: Caller) -> Lines:
    count = 0
    for line in lines:
        if "summary" in line:
            line = {"summary": {**describe_engine(caller.engine), **line["summary"]}}
        else:
            count += 1
            caller.note(frames=count)
        yield line


def _encoded(first: dict[str, Any], lines: Lines) -> Iterator[str]:
    with contextlib.closing(lines):
        yield _line(first)
        try:
            for line in lines:
                yield _line(line)
        except KINDS as error:
            yield _line({"problem": answer_problem(as_problem(error)).get_json()})


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n"
