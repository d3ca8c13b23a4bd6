"""How gunicorn serves the app; GUNICORN_CMD_ARGS overrides any of it (--reload for development)."""

from __future__ import annotations

import contextlib
import importlib
import os
import resource
from typing import Any

from gunicorn import reloader

from serving.access_log import RequestLogger
from serving.environment import check_environment
from serving.launch import FOLDER_VARIABLE, EngineSupervisor
from serving.reloader import SourceReloader
from serving.watchdog import Watchdog
from serving.worker import EngineClientWorker

# Imported once and inherited by every worker: after a reload only the service's own modules are read again.
LIBRARIES = (
    "flask",
    "werkzeug.formparser",
    "numpy",
    "PIL.Image",
    "PIL.ImageOps",
    "PIL.ImageDraw",
    "prometheus_client.core",
    "multiprocessing.connection",
)

DESCRIPTORS = 8192

check_environment()

wsgi_app = "app:app"
bind = "0.0.0.0:5000"
# One process without any model: it parses uploads, waits for engines and writes answers. A thread a request; more of
# them than may be inside (POSE_ENGINES + POSE_QUEUE_LENGTH), so that /health always finds a free one.
worker_class = EngineClientWorker
workers = 1
threads = 64
# Clients that wait, silent or half-sent; the oldest goes when there are more.
worker_connections = 1000
timeout = 120
# With the engines' end this is below the 10 s that Docker waits; without work serving.worker ends at once.
graceful_timeout = 8
# As long as serving.waiting_room gives a client for the head of its next request.
keepalive = 10
worker_tmp_dir = "/dev/shm"
logger_class = RequestLogger
accesslog = "-"
reload_engine = "poll"
reloader.reloader_engines["poll"] = SourceReloader


def on_starting(server: Any) -> None:
    """The engines belong to gunicorn's first process, which no reload touches."""
    # A shell's usual 1024 descriptors are fewer than a flood of clients takes.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, DESCRIPTORS)), hard))
    server.engine_supervisor = EngineSupervisor(is_reloading=bool(server.cfg.reload))
    os.environ[FOLDER_VARIABLE] = str(server.engine_supervisor.folder)
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def when_ready(server: Any) -> None:
    """The sockets are bound."""
    Watchdog(server).start()


def pre_fork(server: Any, _worker: Any) -> None:
    """A web process that lost its supervisor ends; the next one finds a new supervisor."""
    server.engine_supervisor.ensure_running()
    # From now on its silence means something.
    server.engine_supervisor.beat()


def worker_int(worker: Any) -> None:
    """Called when a source file changed, and on Ctrl-C: nobody wants to wait."""
    worker.hurry()


def on_exit(server: Any) -> None:
    """Nothing outlives the first process."""
    server.engine_supervisor.stop()
