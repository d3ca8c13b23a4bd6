"""A name for every request: in the answer, in problems and in log lines."""

from __future__ import annotations

import re
import uuid
from typing import Any

from flask import Flask, Response, request

HEADER = "X-Request-Id"
ENVIRON_KEY = "pose.request_id"
# What is safe in a header, a log line and a shell.
SANE = re.compile(r"[A-Za-z0-9._:@+/=-]{1,128}")


def register_request_ids(app: Flask) -> None:
    """Take the client's X-Request-Id when it is sane, make one when it is not, and send it back."""
    app.before_request(_name_request)
    app.after_request(_name_response)


def current_request_id() -> str:
    """The id of the request that is being answered."""
    return _id_of(request.environ)


def _id_of(environ: dict[str, Any]) -> str:
    if ENVIRON_KEY not in environ:
        offered = environ.get("HTTP_X_REQUEST_ID", "")
        environ[ENVIRON_KEY] = offered if SANE.fullmatch(offered) else uuid.uuid4().hex
    name: str = environ[ENVIRON_KEY]
    return name


def _name_request() -> None:
    current_request_id()


def _name_response(response: Response) -> Response:
    response.headers[HEADER] = current_request_id()
    return response
