"""BuildKit's rawjson progress stream (one JSON object a line) read into a `BuildReport`.

Facts the code relies on: zero values are omitted, a vertex is repeated and merged by digest and may run in several
intervals, log data is base64, lines that are not JSON are the error message.
Source: moby/buildkit `client.SolveStatus`.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

STEP_INSTRUCTIONS = ("RUN", "COPY", "ADD", "WORKDIR")
KEPT_LOG_BYTES = 64 * 1024
_STEP = re.compile(r"^\[(?P<words>[^\]]*?)\s*(?P<number>\d+)/(?P<total>\d+)\] (?P<instruction>.+)$", re.DOTALL)
_PREFIX = re.compile(r"^\[(?P<words>[^\]]*)\]\s*(?P<rest>.*)$", re.DOTALL)
_PLATFORM = re.compile(r"^[a-z0-9]+/[a-z0-9]+(/v\d+)?$")


@dataclass(frozen=True)
class Step:
    """One Dockerfile instruction as it was executed or found in the cache. `seconds` is its own running time."""

    image: str
    stage: str
    number: int
    total: int
    instruction: str
    is_cached: bool
    seconds: float
    started: float | None = None
    completed: float | None = None
    error: str = ""
    digest: str = ""
    place: str = ""

    @property
    def name(self) -> str:
        return f"{self.stage} {self.number}/{self.total} {self.instruction}".strip()

    @property
    def key(self) -> str:
        """What stays the same between builds: stage and instruction. Digests below a local context do not."""
        return f"{self.stage} {' '.join(self.instruction.split())}".strip()

    @property
    def is_counted(self) -> bool:
        """Whether this is work of the Dockerfile (FROM only resolves an image)."""
        return self.instruction.split(" ", 1)[0].upper() in STEP_INSTRUCTIONS


@dataclass(frozen=True)
class BuildReport:
    """What one bake call did. Seconds: `transfer` and `export` per image, `seconds` for the whole call."""

    ok: bool
    seconds: float
    steps: tuple[Step, ...]
    transfer_seconds: dict[str, float]
    export_seconds: dict[str, float]
    message: str = ""
    failed_log: str = ""

    @property
    def executed(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.is_counted and not step.is_cached)

    @property
    def cached(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.is_counted and step.is_cached)

    @property
    def failed(self) -> Step | None:
        return next((step for step in self.steps if step.error and "CANCELED" not in step.error.upper()), None)

    def of(self, image: str) -> tuple[Step, ...]:
        """The counted steps of one image, in Dockerfile order."""
        return tuple(step for step in self.steps if step.image == image and step.is_counted)


@dataclass
class Vertex:
    """A node of the build graph as far as the stream has told; times are seconds since the epoch."""

    digest: str
    name: str = ""
    inputs: tuple[str, ...] = ()
    is_cached: bool = False
    error: str = ""
    intervals: list[list[float | None]] = field(default_factory=list)
    log: bytes = b""
    progress: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def is_running(self) -> bool:
        return bool(self.intervals) and self.intervals[-1][1] is None

    @property
    def is_done(self) -> bool:
        return bool(self.intervals) and self.intervals[-1][1] is not None

    @property
    def started(self) -> float | None:
        return self.intervals[0][0] if self.intervals else None

    @property
    def completed(self) -> float | None:
        return self.intervals[-1][1] if self.intervals else None

    @property
    def seconds(self) -> float:
        return sum(end - start for start, end in self.intervals if start is not None and end is not None)

    def take(self, event: dict[str, Any]) -> None:
        self.name = event.get("name", self.name)
        self.inputs = tuple(event.get("inputs") or self.inputs)
        self.is_cached = event.get("cached", False)
        self.error = event.get("error", "")
        started = parse_time(event.get("started"))
        if started is None:
            return
        if not self.intervals or self.intervals[-1][0] != started:
            self.intervals.append([started, None])
        self.intervals[-1][1] = parse_time(event.get("completed"))


class BuildLog:
    """Collects the stream. `targets` are all bake targets of the call; with more than one, names wear a prefix.

    `place` may move a step to the image that declares it.
    """

    def __init__(self, targets: Iterable[str], place: Callable[[Step], Step] = lambda step: step) -> None:
        self.targets = frozenset(targets)
        self._place_step = place
        self.vertices: dict[str, Vertex] = {}
        self.stray_lines: list[str] = []

    def feed(self, line: str) -> list[Vertex]:
        """Take one line of the stream; returns the vertices it changed. Lines that are not JSON are kept."""
        if not line.startswith("{"):
            self.stray_lines.append(line)
            return []
        try:
            message = json.loads(line)
        except json.JSONDecodeError:
            self.stray_lines.append(line)
            return []
        changed = [self._take_vertex(event) for event in message.get("vertexes") or ()]
        for event in message.get("statuses") or ():
            self._vertex(event["vertex"]).progress[event.get("id", "")] = (
                event.get("current", 0),
                event.get("total", 0),
            )
        for event in message.get("logs") or ():
            vertex = self._vertex(event["vertex"])
            vertex.log = (vertex.log + base64.b64decode(event.get("data", "")))[-KEPT_LOG_BYTES:]
        return changed

    def step(self, vertex: Vertex) -> Step | None:
        """The Dockerfile step behind a vertex; None for BuildKit's own work."""
        match = _STEP.match(vertex.name)
        if not match:
            return None
        image, stage = self._prefix(match["words"].split())
        step = Step(
            image=image,
            stage=stage,
            number=int(match["number"]),
            total=int(match["total"]),
            instruction=match["instruction"],
            is_cached=vertex.is_cached,
            seconds=vertex.seconds,
            started=vertex.started,
            completed=vertex.completed,
            error=vertex.error,
            digest=vertex.digest,
        )
        return self._place_step(step)

    def image_of(self, vertex: Vertex) -> str:
        """The bake target whose prefix a vertex wears; a step that images share wears an arbitrary one."""
        match = _PREFIX.match(vertex.name)
        return self._prefix(match["words"].split())[0] if match else ""

    def report(self, ok: bool, seconds: float) -> BuildReport:
        steps = [step for vertex in self.vertices.values() if vertex.is_done and (step := self.step(vertex))]
        failed = next((vertex for vertex in self.vertices.values() if vertex.error and vertex.log), None)
        return BuildReport(
            ok=ok,
            seconds=seconds,
            steps=tuple(sorted(steps, key=lambda step: (step.image, step.stage, step.number))),
            transfer_seconds=self._sum(("load build context", "load from client")),
            export_seconds=self._sum(("exporting to", "unpacking to")),
            message="\n".join(line for line in self.stray_lines if line.strip()),
            failed_log=failed.log.decode("utf-8", errors="replace") if failed else "",
        )

    def _take_vertex(self, event: dict[str, Any]) -> Vertex:
        vertex = self._vertex(event["digest"])
        vertex.take(event)
        return vertex

    def _vertex(self, digest: str) -> Vertex:
        return self.vertices.setdefault(digest, Vertex(digest))

    def _prefix(self, words: Sequence[str]) -> tuple[str, str]:
        """(image, stage) from the words of a prefix like `[app linux/amd64 deps 2/4]`."""
        rest = [word for word in words if not _PLATFORM.match(word)]
        if len(self.targets) == 1:
            return next(iter(self.targets)), rest[-1] if rest else ""
        image = rest.pop(0) if rest and rest[0] in self.targets else ""
        return image, rest[-1] if rest else ""

    def _sum(self, beginnings: tuple[str, ...]) -> dict[str, float]:
        seconds: dict[str, float] = {}
        for vertex in self.vertices.values():
            match = _PREFIX.match(vertex.name)
            if match and match["rest"].startswith(beginnings):
                image = self.image_of(vertex)
                seconds[image] = seconds.get(image, 0.0) + vertex.seconds
        return seconds


def parse_time(text: str | None) -> float | None:
    """Seconds since the epoch from RFC 3339 with up to nine fractional digits; None for nothing or the zero time."""
    if not text or text.startswith("0001-"):
        return None
    whole, _, fraction = text.rstrip("Z").partition(".")
    moment = datetime.fromisoformat(whole + "+00:00").timestamp()
    return moment + (float(f"0.{fraction}") if fraction else 0.0)
