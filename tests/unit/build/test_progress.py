"""What a person sees of a build."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerstack.build import progress
from layerstack.build.buildlog import BuildLog
from layerstack.build.estimate import Estimate
from layerstack.build.progress import LiveTable, PlainLog
from layerstack.wording import duration, megabytes, short


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """`clock[0]` is the time that the module sees."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress.time, "time", lambda: now[0])
    return now


def event(digest: str, name: str, start: float | None = None, end: float | None = None, **more: Any) -> str:
    def moment(seconds: float) -> str:
        return f"1970-01-01T00:{int(seconds) // 60:02d}:{seconds % 60:06.3f}Z"

    times = {key: moment(value) for key, value in (("started", start), ("completed", end)) if value is not None}
    return json.dumps({"vertexes": [{"digest": digest, "name": name, **times, **more}]})


def lines(output: io.StringIO) -> list[str]:
    return [re.sub(r"^\[ *[\d.]+ s\] ", "", line) for line in output.getvalue().splitlines()]


def feed(observer: PlainLog | LiveTable, log: BuildLog, text: str) -> None:
    observer.update(log, log.feed(text))


def test_a_plain_log_has_a_line_for_every_executed_step(clock: list[float]) -> None:
    output, log = io.StringIO(), BuildLog(["app", "web"])
    plain = PlainLog(output)
    plain.begin(["app", "web"], lambda: Estimate({"app": 130.0, "web": 0.2}))
    feed(plain, log, event("1", "[app deps 2/3] RUN install", 0, 5))
    feed(plain, log, event("2", "[app internal] load build context", 0, 1))
    feed(plain, log, event("3", "[web 2/2] COPY . .", 0, 1, cached=True))
    feed(plain, log, event("4", "[web 1/2] FROM x", 0, 1))
    plain.end(log.report(ok=True, seconds=6))
    assert lines(output)[0] == "building app (usually 2 min), web"
    assert [line for line in lines(output)[1:-1]] == ["app                    deps 2/3 RUN install  5.0 s"]
    assert "1 step ran, 1 cached" in lines(output)[-1]


def test_a_step_that_turns_out_to_be_cached_is_not_announced_as_run(clock: list[float]) -> None:
    output, log = io.StringIO(), BuildLog(["app"])
    plain = PlainLog(output)
    plain.begin(["app"], Estimate)
    feed(plain, log, event("1", "[2/2] RUN x", 0, 0.1))
    clock[0] += 0.05
    feed(plain, log, event("1", "[2/2] RUN x", 0.1, 0.2, cached=True))
    clock[0] += 5
    plain.tick()
    assert not any("RUN x" in line for line in lines(output))


def test_a_failed_step_is_marked(clock: list[float]) -> None:
    output, log = io.StringIO(), BuildLog(["app"])
    plain = PlainLog(output)
    feed(plain, log, event("1", "[2/2] RUN x", 0, 1, error="exit code: 1"))
    plain.end(log.report(ok=False, seconds=1))
    assert any("FAILED 2/2 RUN x" in line for line in lines(output))
    assert "failed" in lines(output)[-1]


def test_a_step_that_ends_with_the_failure_of_another_has_not_failed(clock: list[float]) -> None:
    output, log = io.StringIO(), BuildLog(["app"])
    plain = PlainLog(output)
    feed(plain, log, event("1", "[2/2] RUN x", 0, 1, error="context canceled: context canceled"))
    plain.end(log.report(ok=False, seconds=1))
    assert any("canceled 2/2 RUN x" in line for line in lines(output))


def test_a_long_silent_step_gives_a_sign_of_life(clock: list[float]) -> None:
    output, log = io.StringIO(), BuildLog(["app"])
    plain = PlainLog(output)
    plain.begin(["app"], Estimate)
    feed(plain, log, event("1", "[2/2] RUN compile", 1000))
    for _ in range(9):
        clock[0] += 5
        plain.tick()
    assert sum("RUN compile has been running for" in line for line in lines(output)) == 2


def test_the_live_table_shows_each_image_and_survives_odd_text(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.console import Console

    output = io.StringIO()
    monkeypatch.setenv("TERM", "xterm")
    table = LiveTable()
    table._console = table._live.console = Console(file=output, force_terminal=True, width=160, color_system=None)
    log = BuildLog(["app", "web", "idle"])
    table.begin(["app", "web", "idle"], lambda: Estimate({"app": 99.0}))
    feed(table, log, event("1", "[app 2/3] RUN grep [a-z] [/bin] x", 998))
    clock[0] += 1
    feed(table, log, event("2", "[web 2/2] COPY . .", 0, 1, error="exit code: 1"))
    clock[0] += 1
    table.tick()
    shown = output.getvalue()
    assert "RUN grep [a-z] [/bin] x" in shown
    assert "usually 2 min" in shown
    assert "waiting" in shown
    assert "failed" in shown
    table.end(log.report(ok=False, seconds=2))


@pytest.mark.parametrize(("is_terminal", "kind"), [(True, LiveTable), (False, PlainLog)])
def test_a_live_table_needs_a_terminal(monkeypatch: pytest.MonkeyPatch, is_terminal: bool, kind: type) -> None:
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: is_terminal, raising=False)
    assert isinstance(progress.observer_for_terminal(), kind)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (0.44, "0.4 s"), (12.4, "12 s"), (119.4, "119 s"), (200, "3 min 20 s"), (3600, "60 min 0 s")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 MB"), (12_400_000, "12 MB"), (999_000_000, "999 MB"), (3.4e9, "3.40 GB")]
)
def test_sizes(size: float, text: str) -> None:
    assert megabytes(size) == text


@given(st.text(), st.integers(1, 60))
def test_shortened_text_fits_on_one_line(text: str, width: int) -> None:
    found = short(text, width)
    assert len(found) <= width
    assert len(found.splitlines()) <= 1
    assert found.rstrip("…") == " ".join(text.split())[: len(found.rstrip("…"))]
