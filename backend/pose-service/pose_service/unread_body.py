"""Reads what a refused client is still sending."""

from __future__ import annotations

from flask import Flask, Response, request

MAX_BYTES = 256 * 1024 * 1024
CHUNK_BYTES = 64 * 1024


def register_unread_body(app: Flask) -> None:
    """After an error, read the rest of the request (up to 256 MiB).

    A connection that closes while bytes are waiting is reset, and the client sees the reset instead of the problem.
    """
    app.after_request(_read_rest)


def _read_rest(response: Response) -> Response:
    if response.status_code >= 400:
        stream = request.environ["wsgi.input"]
        for _ in range(MAX_BYTES // CHUNK_BYTES):
            if not stream.read(CHUNK_BYTES):
                break
    return response
