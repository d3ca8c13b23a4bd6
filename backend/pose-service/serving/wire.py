"""What gunicorn answers before the application sees a request: problem documents, and no endless wait for headers."""

from __future__ import annotations

import contextlib
import json
import socket
from http import HTTPStatus
from typing import Any

from gunicorn.http import errors

from serving.read_watch import WATCH

# As in pose_service/web/problem.py, which must not be imported here: the arbiter would keep its old version.
MEDIA_TYPE = "application/problem+json"
KIND = "urn:pose-service:problem:unreadable-request"
HEADER_SECONDS = 10.0
DRAIN_SECONDS = 1.0
DRAIN_CHUNKS = 1024
CHUNK_BYTES = 65536
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

    def handle(self, conn: Any) -> Any:
        """Serve one request of a connection; its headers have HEADER_SECONDS to arrive."""
        with WATCH.limit(conn.sock, HEADER_SECONDS) as conn.header_limit:
            return super().handle(conn)  # type: ignore[misc]

    def handle_request(self, req: Any, conn: Any) -> Any:
        """The headers are there: from here on the application limits the time."""
        WATCH.forget(conn.header_limit)
        return super().handle_request(req, conn)  # type: ignore[misc]

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer a request that could not be parsed; gunicorn's own answer is a page of HTML."""
        status = next((code for kind, code in STATUSES if isinstance(exc, kind)), None)
        if status is None:
            super().handle_error(req, client, addr, exc)  # type: ignore[misc]
            return
        self.log.warning("unreadable request: %s", exc)  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):
            _send(client, status, f"The request cannot be read: {exc}.")


def _send(client: socket.socket, status: int, detail: str) -> None:
    phrase = HTTPStatus(status).phrase
    body = json.dumps({"type": KIND, "title": phrase, "status": status, "detail": detail}).encode()
    head = f"HTTP/1.1 {status} {phrase}\r\nConnection: close\r\nContent-Type: {MEDIA_TYPE}\r\n"
    client.settimeout(DRAIN_SECONDS)
    client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    client.shutdown(socket.SHUT_WR)
    # Closing while bytes wait resets the connection, and the client never sees the answer.
    for _ in range(DRAIN_CHUNKS):
        if not client.recv(CHUNK_BYTES):
            break
