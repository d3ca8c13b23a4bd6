"""The type of the fixture `start`."""

from __future__ import annotations

from typing import Protocol

from server import Server


class Start(Protocol):
    """Starts a server in the copy of the source that is the test's tmp_path."""

    def __call__(self, **environment: str) -> Server:
        """Environment variables of the server."""
