"""A node of BuildKit's build graph, as its progress stream describes it."""

from dataclasses import dataclass, field
from typing import Any

from layerstack.moment import read_time

# The error is at the end of a log, and a step that floods its output must not fill the memory.
KEPT_LOG_BYTES = 64 * 1024


@dataclass
class Vertex:
    """A node of the build graph as far as the stream has told; times are seconds since the epoch.

    `intervals` maps the start of each to its end.
    """

    digest: str
    name: str = ""
    inputs: tuple[str, ...] = ()
    is_cached: bool = False
    error: str = ""
    intervals: dict[float, float | None] = field(default_factory=dict)
    log: bytes = b""
    progress: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def is_running(self) -> bool:
        return None in self.intervals.values()

    @property
    def is_done(self) -> bool:
        return bool(self.intervals) and not self.is_running

    @property
    def started(self) -> float | None:
        return min(self.intervals, default=None)

    @property
    def completed(self) -> float | None:
        return max(end for end in self.intervals.values() if end is not None) if self.is_done else None

    @property
    def seconds(self) -> float:
        """Time spent. Images that share a step report it once each, at about the same time: that counts once."""
        total, counted_until = 0.0, float("-inf")
        for start, end in sorted((start, end) for start, end in self.intervals.items() if end is not None):
            total += max(0.0, end - max(start, counted_until))
            counted_until = max(counted_until, end)
        return total

    def take(self, event: dict[str, Any]) -> None:
        self.name = event.get("name", self.name)
        self.inputs = tuple(event.get("inputs") or self.inputs)
        # The stream omits false and empty values, so a missing key is an answer.
        self.is_cached = event.get("cached", False)
        self.error = event.get("error", "")
        started = read_time(event.get("started"))
        if started is not None:
            # A repeated event may lack the end that an earlier one had.
            self.intervals[started] = read_time(event.get("completed")) or self.intervals.get(started)
