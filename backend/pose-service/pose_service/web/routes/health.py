"""GET /health: do the engines answer?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint

from pose_service.pool.engine_pool import EnginePool
from pose_service.pool.roster import EngineFacts, Roster
from pose_service.settings import Settings
from pose_service.weights.check import look
from pose_service.weights.manifest import assets_for


def create_health_routes(pool: EnginePool, settings: Settings) -> Blueprint:
    """200 ready, 200 degraded while some engines are down, 503 with the reason while none answers.

    An engine that needs model files and was asked for by name: `missing` lists those that are not there.
    """
    routes = Blueprint("health", __name__)

    @routes.get("/health")
    def get_health() -> tuple[dict[str, Any], int]:
        if pool.draining.is_begun:
            return {"status": "stopping", "reason": "the service is stopping"}, 503
        body, status = describe_health(pool.roster)
        if status != 200 and settings.engine == "hmr2":
            body["missing"] = describe_missing(Path(settings.models_folder))
        return body, status

    return routes


def describe_missing(folder: Path) -> list[dict[str, Any]]:
    """The model files that the GPU engine lacks; what only a hash tells is in the reason."""
    return [finding.to_json() for finding in look(folder, assets_for("hmr2")) if not finding.is_good]


def describe_health(roster: Roster) -> tuple[dict[str, Any], int]:
    """The body of /health and its status."""
    engines = {"engines": {"ready": len(roster.ready), "total": len(roster.entries)}}
    if not roster.ready:
        return {"status": roster.status, "reason": roster.reason, **engines}, 503
    facts = roster.ready[0].facts
    assert facts is not None
    body: dict[str, Any] = {"status": roster.status, **describe_engine(facts), **engines}
    if roster.status == "degraded":
        body["reason"] = roster.reason
    return body, 200


def describe_engine(facts: EngineFacts) -> dict[str, str]:
    """The fields engine, device and, if a better engine is missing, degraded_reason."""
    fields = {"engine": facts.name, "device": facts.device}
    if facts.degraded_reason:
        fields["degraded_reason"] = facts.degraded_reason
    return fields
