"""Notices a saved source file in a tenth of a second; gunicorn's own reloader looks once a second."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Optional

from serving.source_watch import SourceWatch

SECONDS = 0.1


class SourceReloader(threading.Thread):
    """Stands in for gunicorn's polling reloader: watches the files beside app.py and in pose_service."""

    def __init__(
        self,
        extra_files: Optional[Iterable[str]] = None,
        interval: float = SECONDS,
        callback: Optional[Callable[[str], None]] = None,
    ) -> None:
        super().__init__(name="reloader", daemon=True)
        self._extra_files = set(extra_files or ())
        self._seconds = min(interval, SECONDS)
        self._callback = callback
        self._watch = SourceWatch()
        self._sources: set[str] = set()
        # gunicorn makes this thread, imports the app and then starts the thread: what is saved meanwhile has changed.
        self._look()

    def add_extra_file(self, filename: str) -> None:
        """gunicorn names a file that did not even import."""
        self._extra_files.add(filename)

    def run(self) -> None:
        """Look again and again."""
        while True:
            changed = self._look()
            if changed and self._callback is not None:
                self._callback(changed[0])
            time.sleep(self._seconds)

    def _look(self) -> list[str]:
        """What changed or is new: a module that somebody forgot, or a file that its editor wrote under another name."""
        before, self._sources = self._sources, _source_files()
        added = sorted(self._sources - before)
        return [*added, *self._watch.changed(self._sources | self._extra_files)]


def _source_files() -> set[str]:
    root = Path.cwd()
    return {os.fspath(path) for path in (root / "app.py", *(root / "pose_service").rglob("*.py"))}
