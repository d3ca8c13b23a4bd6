"""Progress of a build: a live table on a terminal, a plain log elsewhere."""

import atexit
import sys
import time
from collections.abc import Callable, Sequence
from typing import TextIO

from layerstack.build.buildlog import BuildLog, BuildReport, Step
from layerstack.build.estimate import Estimate, rough
from layerstack.build.step_text import instruction_of, stage_of
from layerstack.build.vertex import Vertex
from layerstack.report import console_for, shown
from layerstack.wording import counted, duration, short

# Without a terminal a long step prints nothing: a line shows that the build is alive.
HEARTBEAT_SECONDS = 20.0
# BuildKit may report a step as finished first, and as cached a moment later.
SETTLE_SECONDS = 0.3
# A build in which all is cached is over by then, and needs no table.
QUIET_SECONDS = 0.6
# Of a row: the mark, the time and the gaps.
LIVE_COLUMNS = 18


ReadEstimate = Callable[[], Estimate]


class BuildObserver:
    """Receives the progress of a build; this one shows nothing. The estimate is only read once a step runs: most builds
    change nothing."""

    def begin(self, images: Sequence[str], read_estimate: ReadEstimate) -> None: ...
    def update(self, log: BuildLog, changed: Sequence[Vertex]) -> None: ...
    def tick(self) -> None: ...
    def note(self, text: str) -> None: ...
    def end(self, report: BuildReport) -> None: ...


class PlainLog(BuildObserver):
    """One line a finished step; long silent ones get a sign of life. Silent while BuildKit finds all in its cache."""

    def __init__(self, output: TextIO = sys.stderr) -> None:
        self._output = output
        self._began = time.monotonic()
        self._last_line = self._began
        self._log: BuildLog | None = None
        self._finished: dict[str, float] = {}
        self._images: Sequence[str] = ()
        self._read_estimate: ReadEstimate = Estimate
        self._estimate: Estimate | None = None

    def begin(self, images: Sequence[str], read_estimate: ReadEstimate) -> None:
        self._began, self._images, self._read_estimate = time.monotonic(), images, read_estimate

    def _announce(self) -> Estimate:
        """Report once what is built, with the usual time."""
        if self._estimate is None:
            self._estimate = self._read_estimate()
            usual = {image: seconds for image, seconds in self._estimate.usual_seconds.items() if seconds >= 1}
            named = (f"{image} (usually {rough(usual[image])})" if image in usual else image for image in self._images)
            self._say(f"building {', '.join(named)}")
        return self._estimate

    def update(self, log: BuildLog, changed: Sequence[Vertex]) -> None:
        if log is not self._log:  # a build that began anew
            self._finished.clear()
        self._log = log
        for vertex in changed:
            if vertex.is_done:
                self._finished.setdefault(vertex.digest, time.monotonic())
        self._print_finished(time.monotonic() - SETTLE_SECONDS)

    def tick(self) -> None:
        self._print_finished(time.monotonic() - SETTLE_SECONDS)
        if self._log is None or time.monotonic() - self._last_line < HEARTBEAT_SECONDS:
            return
        steps = steps_by_image(self._log)
        for step in running_steps(self._log):
            since = duration(time.time() - (step.started or time.time()))
            outlook = self._announce().text(step.image, steps[step.image], time.time())
            ending = f"; {step.image}: {outlook}" if outlook else ""
            self._say(f"{step.image:<22} … {short(step.name, 60)} has been running for {since}{ending}")

    def note(self, text: str) -> None:
        self._say(text)

    def end(self, report: BuildReport) -> None:
        self._print_finished(time.monotonic())
        if self._estimate is None:
            return
        outcome = "done" if report.ok else "failed"
        self._say(f"build {outcome}: {counted(len(report.executed), 'step')} ran, {len(report.cached)} cached")

    def _print_finished(self, until: float) -> None:
        # Not at once: a step may be reported as finished first, and as cached a moment later.
        # 0 marks printed steps: the stream may report a vertex again.
        for digest in [digest for digest, moment in self._finished.items() if 0 < moment <= until]:
            self._finished[digest] = 0
            step = self._log.step(self._log.vertices[digest]) if self._log else None
            if step and step.is_counted and not step.is_cached:
                mark = "FAILED " if step.has_failed else "canceled " if step.error else ""
                self._announce()
                self._say(f"{step.image:<22} {mark}{short(step.name, 70)}  {duration(step.seconds)}")

    def _say(self, text: str) -> None:
        self._last_line = time.monotonic()
        timed = f"[{self._last_line - self._began:6.1f} s] {text}"
        print(shown(timed, self._output), file=self._output, flush=True)


class LiveTable(BuildObserver):
    """A row per image: what it is doing now, for how long, and what it has done."""

    def __init__(self) -> None:
        from rich.live import Live

        self._console = console_for(sys.stderr)
        self._live = Live(console=self._console, auto_refresh=False)
        atexit.register(self._live.stop)  # gives the cursor back after Ctrl-C
        self._images: Sequence[str] = ()
        self._read_estimate: ReadEstimate = Estimate
        self._estimate: Estimate | None = None
        self._log: BuildLog | None = None
        self._began = time.monotonic()
        self._drawn = 0.0

    def begin(self, images: Sequence[str], read_estimate: ReadEstimate) -> None:
        self._images, self._read_estimate, self._began = images, read_estimate, time.monotonic()

    def update(self, log: BuildLog, changed: Sequence[Vertex]) -> None:
        self._log = log
        self.tick()

    def tick(self) -> None:
        if self._estimate is None:
            if time.monotonic() - self._began < QUIET_SECONDS:
                return
            self._estimate = self._read_estimate()
            self._live.start()
        # Every line of the stream ends up here, and a step may print thousands.
        if time.monotonic() - self._drawn > 0.1:
            self._draw(None)

    def note(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def end(self, report: BuildReport) -> None:
        if self._estimate is not None:
            self._draw(report)
            # After a success the report that follows says all; after a failure the table shows how far the build got.
            self._live.transient = report.ok
            self._live.stop()

    def _draw(self, report: BuildReport | None) -> None:
        from rich.table import Table

        self._drawn = time.monotonic()
        table = Table(box=None, show_header=False, pad_edge=False)
        steps = steps_by_image(self._log) if self._log else {}
        for image in self._images:
            table.add_row(*self._row(image, steps.get(image, []), report))
        elapsed = duration(time.monotonic() - self._began)
        if report is None:
            table.add_row("", "", "", f"[dim]{elapsed} so far[/dim]")
        self._live.update(table, refresh=True)

    def _row(self, image: str, steps: Sequence[Step], report: BuildReport | None) -> tuple[str, str, str, str]:
        """A mark, the image, the time of its step so far, and that step or the result."""
        from rich.markup import escape

        done = [step for step in steps if step.completed is not None and step.is_counted]
        cached = sum(step.is_cached for step in done)
        counts = f"{len(done) - cached} ran, {cached} cached"
        outlook = self._estimate.text(image, steps, time.time()) if self._estimate else ""
        outlook = f" ({outlook})" if outlook else ""
        if any(step.has_failed for step in steps):
            return "[red]✗[/red]", image, "", f"[red]failed[/red] [dim]{counts}[/dim]"
        if report is not None:
            mark, word = ("[green]✓[/green]", "ready") if report.ok else (" ", "stopped")
            return mark, image, "", f"{word} [dim]{counts}[/dim]"
        current = next((step for step in steps if step.started is not None and step.completed is None), None)
        if current:
            since = duration(time.time() - (current.started or time.time()))
            room = self._console.width - max(map(len, self._images)) - len(outlook) - LIVE_COLUMNS
            text = escape(short(shown(what_runs(current.name), sys.stderr), max(12, room)))
            return "[cyan]▸[/cyan]", image, f"[bold]{since}[/bold]", f"{text}[dim]{outlook}[/dim]"
        return "[dim]·[/dim]", image, "", f"[dim]{'next step' if done else 'waiting'}{outlook}, {counts}[/dim]"


def what_runs(name: str) -> str:
    """A step without its number and mounts, after its stage where that has a name: `deps RUN npm ci`."""
    return f"{stage_of(name)} {instruction_of(name)}".strip()


def observer_for_terminal() -> BuildObserver:
    """A live table when a person watches, a plain log otherwise."""
    # Both write to stderr: stdout may have to hold one JSON document.
    return LiveTable() if sys.stderr.isatty() else PlainLog()


def running_steps(log: BuildLog) -> list[Step]:
    steps = (log.step(vertex) for vertex in log.vertices.values() if vertex.is_running)
    return [step for step in steps if step and step.is_counted]


def steps_by_image(log: BuildLog) -> dict[str, list[Step]]:
    """What the stream has told of every image's steps so far."""
    found: dict[str, list[Step]] = {}
    for vertex in log.vertices.values():
        if step := log.step(vertex):
            found.setdefault(step.image, []).append(step)
    return found
