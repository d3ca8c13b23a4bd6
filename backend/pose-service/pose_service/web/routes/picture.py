"""POST /picture: a photo of any format in, a JPEG out."""

from __future__ import annotations

from flask import Blueprint, Response, request

from pose_service.pool.caller import Caller
from pose_service.pool.engine_pool import EnginePool
from pose_service.pool.picture_job import PictureJob
from pose_service.settings import Settings
from pose_service.web.job_run import JobLimits, run_job
from pose_service.web.upload import read_upload

MEDIA_TYPE = "image/jpeg"


def create_picture_routes(pool: EnginePool, settings: Settings) -> Blueprint:
    """For pages: no browser but Safari shows HEIC. Upright, without the metadata."""
    routes = Blueprint("picture", __name__)
    limits = JobLimits(settings.deadline_seconds, settings.deadline_seconds)

    @routes.post("/picture")
    def post_picture() -> Response:
        upload = read_upload("image")
        content: bytes
        (content,) = run_job(pool, PictureJob(settings.max_pixels), upload.stream, limits, Caller(request.environ))
        return Response(content, mimetype=MEDIA_TYPE)

    return routes
