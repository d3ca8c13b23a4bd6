"""BuildKit's rawjson progress stream (one JSON object a line) read into a `BuildReport`.

Facts the code relies on: zero values are omitted, a vertex is repeated and merged by digest and may run in several
intervals, log data is base64 or null for no bytes, lines that are not JSON are the error message.
Source: moby/buildkit `client.SolveStatus`.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from layerstack.build.critical_path import find_path
from layerstack.build.vertex import KEPT_LOG_BYTES, Vertex
from layerstack.dockerfile.instruction import STEP_KEYWORDS
from layerstack.dockerfile.references import familiar

# BuildKit's own work for an image, by how its name begins.
WorkKind = Literal["transfer", "pull", "export"]
WORK: Mapping[str, WorkKind] = {
    "load build context": "transfer",
    "load from client": "transfer",
    "exporting to": "export",
    "unpacking to": "export",
    "FROM ": "pull",
}
# `[app linux/amd64 deps 2/4] RUN npm ci`
_STEP = re.compile(r"^\[(?P<words>[^\]]*?)\s*(?P<number>\d+)/(?P<total>\d+)\] (?P<instruction>.+)$", re.DOTALL)
# `[app internal] load build context`
_PREFIX = re.compile(r"^\[(?P<words>[^\]]*)\]\s*(?P<rest>.*)$", re.DOTALL)
# `linux/amd64`, `linux/arm/v7`
_PLATFORM = re.compile(r"^[a-z0-9]+/[a-z0-9]+(/v\d+)?$")


@dataclass(frozen=True)
class Step:
    """One Dockerfile instruction as it was executed or found in the cache. `seconds` is its own running time.

    `inputs` are the digests of what it was made from.
    """

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
    inputs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.stage} {self.number}/{self.total} {self.instruction}".strip()

    @property
    def key(self) -> str:
        """What stays the same between builds: stage and instruction. Digests below a local context do not."""
        return f"{self.stage} {' '.join(self.instruction.split())}".strip()

    @property
    def has_failed(self) -> bool:
        """By itself: one that still ran when another one failed has an error, too."""
        return is_failure(self.error)

    @property
    def is_counted(self) -> bool:
        """Whether this is work of the Dockerfile (FROM only resolves an image)."""
        return self.instruction.removeprefix("ONBUILD ").split(maxsplit=1)[0].upper() in STEP_KEYWORDS


@dataclass(frozen=True)
class Work:
    """BuildKit's own work for an image: `transfer` of a context, `pull` of a system image, `export` of the result.

    `started` is seconds since the epoch.
    """

    image: str
    kind: WorkKind
    started: float
    seconds: float
    digest: str


@dataclass(frozen=True)
class BuildReport:
    """What one bake call did, in `seconds`.

    `critical` are the digests of the steps and works that the end of the build waited for, first to last. `exported`
    maps each tag that was set to the id of its image.
    """

    ok: bool
    seconds: float
    steps: tuple[Step, ...]
    message: str = ""
    failed_log: str = ""
    works: tuple[Work, ...] = ()
    critical: tuple[str, ...] = ()
    exported: Mapping[str, str] = field(default_factory=dict)

    @property
    def executed(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.is_counted and not step.is_cached)

    @property
    def cached(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.is_counted and step.is_cached)

    @property
    def failed(self) -> Step | None:
        return next((step for step in self.steps if step.has_failed), None)

    def of(self, image: str) -> tuple[Step, ...]:
        """The counted steps of one image, in Dockerfile order."""
        return tuple(step for step in self.steps if step.image == image and step.is_counted)

    def work_seconds(self, image: str, *kinds: WorkKind) -> float:
        """Time that BuildKit's own work of these kinds took for one image."""
        return sum(work.seconds for work in self.works if work.image == image and work.kind in kinds)


EMPTY_REPORT = BuildReport(True, 0.0, ())


class BuildLog:
    """Collects the stream. `targets` are all bake targets of the call; with more than one, names are prefixed.

    The last target is the one that is asked for: names have no prefix when all others are images that are there.
    `place` may move a step to the image that declares it; it gets every step after those that it was made from.
    """

    def __init__(self, targets: Iterable[str], with_place: Callable[[Step], Step] = lambda step: step) -> None:
        ordered = tuple(targets)
        self.targets = frozenset(ordered)
        self._unprefixed = ordered[-1] if ordered else ""
        self._place_step = with_place
        self._placed: set[str] = set()
        self.vertices: dict[str, Vertex] = {}
        self.stray_lines: list[str] = []

    def feed(self, line: str) -> list[Vertex]:
        """Take one line of the stream; returns the vertices it changed. Lines that are not JSON are kept."""
        # A line that consists of a number or a quoted word is valid JSON, too, but not an event.
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
            vertex.log = (vertex.log + base64.b64decode(event.get("data") or ""))[-KEPT_LOG_BYTES:]
        return changed

    def step(self, vertex: Vertex) -> Step | None:
        """The Dockerfile step behind a vertex; None for BuildKit's own work."""
        match = _STEP.match(vertex.name)
        if not match or _is_download(vertex, match["instruction"]):
            return None
        self._place_inputs(vertex)
        image, stage = self._prefix(match["words"].split())
        step = Step(
            image=image,
            stage=stage,
            number=int(match["number"]),
            total=int(match["total"]),
            instruction=match["instruction"],
            is_cached=vertex.is_cached or _is_repeated(vertex, match["instruction"]),
            seconds=vertex.seconds,
            started=vertex.started,
            completed=vertex.completed,
            error=vertex.error,
            digest=vertex.digest,
            inputs=vertex.inputs,
        )
        return self._place_step(step)

    def _place_inputs(self, vertex: Vertex) -> None:
        # The stream has steps in no order, but stages of one name are told apart by the steps below them.
        if vertex.digest not in self._placed:
            self._placed.add(vertex.digest)
            for digest in vertex.inputs:
                if digest in self.vertices:
                    self.step(self.vertices[digest])

    def image_of(self, vertex: Vertex) -> str:
        """The bake target in the prefix of a vertex; a step that images share has an arbitrary one."""
        match = _PREFIX.match(vertex.name)
        return self._prefix(match["words"].split())[0] if match else ""

    def work(self, vertex: Vertex) -> Work | None:
        """BuildKit's own work behind a vertex, for the image that it names; None for a step and for the rest."""
        match = _PREFIX.match(vertex.name)
        text = match["rest"] if match else vertex.name
        kind = next((kind for beginning, kind in WORK.items() if text.startswith(beginning)), None)
        # A cached FROM has only resolved a name; nothing was pulled.
        if kind is None or vertex.started is None or (kind == "pull" and vertex.is_cached):
            return None
        image = self.image_of(vertex) if match else self._unprefixed
        return Work(image, kind, vertex.started, vertex.seconds, vertex.digest)

    def report(self, ok: bool, seconds: float) -> BuildReport:
        steps = [step for vertex in self.vertices.values() if vertex.is_done and (step := self.step(vertex))]
        works = self._works()
        failed = next((vertex for vertex in self.vertices.values() if is_failure(vertex.error) and vertex.log), None)
        return BuildReport(
            ok=ok,
            seconds=seconds,
            # The stream has the steps of all images in no particular order.
            steps=tuple(sorted(steps, key=lambda step: (step.image, step.stage, step.number))),
            message="\n".join(line for line in self.stray_lines if line.strip()),
            failed_log=failed.log.decode("utf-8", errors="replace") if failed else "",
            works=works,
            exported=dict(pair for vertex in self.vertices.values() for pair in _exported(vertex)),
            critical=find_path(
                self.vertices,
                {step.digest: step.image for step in steps if step.is_counted}
                | {work.digest: work.image for work in works},
            ),
        )

    def _works(self) -> tuple[Work, ...]:
        # A context or base that images share has the name of an arbitrary one: it belongs to an image that reads it.
        readers: dict[str, list[str]] = {}
        for vertex in self.vertices.values():
            if (step := self.step(vertex)) and step.is_counted:
                for digest in vertex.inputs:
                    readers.setdefault(digest, []).append(step.image)
        works = [work for vertex in self.vertices.values() if vertex.is_done and (work := self.work(vertex))]
        return tuple(
            work
            if work.image in readers.get(work.digest, [work.image])
            else replace(work, image=readers[work.digest][0])
            for work in works
        )

    def _take_vertex(self, event: dict[str, Any]) -> Vertex:
        vertex = self._vertex(event["digest"])
        vertex.take(event)
        return vertex

    def _vertex(self, digest: str) -> Vertex:
        return self.vertices.setdefault(digest, Vertex(digest))

    def _prefix(self, words: Sequence[str]) -> tuple[str, str]:
        """(image, stage) of a prefix like `[app linux/amd64 deps 2/4]`."""
        rest = [word for word in words if not _PLATFORM.match(word)]
        if len(self.targets) > 1 and rest and rest[0] in self.targets:
            image = rest.pop(0)
        else:
            image = self._unprefixed if len(rest) < 2 or len(self.targets) == 1 else ""
        return image, rest[-1] if rest else ""


# Seen with Engine 28.5: the first that an export shows is the image's id, on overlay2 and on containerd's store.
_IMAGE_ID = tuple(
    re.compile(rf"^{text} (sha256:[0-9a-f]{{64}})$")
    for text in ("writing image", "exporting manifest list", "exporting manifest")
)


def _exported(vertex: Vertex) -> Iterator[tuple[str, str]]:
    """(tag, image id) of everything that an export named."""
    ids = (match[1] for pattern in _IMAGE_ID for text in vertex.progress if (match := pattern.match(text)))
    image_id = next(ids, "")
    for text in vertex.progress if image_id else ():
        # `naming to docker.io/library/base-node:latest`
        if text.startswith("naming to "):
            yield familiar(text.removeprefix("naming to ")), image_id


def _is_download(vertex: Vertex, instruction: str) -> bool:
    # The source of an ADD from an address has the name of the step itself. It is asked for in every build, and only the
    # step that uses it says whether its content is new.
    return instruction.upper().startswith("ADD ") and "://" in instruction and not vertex.inputs


def _is_repeated(vertex: Vertex, instruction: str) -> bool:
    # A WORKDIR on scratch is made of nothing: BuildKit makes the folder in every build, and only the steps after it say
    # whether something is new.
    return not vertex.inputs and instruction.removeprefix("ONBUILD ").upper().startswith("WORKDIR ")


def is_failure(error: str) -> bool:
    """Whether a step failed by itself: one that was still running when another failed is only cancelled."""
    # The error quotes the command, which may say "canceled" too: only its end tells (as in moby/buildkit progressui).
    return bool(error) and not error.endswith("context canceled")
