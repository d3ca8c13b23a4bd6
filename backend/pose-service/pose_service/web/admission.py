"""Who may come in: a bounded number of uploads, and none while the service stops."""

from __future__ import annotations

from flask import Flask, Response, after_this_request, request

from pose_service.pool.engine_pool import EnginePool


def register_admission(app: Flask, pool: EnginePool) -> None:
    """Every POST takes a place before its body is read, and holds it until its answer is sent.

    Raises BusyError or StoppingError in the request. What only asks (/health, /metrics) needs no place, so it is
    answered however many uploads there are.
    """

    def admit() -> None:
        if request.method == "POST" and request.url_rule is not None:
            pool.admit()
            after_this_request(leave_when_sent)

    def leave_when_sent(response: Response) -> Response:
        response.call_on_close(pool.leave)
        return response

    app.before_request(admit)
