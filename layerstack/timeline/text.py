"""A build in words, and as bars on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from layerstack.report import WIDE_COLUMNS
from layerstack.timeline.timeline import Bar, Lane, Timeline
from layerstack.wording import duration, short

if TYPE_CHECKING:
    from rich.table import Table

    from layerstack.timeline.timeline import Timeline

if TYPE_CHECKING:
    from rich.bar import Bar as Stripe
    from rich.table import Table

BAR_COLUMNS = 48
STEP_CHARACTERS = 44
REASON_CHARACTERS = 110
# Bars below this part of the whole are counted, not shown.
SHOWN_PART = 0.01
COLORS = {"run": "blue", "transfer": "yellow", "pull": "magenta", "export": "green"}


def title(timeline: Timeline) -> str:
    """When, how long, and of which state of the source."""
    began = datetime.fromtimestamp(timeline.began, timezone.utc).strftime("%Y-%m-%d %H:%M")
    commit = f" · commit {timeline.commit}" if timeline.commit else ""
    return f"Build of {began} UTC · {duration(timeline.seconds)}{commit}" + (" + changes" if timeline.is_dirty else "")


def totals(timeline: Timeline) -> str:
    """What was done, and what the end waited for longest, in one line."""
    built = [lane for lane in timeline.lanes if lane.action != "fresh"]
    run = sum(bar.kind == "run" for lane in timeline.lanes for bar in lane.bars)
    cached = sum(len(lane.cached) for lane in timeline.lanes)
    parts = [f"{len(built)} of {len(timeline.lanes)} images built", f"{run} steps run, {cached} cached"]
    if timeline.critical:
        waited = sum(bar.ended - bar.started for _, bar in timeline.critical)
        parts.append(f"critical path {duration(waited)} of {duration(timeline.seconds)}")
        longest = sorted(timeline.critical, key=lambda pair: -pair[1].seconds)[:2]
        named = (f"{lane.image} {short(bar.text, 32)} {time_text(bar.seconds)}" for lane, bar in longest)
        parts.append(f"longest on it: {', '.join(named)}")
    return " · ".join(parts)


def time_text(seconds: float) -> str:
    """As short as it can be said: `0.04 s`, `4.2 s`, `95 s`, `12 min 5 s`."""
    if seconds < 0.095:
        return f"{seconds:.2f} s" if seconds >= 0.005 else "0 s"
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def bars_table(timeline: Timeline) -> Table:
    """A row per image with its reason, then one per bar on an axis that all share; ◆ marks the critical path."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    for column in range(4):
        table.add_column(justify="right" if column == 2 else "left", no_wrap=True)
    fresh = [lane.image for lane in timeline.lanes if lane.action == "fresh"]
    if fresh:
        table.add_row(
            "", Text("fresh", style="bold"), "", Text(short(", ".join(fresh), REASON_CHARACTERS), style="dim")
        )
    for lane in timeline.lanes:
        if lane.action != "fresh":
            _add_lane(table, lane, timeline)
    return table


def _add_lane(table: Table, lane: Lane, timeline: Timeline) -> None:
    from rich.text import Text

    table.add_row("", Text(lane.image, style="bold"), "", Text(short(lane.reason, REASON_CHARACTERS), style="dim"))
    for bar in shown_bars(lane, timeline):
        table.add_row(
            Text("◆" if bar.is_critical else "", style="red"),
            Text("  " + short(bar.text, STEP_CHARACTERS)),
            time_text(bar.seconds),
            _stripe(bar, timeline.seconds),
        )
    if rest := "; ".join(unshown(lane, timeline)):
        table.add_row("", Text("  " + rest, style="dim"), "", "")


def _stripe(bar: Bar, whole_seconds: float) -> Stripe:
    from rich.bar import Bar as Stripe

    whole = max(whole_seconds, 0.001)
    ended = max(bar.ended, bar.started + whole / BAR_COLUMNS / 8)
    return Stripe(whole, bar.started, ended, width=BAR_COLUMNS, color="red" if bar.is_critical else COLORS[bar.kind])


def shown_bars(lane: Lane, timeline: Timeline) -> list[Bar]:
    return [bar for bar in lane.worked if bar.seconds >= SHOWN_PART * timeline.seconds]


def unshown(lane: Lane, timeline: Timeline) -> Iterator[str]:
    """How many steps were cached or too short to show."""
    if lane.cached:
        yield f"{len(lane.cached)} cached"
    shorter = len(lane.worked) - len(shown_bars(lane, timeline))
    if shorter:
        yield f"{shorter} under {time_text(max(0.01, SHOWN_PART * timeline.seconds))}"


def print_timelines(timelines: Sequence[Timeline]) -> None:
    """Each build with a bar a step; what the end of the build waited for is marked."""
    from rich.console import Console

    from layerstack.timeline.text import bars_table, title, totals

    console = Console(width=None if sys.stdout.isatty() else WIDE_COLUMNS, emoji=False, highlight=False)
    for timeline in timelines:
        console.print(title(timeline), style="bold", markup=False)
        console.print(totals(timeline), style="dim", markup=False)
        console.print(bars_table(timeline))
