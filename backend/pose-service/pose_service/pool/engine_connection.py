"""The web process' line to one engine process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Client, Connection
from multiprocessing.reduction import send_handle
from typing import IO, Any, Optional

from pose_service.contract.job import Task
from pose_service.pool.messages import Message
from pose_service.pool.roster import EngineEntry

# An engine that still works on a cancelled job answers when it is done with it.
HELLO_SECONDS = 30.0
# Smaller uploads are copied into memory, larger ones are on disk already.
MEMORY_BYTES = 1024 * 1024


class EngineConnection:
    """One connection carries one task after the other; closing it cancels the task that runs."""

    def __init__(self, entry: EngineEntry) -> None:
        """Connect and wait for the engine's first word. Raises OSError, EOFError, or TimeoutError when it hangs."""
        self.entry = entry
        self._connection: Connection[Any, Any] = Client(entry.address, "AF_UNIX")
        try:
            self._await_hello()
        except Exception:
            self.close()
            raise

    def start(self, task: Task, media_fd: int) -> None:
        """Hand over a task and its file; the engine answers Begun. Raises OSError when the engine is gone."""
        self._connection.send(task)
        send_handle(self._connection, media_fd, self.entry.pid)

    def receive(self, timeout_seconds: float) -> Optional[Message]:
        """The next message, None when there was none in time. Raises OSError or EOFError when the engine is gone."""
        if not self._connection.poll(timeout_seconds):
            return None
        message: Message = self._connection.recv()
        return message

    def _await_hello(self) -> None:
        if not self._connection.poll(HELLO_SECONDS):
            msg = f"the engine did not answer within {HELLO_SECONDS:g} s"
            raise TimeoutError(msg)
        self._connection.recv()

    def is_open(self) -> bool:
        """An idle engine says nothing: something to read is its end."""
        try:
            return not self._connection.poll(0)
        except OSError:
            return False

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@contextmanager
def shared_file(media: IO[bytes]) -> Iterator[int]:
    """A descriptor of the content of `media`, to hand to another process; nothing of it has a name on disk."""
    size = media.seek(0, os.SEEK_END)
    media.seek(0)
    disk_fd = _disk_fd(media) if size > MEMORY_BYTES else None
    if disk_fd is not None:
        yield disk_fd
        return
    with os.fdopen(os.memfd_create("upload"), "w+b") as memory:
        shutil.copyfileobj(media, memory)
        memory.flush()
        yield memory.fileno()


def _disk_fd(media: IO[bytes]) -> Optional[int]:
    try:
        media.flush()
        return media.fileno()
    except OSError:
        # io.UnsupportedOperation: it is in memory.
        return None
