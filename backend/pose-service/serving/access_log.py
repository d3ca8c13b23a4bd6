"""gunicorn's log in the service's own format: one line a request."""

from __future__ import annotations

import datetime
import os
from typing import Any

from gunicorn.glogging import Logger

from serving import logs

QUIET_PATHS = ("/health", "/metrics")


class RequestLogger(Logger):
    """Writes a line when the last byte of an answer is sent, with its request id and what the app noted about it."""

    def setup(self, cfg: Any) -> None:
        """gunicorn's loggers with our formatter."""
        super().setup(cfg)  # type: ignore[no-untyped-call]
        formatter = logs.formatter(os.environ)
        for logger in (self.error_log, self.access_log):
            for handler in logger.handlers:
                handler.setFormatter(formatter)

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: datetime.timedelta) -> None:
        """Log a request, but not every few seconds that all is well: it would bury the rest."""
        status, path = int(str(resp.status).split(maxsplit=1)[0]), environ.get("PATH_INFO", "")
        if path in QUIET_PATHS and status < 400:
            return
        fields = {
            "request_id": environ.get("pose.request_id", ""),
            "method": environ.get("REQUEST_METHOD", ""),
            "path": path,
            "status": status,
            "ms": round(request_time.total_seconds() * 1000, 1),
            "sent_bytes": getattr(resp, "sent", 0),
            **environ.get("pose.log", {}),
        }
        message = "{method} {path!r} {status} {ms} ms {request_id}".format(**fields)
        self.access_log.info("%s", message, extra={"fields": fields})
