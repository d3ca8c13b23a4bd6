"""GET /health: is the engine ready?"""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from pose_service.engine_host import EngineHost
from pose_service.registry import LoadedEngine


def create_health_routes(host: EngineHost) -> Blueprint:
    """200 when ready, 503 with the reason while it starts or after it failed."""
    routes = Blueprint("health", __name__)

    @routes.get("/health")
    def get_health() -> tuple[dict[str, Any], int]:
        status = host.status
        if status.loaded is None:
            return {"status": status.state, "reason": status.reason}, 503
        return {"status": status.state, **describe_engine(status.loaded)}, 200

    return routes


def describe_engine(loaded: LoadedEngine) -> dict[str, str]:
    """The fields engine, device and, if a better engine is missing, degraded_reason."""
    fields = {"engine": loaded.engine.name, "device": loaded.engine.device}
    if loaded.degraded_reason:
        fields["degraded_reason"] = loaded.degraded_reason
    return fields
