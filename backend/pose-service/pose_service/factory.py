"""Builds the Flask application."""

from __future__ import annotations

import logging
import os

from flask import Flask

from pose_service.engine_host import EngineHost
from pose_service.problem import register_problems
from pose_service.registry import load_engine
from pose_service.routes.health import create_health_routes
from pose_service.routes.pose import create_pose_routes
from pose_service.settings import Settings
from pose_service.unread_body import register_unread_body


def create_app(settings: Settings | None = None, host: EngineHost | None = None) -> Flask:
    """Build the app; the engine loads in a background thread. Raises SettingsError.

    A `host` that is given is used as it is: whoever made it decides when it loads.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    settings = settings or Settings.from_environment(os.environ)
    if host is None:
        host = EngineHost(lambda: load_engine(settings.engine))
        host.start()
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload_bytes
    # The order of the fields is part of the documented answer.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    register_problems(app)
    register_unread_body(app)
    app.register_blueprint(create_health_routes(host))
    app.register_blueprint(create_pose_routes(host, settings))
    return app
