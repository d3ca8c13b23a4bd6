"""What gunicorn answers before the application sees a request: problem documents instead of pages of HTML."""

from __future__ import annotations

import contextlib
import json
import socket
from http import HTTPStatus
from typing import Any

from gunicorn.http import errors

# As in the service's own problems, which must not be imported here: the arbiter would keep its old version.
MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:pose-service:problem:"
# The first that fits; gunicorn's other errors about a request are the 400 of their common ancestor.
STATUSES = (
    (errors.LimitRequestHeaders, 431),
    (errors.LimitRequestLine, 414),
    (errors.UnsupportedTransferCoding, 501),
    (errors.ForbiddenProxyRequest, 403),
    (errors.ParseException, 400),
)


class WireProblems:
    """Mixed into a gunicorn ThreadWorker, before it."""

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer a request that could not be parsed."""
        status = next((code for kind, code in STATUSES if isinstance(exc, kind)), None)
        if status is None:
            super().handle_error(req, client, addr, exc)  # type: ignore[misc]
            return
        self.log.warning("unreadable request: %s", exc)  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):
            client.sendall(problem(status, "unreadable-request", f"The request cannot be read: {exc}."))


def problem(status: int, kind: str, detail: str, *headers: str) -> bytes:
    """A whole answer, after which the connection ends."""
    phrase = HTTPStatus(status).phrase
    body = json.dumps({"type": TYPE_PREFIX + kind, "title": phrase, "status": status, "detail": detail}).encode()
    return head(status, MEDIA_TYPE, len(body), *headers) + body


def head(status: int, media_type: str, length: int, *headers: str) -> bytes:
    """Status line and headers of an answer that no application makes."""
    lines = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Connection: close",
        f"Content-Type: {media_type}",
        f"Content-Length: {length}",
        "X-Content-Type-Options: nosniff",
        *headers,
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()
