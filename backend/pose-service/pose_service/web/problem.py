"""Errors as problem details (RFC 9457)."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from pose_service.pool.request_id import current_request_id

logger = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:pose-service:problem:"


class ProblemError(Exception):
    """An answer that is a problem; `kind` names it for programs, `detail` explains it to a person."""

    def __init__(self, status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})


def register_problems(app: Flask) -> None:
    """Make every error of the app a problem document, unknown paths and crashes too."""
    app.register_error_handler(ProblemError, answer_problem)
    app.register_error_handler(RequestEntityTooLarge, answer_too_large)
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(Exception, answer_crash)


def answer_problem(problem: ProblemError) -> Response:
    """Problem with a type of its own."""
    return _respond(problem.status, TYPE_PREFIX + problem.kind, problem.detail, problem.headers)


def answer_too_large(_error: RequestEntityTooLarge) -> Response:
    """413 with the limit, which Flask's own text does not name."""
    limit = current_app.config["MAX_CONTENT_LENGTH"] / (1024 * 1024)
    return _respond(413, TYPE_PREFIX + "too-large", f"The request is larger than {limit:g} MiB.", {})


def answer_http_error(error: HTTPException) -> Response:
    """Flask's own errors, with their headers (405 carries Allow)."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    if status < HTTPStatus.BAD_REQUEST:
        return Response(status=status, headers=headers)
    return _respond(status, "about:blank", error.description or HTTPStatus(status).phrase, headers)


def answer_crash(error: Exception) -> Response:
    """A bug: the log gets the traceback, the caller does not."""
    fields = {"request_id": current_request_id()}
    logger.error("unexpected error on %s %s", request.method, request.path, exc_info=error, extra={"fields": fields})
    return _respond(500, "about:blank", "The service met an unexpected error; its log has the details.", {})


def _respond(status: int, kind: str, detail: str, headers: Mapping[str, str]) -> Response:
    body = {
        "type": kind,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "request_id": current_request_id(),
    }
    return Response(json.dumps(body), status=status, headers=dict(headers), mimetype=MEDIA_TYPE)
