"""The one case in which an image is kept instead of built: BuildKit has lost what it knew of it, the image is there.

BuildKit runs a step when it has no result for it. For an image that we read as unchanged that has two reasons: our
reading is wrong, or its cache records are gone. Only with evidence of the second the stored image is used.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property
from time import monotonic

from layerstack.build.buildlog import BuildLog, BuildReport
from layerstack.build.plan import Plan, PlannedImage
from layerstack.build.vertex import Vertex
from layerstack.engine.cache_records import CacheRecord, describes, read_cache
from layerstack.wait import beside

# A cached step is reported as started, sometimes even as finished, and only a moment later as cached.
SETTLE_SECONDS = 0.3
# Sees the images whose steps run, and may raise to end the call.
RunningWatch = Callable[[set[str], "Evidence"], None]


class NeedNotRun(Exception):
    """BuildKit executes steps of images that need not be built: the call is ended."""

    def __init__(self, images: Iterable[str]) -> None:
        self.images = frozenset(images)
        super().__init__(", ".join(sorted(self.images)))


class CacheGone(NeedNotRun):
    """The images are there unchanged, and BuildKit's records of them are gone.

    Some may have been built before this was seen: their tags name other images by then.
    """


class SharedFound(NeedNotRun):
    """A team's registry has the images."""


@dataclass(frozen=True)
class Evidence:
    """What is read as unchanged, and the cache records that there are. `forced` images are to be built in any case."""

    plan: Plan
    records: tuple[CacheRecord, ...]
    forced: frozenset[str] = frozenset()

    @cached_property
    def record_ids(self) -> frozenset[str]:
        return frozenset(record.id for record in self.records)

    def is_keepable(self, planned: PlannedImage) -> bool:
        """Whether the stored image is for certain what a build would make: recorded, unchanged, fully understood."""
        return (
            planned.is_fresh
            and planned.is_recorded
            and not planned.manifest.unknown
            and planned.name not in self.forced
        )

    def is_gone(self, planned: PlannedImage, location: str = "") -> bool:
        """Whether all records that could hold the result of a step (of every step) of its last build are gone.

        A step of which no record was ever seen is no evidence.
        """
        known = planned.last.cache_records if planned.last else {}
        steps = [known.get(location, ())] if location else list(known.values())
        # If one record is left, BuildKit may have the result: the step then runs because our reading is wrong.
        return bool(steps) and all(ids and not self.record_ids & set(ids) for ids in steps)

    def is_unknown_to_cache(self, planned: PlannedImage, passed_over: Sequence[str]) -> bool:
        """Whether nobody has built a keepable image since its cache was gone: asking would only begin to run it."""
        records = (record for record in self.records if record.id not in passed_over)
        return self.is_keepable(planned) and not any(looks_like_step(planned, record) for record in records)

    def lost_with(self, name: str) -> frozenset[str]:
        """All images that can only be kept once this one is: itself, those whose records are gone, too, and those that
        are built on the steps of one of them, since theirs were found by way of these."""
        lost = {name}
        for one in self.plan.images:
            if self.is_keepable(one) and (self.is_gone(one) or lost & _found_by(one)):
                lost.add(one.name)
        return frozenset(lost)


def _found_by(planned: PlannedImage) -> set[str]:
    """The parents by way of whose steps its own are found: not those that it was built on as stored images."""
    return set(planned.image.parents).difference(planned.last.on_images if planned.last else ())


def looks_like_step(planned: PlannedImage, record: CacheRecord) -> bool:
    """Whether a record looks like a step of an image."""
    return any(describes(record, line) for stage in planned.manifest.stages for line in stage.steps)


class Keeper:
    """Watches one bake call for steps of images that could be kept.

    `read_plan` may take as long as reading every context: it runs beside the build. The cache records are only asked
    for when a step runs.
    """

    def __init__(
        self,
        read_plan: Callable[[], Plan],
        forced: frozenset[str] = frozenset(),
        never_keeps: bool = False,
        watch_running: RunningWatch | None = None,
    ) -> None:
        self.never_keeps = never_keeps
        self._watch_running = watch_running
        self._read_plan = read_plan
        self._forced = forced
        self._plan: Future[Plan] | None = None
        self._evidence: Future[Evidence] | None = None
        self._log: BuildLog | None = None
        self._suspects: dict[str, float] = {}

    def begin(self) -> None:
        """Begin to read, beside whatever comes next."""
        if self._plan is None:
            self._plan = beside(self._read_plan)

    @property
    def finished_plan(self) -> Plan | None:
        """The plan, if it was read by now."""
        is_read = self._plan is not None and self._plan.done() and not self._plan.exception()
        return self._plan.result() if is_read and self._plan else None

    @property
    def evidence(self) -> Evidence:
        """Read now, or taken from the reading that began with the first step. Raises UsageError, EngineError."""
        return self._ask().result()

    def watch(self, log: BuildLog, changed: Sequence[Vertex]) -> None:
        """Raises CacheGone as soon as a step runs that need not."""
        if log is not self._log:  # another call: what ran in the one before is over
            self._log = log
            self._suspects.clear()
        for vertex in changed:
            step = log.step(vertex) if vertex.intervals else None
            if step is None or not step.is_counted:
                continue
            if step.is_cached:
                self._suspects.pop(vertex.digest, None)
            else:
                # Evidence is read from now on, so that it is there when the step turns out to run.
                self._suspects.setdefault(vertex.digest, monotonic())
                self._ask()
        # A step that prints nothing counts as well: only time decides.
        settled = [digest for digest, since in self._suspects.items() if monotonic() - since > SETTLE_SECONDS]
        # The build does not wait for the evidence: `finish` checks again at its end.
        if settled and self._evidence and self._evidence.done():
            places = [(step.image, step.place) for one in settled if (step := log.step(log.vertices[one]))]
            self._require_needed(places)
            if self._watch_running:
                self._watch_running({image for image, _ in places}, self.evidence)

    def finish(self, report: BuildReport) -> None:
        """Raises CacheGone when a step was over before anybody could see it."""
        if report.executed:
            self._require_needed((step.image, step.place) for step in report.executed)

    def _ask(self) -> "Future[Evidence]":
        self.begin()
        if self._evidence is None:
            self._evidence = beside(self._read)
        return self._evidence

    def _read(self) -> Evidence:
        assert self._plan
        # What this build adds to the records does not matter: those of the last build are looked for.
        records = read_cache().records
        return Evidence(self._plan.result(), records, self._forced)

    def _require_needed(self, running: Iterable[tuple[str, str]]) -> None:
        if self.never_keeps:
            return
        evidence = self.evidence
        known = {one.name: one for one in evidence.plan.images}
        for image, place in running:
            one = known.get(image)
            # All lost images together: each one found later would end another call.
            if one and evidence.is_keepable(one) and evidence.is_gone(one, place):
                raise CacheGone(evidence.lost_with(image))
