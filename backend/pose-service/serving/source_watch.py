"""Notices changed source files."""

from __future__ import annotations

import os
from collections.abc import Iterable


class SourceWatch:
    """Remembers the modification times of files; `changed` compares."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}

    def changed(self, files: Iterable[str]) -> list[str]:
        """The files that changed or went since the last call; one seen for the first time has not changed."""
        times = {file: _modified(file) for file in files}
        known, self._times = self._times, times
        return sorted(file for file, time in times.items() if known.get(file, time) != time)


def _modified(file: str) -> int:
    try:
        return os.stat(file).st_mtime_ns  # noqa: PTH116  (a Path object per file and look costs more than the look)
    except OSError:
        return 0
