"""A small HTTP server that serves one file and misbehaves as it is told."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Optional


@dataclass
class WeightsServer:
    """`with WeightsServer(content) as server:`. breaks: after how many bytes each of the next answers ends.

    statuses: what the next answers are instead. ranges: the Range headers that were sent, None without one.
    """

    content: bytes
    etag: str = '"1"'
    has_ranges: bool = True
    breaks: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ranges: list[Optional[str]] = field(default_factory=list)

    def __enter__(self) -> WeightsServer:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/file.bin"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        self.ranges.append(wanted)
        if self.statuses:
            handler.send_error(self.statuses.pop(0))
            return
        is_same = handler.headers.get("If-Range") == self.etag
        begin = int(wanted.partition("=")[2].rstrip("-")) if wanted and self.has_ranges and is_same else 0
        rest = self.content[begin:]
        handler.send_response(206 if begin else 200)
        handler.send_header("Content-Length", str(len(rest)))
        if self.etag:
            handler.send_header("ETag", self.etag)
        handler.end_headers()
        handler.wfile.write(rest[: self.breaks.pop(0)] if self.breaks else rest)
