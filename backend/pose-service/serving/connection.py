"""One client's connection, from its acceptance to its end."""

from __future__ import annotations

import fcntl
import io
import socket
import struct
import termios
import time
from typing import Any

from gunicorn.http import RequestParser

HEAD_END = b"\r\n\r\n"
# What may wait in the kernel for a client that has not yet taken it, before its next request is looked at.
UNSENT_BYTES = 64 * 1024
# Holds an answer of any request that needs no place (see pose_service admission) beside UNSENT_BYTES: a client that
# does not read cannot keep a thread with them.
SEND_BUFFER_BYTES = 512 * 1024
CHUNK_BYTES = 64 * 1024


class ClientSocket(socket.socket):
    """A socket whose sends may wait for the client only so long together: `patience_seconds`, renewed for an answer."""

    patience_seconds = float("inf")

    def sendall(self, data: Any, *args: Any) -> None:
        """Send everything. Raises TimeoutError when the client takes it too slowly, and OSError as always."""
        if self.patience_seconds == float("inf"):
            super().sendall(data, *args)
            return
        began = time.monotonic()
        self.settimeout(max(self.patience_seconds, 0.001))
        try:
            # Python's own timeout of a sendall is for all of the data.
            super().sendall(data, *args)
        finally:
            self.patience_seconds -= time.monotonic() - began
            self.settimeout(None)


class Connection:
    """What gunicorn's worker calls a TConn: it reads sock, client, server and parser.

    `head` is what was received of the next request; `deadline` ends every state that costs no thread.
    """

    def __init__(self, cfg: Any, accepted: socket.socket, client: Any, server: Any) -> None:
        self.sock = ClientSocket(fileno=accepted.detach())
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self.client = client
        self.server = server
        self.parser = RequestParser(cfg, self.sock, client)
        self.head = bytearray()
        self.has_head = False
        self.deadline = 0.0
        self.discarded_bytes = 0

    @property
    def is_behind(self) -> bool:
        """Does much of the last answer wait for the client?"""
        (waiting,) = struct.unpack("i", fcntl.ioctl(self.sock.fileno(), termios.TIOCOUTQ, bytes(4)))
        return bool(waiting > UNSENT_BYTES)

    def receive(self) -> bytes:
        """What is there, without waiting; empty when the client is done or gone. Raises BlockingIOError."""
        try:
            return self.sock.recv(CHUNK_BYTES)
        except BlockingIOError:
            raise
        except OSError:
            return b""

    def add(self, received: bytes) -> None:
        """Join it to the head, and see whether the head is whole now."""
        # Only what is new is searched: a head may come byte by byte.
        start = max(0, len(self.head) - len(HEAD_END) + 1)
        self.head += received
        self.has_head = self.has_head or self.head.find(HEAD_END, start) >= 0

    def begin(self, send_seconds: float) -> None:
        """A thread takes over: give the head to the parser, and wait for the client where nothing comes."""
        self.parser.unreader.unread(bytes(self.head))
        self.head.clear()
        self.has_head = False
        self.sock.setblocking(True)
        self.sock.patience_seconds = send_seconds

    def rest(self) -> None:
        """The answer is sent: take back what the client sent behind its request."""
        self.sock.setblocking(False)
        self.sock.patience_seconds = float("inf")
        self.add(self.parser.unreader.buf.getvalue())
        self.parser.unreader.buf = io.BytesIO()

    def close(self) -> None:
        """End it."""
        self.sock.close()
