"""A build as text, with bars on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from layerstack.moment import local_time
from layerstack.report import console_for, line, print_rich, shown
from layerstack.timeline.timeline import Bar, Lane, Timeline
from layerstack.wording import counted, duration, short

if TYPE_CHECKING:
    from rich.bar import Bar as Stripe

# The name of the step gets the rest of the width.
BAR_COLUMNS = 48
FEWEST_BAR_COLUMNS = 12
STEP_CHARACTERS = 44
# For the mark, the time and the gaps.
OTHER_COLUMNS = 16
# Bars shorter than this part of the build are counted instead of shown.
SHOWN_PART = 0.01
COLORS = {"run": "blue", "transfer": "yellow", "pull": "magenta", "export": "green"}


def title(timeline: Timeline) -> str:
    """Time, duration and commit of the build."""
    commit = f" · commit {timeline.commit}" if timeline.commit else ""
    changes = " + changes" if timeline.is_dirty else ""
    return f"Build of {local_time(timeline.began)} · {duration(timeline.seconds)}{commit}{changes}"


def totals(timeline: Timeline) -> str:
    """The work done, and the longest steps of the critical path, in one line."""
    built = [lane for lane in timeline.lanes if lane.action != "fresh"]
    run = sum(bar.kind == "run" for lane in timeline.lanes for bar in lane.bars)
    cached = sum(len(lane.cached) for lane in timeline.lanes)
    parts = [
        f"{len(built)} of {len(timeline.lanes)} images built",
        f"{counted(run, 'step')} ran, {cached} cached",
    ]
    if timeline.critical:
        waited = sum(bar.ended - bar.started for _, bar in timeline.critical)
        parts.append(f"critical path {duration(waited)} of {duration(timeline.seconds)}")
        longest = sorted(timeline.critical, key=lambda pair: -pair[1].seconds)[:2]
        named = (f"{lane.image} {short(bar.text, 32)} {time_text(bar.seconds)}" for lane, bar in longest)
        parts.append(f"longest on it: {', '.join(named)}")
    return " · ".join(parts)


def time_text(seconds: float) -> str:
    """A duration as short as possible: `0.04 s`, `4.2 s`, `95 s`, `12 min 5 s`."""
    # From here on one digit rounds to 0.1 and more; the limits below are of the same kind.
    if seconds < 0.095:
        return f"{seconds:.2f} s" if seconds >= 0.005 else "0 s"
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def print_timelines(timelines: Sequence[Timeline]) -> None:
    """Each build with a bar per step, on one time axis for all images; ◆ marks the critical path."""
    for timeline in timelines:
        line(title(timeline), "bold")
        line(totals(timeline), "dim")
        if fresh := [lane.image for lane in timeline.lanes if lane.action == "fresh"]:
            line(f"up to date: {', '.join(fresh)}", "dim")
        for lane in timeline.lanes:
            if lane.action != "fresh":
                _print_lane(lane, timeline)
        if timeline.critical:
            line("◆ on the critical path: the end of the build waited for it", "dim")


def _print_lane(lane: Lane, timeline: Timeline) -> None:
    """The image with its reason, then a row per bar."""
    from rich.table import Table
    from rich.text import Text

    line(f"{lane.image}: {lane.reason}" if lane.reason else lane.image, "bold")
    console = console_for(sys.stdout)
    # Over all lanes, so that the bars of all images start in one column.
    every = [bar.text for lane in timeline.lanes for bar in shown_bars(lane, timeline)]
    room = console.width - OTHER_COLUMNS
    names = min(max((len(text) for text in every), default=0), STEP_CHARACTERS, max(8, room - FEWEST_BAR_COLUMNS))
    columns = max(1, min(BAR_COLUMNS, room - names))
    table = Table(box=None, show_header=False, pad_edge=False)
    for width, justify in ((1, "left"), (names, "left"), (8, "right"), (columns, "left")):
        table.add_column(justify=justify, width=width, no_wrap=True)  # type: ignore[arg-type]
    for bar in shown_bars(lane, timeline):
        sign, name = Text(shown("◆") if bar.is_critical else "", style="red"), Text(short(shown(bar.text), names))
        table.add_row(sign, name, time_text(bar.seconds), _stripe(bar, timeline.seconds, columns))
    print_rich(console, table)
    if rest := "; ".join(unshown(lane, timeline)):
        line(f"  {rest}", "dim")


def _stripe(bar: Bar, whole_seconds: float, columns: int) -> Stripe:
    from rich.bar import Bar as Stripe

    whole = max(whole_seconds, 0.001)
    # rich draws bars in eighths of a character: anything shorter would be invisible.
    ended = max(bar.ended, bar.started + whole / columns / 8)
    return Stripe(whole, bar.started, ended, width=columns, color="red" if bar.is_critical else COLORS[bar.kind])


def shown_bars(lane: Lane, timeline: Timeline) -> list[Bar]:
    return [bar for bar in lane.worked if bar.seconds >= SHOWN_PART * timeline.seconds]


def unshown(lane: Lane, timeline: Timeline) -> Iterator[str]:
    """The numbers of steps that were cached, or too short to show."""
    if lane.cached:
        yield f"{len(lane.cached)} cached"
    shorter = len(lane.worked) - len(shown_bars(lane, timeline))
    if shorter:
        yield f"{shorter} under {time_text(max(0.01, SHOWN_PART * timeline.seconds))}"
