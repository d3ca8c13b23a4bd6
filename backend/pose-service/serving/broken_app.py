"""Stands in for an app that does not import, while somebody develops it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any


class BrokenApp:
    """A WSGI app that answers everything with the error, as a problem document."""

    def __init__(self, error: Exception) -> None:
        self._detail = f"The app does not import: {type(error).__name__}: {error}. Mend the source and save it."

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """500, or 503 for /health."""
        path = environ.get("PATH_INFO", "")
        problem = {"type": "about:blank", "title": "Internal Server Error", "status": 500, "detail": self._detail}
        body = {"status": "failed", "reason": self._detail} if path == "/health" else problem
        status = "503 Service Unavailable" if path == "/health" else "500 Internal Server Error"
        kind = "application/json" if path == "/health" else "application/problem+json"
        start_response(status, [("Content-Type", kind), ("X-Content-Type-Options", "nosniff")])
        return [json.dumps(body).encode()]
