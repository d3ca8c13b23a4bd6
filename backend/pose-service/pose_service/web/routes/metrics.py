"""GET /metrics: numbers for Prometheus."""

from __future__ import annotations

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST

from pose_service.pool.engine_pool import EnginePool
from pose_service.web.metrics import render


def create_metrics_routes(pool: EnginePool) -> Blueprint:
    """Requests, queue, engine seconds, engines, restarts."""
    routes = Blueprint("metrics", __name__)

    @routes.get("/metrics")
    def get_metrics() -> Response:
        return Response(render(pool), content_type=CONTENT_TYPE_LATEST)

    return routes
