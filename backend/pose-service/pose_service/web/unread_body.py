"""Reads what a refused client is still sending."""

from __future__ import annotations

import contextlib

from flask import Flask, Response, request

from serving.read_watch import WATCH

MAX_BYTES = 256 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
MAX_SECONDS = 10.0


def register_unread_body(app: Flask) -> None:
    """After an error, read the rest of the request (up to 256 MiB and 10 s).

    A connection that closes while bytes are waiting is reset, and the client sees the reset instead of the problem.
    """
    app.after_request(_read_rest)


def _read_rest(response: Response) -> Response:
    if response.status_code >= 400:
        # A body that broke once breaks again; the answer is on its way all the same.
        with contextlib.suppress(Exception), WATCH.limit(request.environ.get("gunicorn.socket"), MAX_SECONDS):
            _discard()
    return response


def _discard() -> None:
    stream = request.environ["wsgi.input"]
    for _ in range(MAX_BYTES // CHUNK_BYTES):
        if not stream.read(CHUNK_BYTES):
            break
