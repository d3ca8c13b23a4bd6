"""GET /openapi.json: what this service offers, for programs."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from pose_service.settings import Settings
from pose_service.web.openapi import build_document


def create_openapi_routes(settings: Settings) -> Blueprint:
    """The OpenAPI document, with the limits of this service."""
    routes = Blueprint("openapi", __name__)

    @routes.get("/openapi.json")
    def get_openapi() -> dict[str, Any]:
        return build_document(settings.max_people)

    return routes
