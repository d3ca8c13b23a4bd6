"""GET /pose/faces: the triangles of every mesh."""

from __future__ import annotations

import io

from flask import Blueprint, Response, request

from pose_service.contract.engine import Floats
from pose_service.contract.mesh import MEDIA_TYPE, FacesJob, shape_of
from pose_service.pool.caller import Caller
from pose_service.pool.engine_pool import EnginePool
from pose_service.settings import Settings
from pose_service.web.job_run import JobLimits, run_job


def create_faces_routes(pool: EnginePool, settings: Settings) -> Blueprint:
    """(13776, 3) uint32, little-endian; the same for everybody, so a page asks once."""
    routes = Blueprint("faces", __name__)
    limits = JobLimits(settings.deadline_seconds, settings.deadline_seconds)

    @routes.get("/pose/faces")
    def get_faces() -> Response:
        faces: Floats
        (faces,) = run_job(pool, FacesJob(), io.BytesIO(), limits, Caller(request.environ))
        headers = {"X-Mesh-Shape": shape_of(faces), "Cache-Control": "max-age=86400"}
        return Response(faces.tobytes(), mimetype=MEDIA_TYPE, headers=headers)

    return routes
