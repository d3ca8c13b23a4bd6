"""Builds the Flask application."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Optional

from flask import Flask

from pose_service.pool.draining import DRAINING
from pose_service.pool.engine_pool import EnginePool, QueueLimits
from pose_service.pool.request_id import register_request_ids
from pose_service.pool.roster_client import RosterClient
from pose_service.settings import Settings
from pose_service.web.admission import register_admission
from pose_service.web.engine_problems import register_engine_problems
from pose_service.web.hosts import register_hosts
from pose_service.web.metrics import register_metrics
from pose_service.web.problem import register_problems
from pose_service.web.routes.faces import create_faces_routes
from pose_service.web.routes.health import create_health_routes
from pose_service.web.routes.metrics import create_metrics_routes
from pose_service.web.routes.openapi import create_openapi_routes
from pose_service.web.routes.picture import create_picture_routes
from pose_service.web.routes.pose import create_pose_routes
from pose_service.web.routes.video import create_video_routes
from serving import launch, logs

INFORMED_SECONDS = 1.0


class NoSupervisorError(RuntimeError):
    """The app was started by something that starts no engines."""


def create_app(settings: Optional[Settings] = None, pool: Optional[EnginePool] = None) -> Flask:
    """Build the app. Raises SettingsError, or NoSupervisorError when nothing started the engines.

    A `pool` that is given is used as it is: whoever made it fills it.
    """
    if pool is None:
        logs.configure(os.environ)
    settings = settings or Settings.from_environment(os.environ)
    pool = pool or _connected_pool(settings)
    app = Flask(__name__, static_folder=None)
    app.extensions["engine_pool"] = pool
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload_bytes
    app.config["UPLOAD_SECONDS"] = settings.upload_seconds
    app.config["SEND_SECONDS"] = settings.send_seconds
    # The order of the fields is part of the documented answer.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    register_problems(app)
    register_engine_problems(app)
    register_metrics(app)
    register_request_ids(app)
    register_hosts(app, settings.allowed_hosts)
    register_admission(app, pool)
    app.register_blueprint(create_health_routes(pool, settings))
    app.register_blueprint(create_faces_routes(pool, settings))
    app.register_blueprint(create_metrics_routes(pool))
    app.register_blueprint(create_openapi_routes(settings))
    app.register_blueprint(create_picture_routes(pool, settings))
    app.register_blueprint(create_pose_routes(pool, settings))
    app.register_blueprint(create_video_routes(pool, settings))
    return app


def connect_pool(folder: Path, settings: Settings) -> EnginePool:
    """The pool of the supervisor whose sockets are in `folder`; it fills in the background."""
    client = RosterClient(folder)
    pool = EnginePool(QueueLimits(settings.queue_length, settings.queue_seconds), client.kill, DRAINING)
    client.start(pool.update, _end_worker)
    return pool


def _connected_pool(settings: Settings) -> EnginePool:
    folder = os.environ.get(launch.FOLDER_VARIABLE)
    if not folder:
        msg = "no engines were started: run the service with `gunicorn` in this folder"
        raise NoSupervisorError(msg)
    pool = connect_pool(Path(folder), settings)
    pool.wait_until_informed(INFORMED_SECONDS)
    return pool


def _end_worker() -> None:
    """gunicorn starts the next worker, and before that the supervisor (gunicorn.conf.py)."""
    os.kill(os.getpid(), signal.SIGTERM)
