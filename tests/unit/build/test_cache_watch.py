"""A cached step that is told late is not an executed one; an executed one is noticed."""

import json
from typing import Any

import pytest

from layerstack.build import cache_watch
from layerstack.build.buildlog import BuildLog
from layerstack.build.cache_watch import SETTLE_SECONDS, CacheEvicted, CacheWatch


class Stream:
    """A build of `base` and `app`, of which `base` is fresh, on a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *fresh: str) -> None:
        self.now = 100.0
        monkeypatch.setattr(cache_watch.time, "monotonic", lambda: self.now)
        self.log = BuildLog(["base", "app"])
        self.watch = CacheWatch(self.log, fresh)

    def tell(self, name: str, started: int | None = None, completed: int | None = None, **more: Any) -> None:
        moments = {"started": started, "completed": completed}
        times = {key: f"2026-11-20T10:00:{value:02d}Z" for key, value in moments.items() if value is not None}
        line = json.dumps({"vertexes": [{"digest": name, "name": name, **times, **more}]})
        self.watch.take(self.log.feed(line))
        self.watch.check()

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.watch.check()

    def finish(self) -> None:
        self.watch.finish(self.log.report(ok=True, seconds=1.0))


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Stream:
    return Stream(monkeypatch, "base")


def test_a_step_that_is_told_as_cached_a_moment_after_its_start_is_cached(stream: Stream) -> None:
    """As a busy machine tells it."""
    stream.tell("[base 2/3] RUN x", 1)
    stream.wait(SETTLE_SECONDS * 0.9)
    stream.tell("[base 2/3] RUN x", 1, 2)
    stream.tell("[base 2/3] RUN x", 2, 3, cached=True)
    stream.wait(SETTLE_SECONDS * 2)
    stream.finish()


def test_a_step_that_runs_on_is_executed(stream: Stream) -> None:
    stream.tell("[base 2/3] RUN x", 1)
    with pytest.raises(CacheEvicted) as caught:
        stream.wait(SETTLE_SECONDS + 0.1)
    assert caught.value.images == {"base"}


def test_a_short_executed_step_is_noticed_at_the_end(stream: Stream) -> None:
    stream.tell("[base 2/3] RUN x", 1, 2)
    with pytest.raises(CacheEvicted):
        stream.finish()


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("[app 2/3] RUN x", (1,)),
        ("[base 1/3] FROM y", (1,)),
        ("[base internal] load build context", (1,)),
        ("[base 2/3] RUN x", ()),
    ],
    ids=["of a stale image", "FROM", "of BuildKit itself", "not started"],
)
def test_what_is_no_execution_of_a_fresh_image_is_passed_over(
    stream: Stream, name: str, times: tuple[int, ...]
) -> None:
    stream.tell(name, *times)
    stream.wait(SETTLE_SECONDS * 2)
    stream.finish()


def test_nothing_fresh_means_nothing_to_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(monkeypatch)
    stream.tell("[base 2/3] RUN x", 1, 2)
    stream.wait(SETTLE_SECONDS * 2)
    stream.finish()
