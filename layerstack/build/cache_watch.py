"""Notices, while a build runs, that BuildKit executes steps of images that it should have in its cache."""

import time
from collections.abc import Iterable, Sequence

from layerstack.build.buildlog import BuildLog, BuildReport
from layerstack.build.vertex import Vertex

# A cached step is first told as started, or even as finished, and only then as cached; on a busy machine that takes
# a moment. An executed one that is over sooner has cost nothing: it is noticed at the end.
SETTLE_SECONDS = 2.0


class CacheEvicted(Exception):
    """BuildKit executes steps of images that are fresh: their cache is gone, the images are not."""

    def __init__(self, images: Iterable[str]) -> None:
        self.images = frozenset(images)
        super().__init__(", ".join(sorted(self.images)))


class CacheWatch:
    """Watches the steps of the `fresh` images in one stream."""

    def __init__(self, log: BuildLog, fresh: Iterable[str]) -> None:
        self._log = log
        self._fresh = frozenset(fresh)
        self._suspects: dict[str, tuple[str, float]] = {}

    def take(self, changed: Sequence[Vertex]) -> None:
        """Remember steps that may be executed, forget those that turn out to be cached."""
        for vertex in changed if self._fresh else ():
            step = self._log.step(vertex) if vertex.intervals else None
            if step is None or not step.is_counted or step.image not in self._fresh:
                continue
            if step.is_cached:
                self._suspects.pop(vertex.digest, None)
            else:
                self._suspects.setdefault(vertex.digest, (step.image, time.monotonic()))

    def check(self) -> None:
        """Raises CacheEvicted when a step has not turned out to be cached for too long."""
        now = time.monotonic()
        lost = {image for image, since in self._suspects.values() if now - since > SETTLE_SECONDS}
        if lost:
            raise CacheEvicted(lost)

    def finish(self, report: BuildReport) -> None:
        """Raises CacheEvicted when a step was executed after all."""
        lost = {step.image for step in report.executed} & self._fresh
        if lost:
            raise CacheEvicted(lost)
