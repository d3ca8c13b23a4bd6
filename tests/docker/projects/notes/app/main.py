"""Answers with what is written in the notes, and how often that was asked."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from app.store import Store

store = Store(os.environ["NOTES_DIR"])


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"asked {store.count()} times\n".encode())

    def log_message(self, *_: object) -> None: ...


ThreadingHTTPServer((os.environ["LISTEN"], 8000), Answer).serve_forever()
