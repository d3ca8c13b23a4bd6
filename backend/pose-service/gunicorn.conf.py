"""How gunicorn serves the app; GUNICORN_CMD_ARGS overrides any of it (--reload for development)."""

from __future__ import annotations

import datetime
import os
import selectors
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker


class PromptWorker(ThreadWorker):
    """A threaded worker that notices SIGTERM at once; gunicorn 23's own sleeps up to a second first."""

    def run(self) -> None:
        """Serve until a signal ends it; every signal writes a byte to PIPE, which wakes the loop."""
        wake_fd = self.PIPE[0]
        self.poller.register(wake_fd, selectors.EVENT_READ, lambda fd: os.read(fd, 4096))  # type: ignore[union-attr]
        super().run()  # type: ignore[no-untyped-call]


class QuietLogger(Logger):
    """Leaves out healthy health checks: one every few seconds would bury the rest."""

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: datetime.timedelta) -> None:
        """Log a request unless it is a health check that passed."""
        if not (environ.get("PATH_INFO") == "/health" and resp.status.startswith("200")):
            super().access(resp, req, environ, request_time)  # type: ignore[no-untyped-call]


wsgi_app = "app:app"
bind = "0.0.0.0:5000"
# One process, because it holds the models. Threads, because MediaPipe computes outside Python's lock; more of them than
# images may be inside and waiting (POSE_CONCURRENCY + POSE_QUEUE_LENGTH), so that /health always finds a free one.
worker_class = PromptWorker
workers = 1
threads = 32
timeout = 120
# A photo takes tens of milliseconds; longer work is not worth holding up a restart.
graceful_timeout = 1
keepalive = 15
worker_tmp_dir = "/dev/shm"
logger_class = QuietLogger
accesslog = "-"
access_log_format = "%(m)s %(U)s %(s)s %(M)s ms %(B)s bytes"
