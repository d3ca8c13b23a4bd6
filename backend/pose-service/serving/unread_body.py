"""Ends a connection whose request body nobody reads: what is left of it would be taken for the next request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any


class UnreadBodies:
    """WSGI middleware: adds `Connection: close` to such an answer; the worker's loop discards the rest.

    `request` of the thread is gunicorn's Request, set by the worker before the application is called.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self.current = threading.local()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The app's answer."""
        request = self.current.request

        def start(*arguments: Any) -> Any:
            if is_unread(request.body):
                request.force_close()
            return start_response(*arguments)

        return self._app(environ, start)


def is_unread(body: Any) -> bool:
    """Is more of gunicorn's request body to come, or was it given up in a broken place?"""
    length = getattr(body.reader, "length", None)
    # A reader of chunks drops its parser after the last one.
    return length > 0 if length is not None else getattr(body.reader, "parser", None) is not None
