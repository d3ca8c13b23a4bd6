"""Draws builds as SVG, or as an HTML page that contains the SVG; the file needs nothing else."""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from layerstack.errors import UsageError
from layerstack.timeline.layout import LABEL_GAP, Axis, PlacedBar, PlacedLane, axis_of, place_lane, tick_text
from layerstack.timeline.text import time_text, title, totals
from layerstack.timeline.timeline import Timeline
from layerstack.wording import duration, short

WIDTH, MARGIN = 1200, 24
LANES_LEFT = 210
PLOT_WIDTH = WIDTH - LANES_LEFT - MARGIN
HEADER_HEIGHT, AXIS_HEIGHT, LEGEND_HEIGHT = 62, 26, 36
ROW_HEIGHT, BAR_HEIGHT = 22, 18
CACHED_HEIGHT, CACHED_WIDTH = 16, 6
CAUSE_HEIGHT, LANE_PADDING = 17, 7
NAME_CHARACTERS, CAUSE_CHARACTERS, HEADER_CHARACTERS = 24, 148, 176
SUFFIXES = (".svg", ".html")
_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LEGEND = (
    ("run", "executed step"),
    ("run critical", "on the critical path"),
    ("transfer", "context sent"),
    ("pull", "image pulled"),
    ("export", "image exported"),
    ("cached", "cached step"),
)

STYLE = """
.timeline { color-scheme: light dark; --paper: #ffffff; --ink: #1c2430; --faint: #6b7686; --line: #e3e7ec;
  --stripe: #f6f8fa; --run: #a9c9ee; --run-ink: #14304f; --critical: #1f5fae; --critical-ink: #ffffff;
  --path: #d9480f; --transfer: #f2c14e; --pull: #c9a0dc; --export: #7cc4a4; --other-ink: #22281f; --cached: #b4bdc9;
  font: 12px system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", Arial, sans-serif; }
.timeline .paper { fill: var(--paper); } .timeline .stripe { fill: var(--stripe); }
.timeline text { fill: var(--ink); dominant-baseline: central; }
.timeline .title { font-size: 16px; font-weight: 600; } .timeline .name { font-weight: 600; }
.timeline .faint { fill: var(--faint); font-size: 11px; } .timeline .grid { stroke: var(--line); }
.timeline .bar text { font-size: 11px; } .timeline .run text.start { fill: var(--run-ink); }
.timeline .run rect { fill: var(--run); } .timeline .run.critical rect { fill: var(--critical); }
.timeline .run.critical text.start { fill: var(--critical-ink); }
.timeline .transfer rect { fill: var(--transfer); } .timeline .pull rect { fill: var(--pull); }
.timeline .export rect { fill: var(--export); } .timeline .cached rect { fill: var(--cached); opacity: 0.7; }
.timeline .transfer text.start, .timeline .pull text.start, .timeline .export text.start { fill: var(--other-ink); }
.timeline .critical rect { stroke: var(--path); stroke-width: 1.5; }
.timeline .path { fill: none; stroke: var(--path); stroke-width: 1.5; stroke-dasharray: 3 2; opacity: 0.8; }
@media (prefers-color-scheme: dark) { .timeline { --paper: #14181f; --ink: #e6eaf0; --faint: #8e99a8; --line: #2a313c;
  --stripe: #191f28; --run: #2f4d70; --run-ink: #dbe8f7; --critical: #4c93e6; --critical-ink: #07131f; --path: #ff8a4c;
  --transfer: #b98c1d; --pull: #8d5fa3; --export: #3f8f6c; --other-ink: #ffffff; --cached: #5b6675; } }
"""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Build timeline</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 1600px; background: #ffffff; }
svg { display: block; width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { body { background: #14181f; } }
</style>
</head>
<body>
{picture}
</body>
</html>
"""


def picture_path(name: str) -> Path:
    """Where to write a picture. Raises UsageError for a name that ends neither in .svg nor in .html."""
    path = Path(name)
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"A timeline is written as .svg or .html, not as `{path.suffix or path.name}`.")
    return path


def write_picture(timelines: Sequence[Timeline], path: Path) -> None:
    """Write builds below each other into an .svg or .html file. Raises UsageError when it cannot be written."""
    picture = draw(timelines)
    text = picture + "\n" if path.suffix.lower() == ".svg" else PAGE.replace("{picture}", picture)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"The timeline cannot be written to {path}: {error.strerror}.") from error


def draw(timelines: Sequence[Timeline]) -> str:
    """One SVG element with all builds, 1200 units wide."""
    root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "class": "timeline", "role": "img"})
    SubElement(root, "title").text = "Build timeline"
    SubElement(root, "style").text = STYLE
    # Drawn first, below everything; its height is known only at the end.
    paper = SubElement(root, "rect", {"class": "paper", "width": str(WIDTH)})
    top = 0.0
    for timeline in timelines:
        top = _draw_build(root, timeline, top)
    _draw_legend(root, timelines, top + LEGEND_HEIGHT / 2)
    height = f"{top + LEGEND_HEIGHT:.0f}"
    paper.set("height", height)
    root.attrib.update({"viewBox": f"0 0 {WIDTH} {height}", "width": str(WIDTH), "height": height})
    return ElementTree.tostring(root, encoding="unicode")


def _draw_build(root: Element, timeline: Timeline, top: float) -> float:
    """Draw one build below `top`; returns where it ends."""
    axis = axis_of(timeline, PLOT_WIDTH)
    _draw_header(root, timeline, top)
    top += HEADER_HEIGHT + AXIS_HEIGHT
    lanes = [place_lane(lane, axis, CACHED_WIDTH) for lane in timeline.lanes]
    tops = [top + sum(_height(lane) for lane in lanes[:number]) for number in range(len(lanes))]
    bottom = top + sum(_height(lane) for lane in lanes)
    # Every second lane has a background, so that the eye stays in its lane.
    for number, lane_top in enumerate(tops[::2]):
        height = f"{_height(lanes[2 * number]):.1f}"
        SubElement(root, "rect", _at(0, lane_top) | {"width": str(WIDTH), "height": height, "class": "stripe"})
    _draw_axis(root, axis, top, bottom)
    _draw_path(root, lanes, tops)
    for lane, lane_top in zip(lanes, tops, strict=True):
        _draw_lane(root, lane, lane_top)
    return bottom + LANE_PADDING


def _draw_header(root: Element, timeline: Timeline, top: float) -> None:
    _text(root, MARGIN, top + 24, title(timeline), "title")
    _text(root, MARGIN, top + 46, short(totals(timeline), HEADER_CHARACTERS), "faint")


def _draw_axis(root: Element, axis: Axis, top: float, bottom: float) -> None:
    ticks = axis.ticks
    step = ticks[1] if len(ticks) > 1 else axis.seconds
    for tick in ticks:
        x = LANES_LEFT + axis.at(tick)
        line = {"x1": f"{x:.1f}", "x2": f"{x:.1f}", "y1": f"{top - 6:.1f}", "y2": f"{bottom:.1f}", "class": "grid"}
        SubElement(root, "line", line)
        # Centred, the last label would leave the paper.
        is_last = x > WIDTH - MARGIN - 20
        _text(root, x, top - 14, tick_text(tick, step), "faint", "end" if is_last else "middle" if tick else "start")


def _height(placed: PlacedLane) -> float:
    rows = placed.row_count * ROW_HEIGHT + (CACHED_HEIGHT if placed.cached_at else 0)
    rows += CAUSE_HEIGHT if placed.lane.reason else 0
    return max(rows, 2 * CAUSE_HEIGHT if placed.lane.bars else CAUSE_HEIGHT) + 2 * LANE_PADDING


def _draw_lane(root: Element, placed: PlacedLane, top: float) -> None:
    lane, y = placed.lane, top + LANE_PADDING
    _text(root, MARGIN, y + CAUSE_HEIGHT / 2, short(lane.image, NAME_CHARACTERS), "name")
    if lane.bars:
        _text(root, MARGIN, y + 1.5 * CAUSE_HEIGHT, f"{lane.action}, own time {time_text(lane.seconds)}", "faint")
    if reason := lane.reason:
        shown = _text(root, LANES_LEFT, y + CAUSE_HEIGHT / 2, short(reason, CAUSE_CHARACTERS), "faint")
        SubElement(shown, "title").text = _clean(reason)
        y += CAUSE_HEIGHT
    if placed.cached_at:
        _draw_cached(root, placed, y)
        y += CACHED_HEIGHT
    for one in placed.bars:
        _draw_bar(root, one, y + one.row * ROW_HEIGHT + (ROW_HEIGHT - BAR_HEIGHT) / 2)


def _draw_cached(root: Element, placed: PlacedLane, y: float) -> None:
    """Thin marks with tooltips, and their number."""
    for bar, x in zip(placed.lane.cached, placed.cached_at, strict=True):
        group = SubElement(root, "g", {"class": "bar cached"})
        size = {"width": str(CACHED_WIDTH - 2), "height": str(CACHED_HEIGHT - 8), "rx": "1"}
        SubElement(group, "rect", _at(LANES_LEFT + min(x, PLOT_WIDTH - CACHED_WIDTH), y + 4) | size)
        SubElement(group, "title").text = _clean(f"cached: {bar.detail or bar.text}")
    end = placed.cached_at[-1] + CACHED_WIDTH
    # At the right end there is no room for the number after the marks.
    is_outside = end > PLOT_WIDTH - 70
    x = LANES_LEFT + (placed.cached_at[0] - LABEL_GAP if is_outside else end + LABEL_GAP)
    _text(root, x, y + CACHED_HEIGHT / 2, f"{len(placed.cached_at)} cached", "faint", "end" if is_outside else "start")


def _draw_bar(root: Element, placed: PlacedBar, y: float) -> None:
    bar, left = placed.bar, LANES_LEFT + placed.left
    group = SubElement(root, "g", {"class": f"bar {bar.kind}{' critical' if bar.is_critical else ''}"})
    size = {"width": f"{placed.width:.1f}", "height": str(BAR_HEIGHT), "rx": "2"}
    SubElement(group, "rect", _at(left, y) | size)
    tooltip = [bar.detail or bar.text, f"{time_text(bar.seconds)}, from {duration(bar.started)}"]
    tooltip += ["on the critical path"] if bar.is_critical else []
    SubElement(group, "title").text = _clean("\n".join(tooltip))
    if placed.label:
        x = {"start": left + LABEL_GAP, "after": left + placed.width + LABEL_GAP, "before": left - LABEL_GAP}
        anchor = "end" if placed.side == "before" else "start"
        _text(group, x[placed.side], y + BAR_HEIGHT / 2, placed.label, placed.side, anchor)


def _draw_path(root: Element, lanes: Sequence[PlacedLane], tops: Sequence[float]) -> None:
    """Join the bars of the critical path with a line."""
    ends = []
    for placed, top in zip(lanes, tops, strict=True):
        first = top + LANE_PADDING + (CAUSE_HEIGHT if placed.lane.reason else 0)
        first += CACHED_HEIGHT if placed.cached_at else 0
        ends += [(one, first + (one.row + 0.5) * ROW_HEIGHT) for one in placed.bars if one.bar.is_critical]
    ends.sort(key=lambda pair: (pair[0].bar.started, pair[0].bar.ended))
    for (before, y1), (after, y2) in pairwise(ends):
        # Bars in one row need no line: they follow each other visibly.
        if y1 != y2:
            x1, x2 = LANES_LEFT + before.right, LANES_LEFT + after.left
            edge = BAR_HEIGHT / 2 if y2 > y1 else -BAR_HEIGHT / 2
            SubElement(root, "path", {"class": "path", "d": f"M{x1:.1f} {y1 + edge:.1f} L{x2:.1f} {y2 - edge:.1f}"})


def _draw_legend(root: Element, timelines: Sequence[Timeline], y: float) -> None:
    """The legend of the kinds that occur."""
    bars = [bar for timeline in timelines for lane in timeline.lanes for bar in lane.bars]
    shown = {bar.kind for bar in bars} | {"run critical" for bar in bars if bar.is_critical}
    x = float(LANES_LEFT)
    for kind, text in LEGEND:
        if kind not in shown:
            continue
        group = SubElement(root, "g", {"class": f"bar {kind}"})
        SubElement(group, "rect", _at(x, y - 5) | {"width": "14", "height": "10", "rx": "2"})
        _text(root, x + 20, y, text, "faint")
        x += 20 + len(text) * 6.3 + 22


def _text(parent: Element, x: float, y: float, text: str, kind: str, anchor: str = "start") -> Element:
    element = SubElement(parent, "text", _at(x, y) | {"class": kind})
    if anchor != "start":
        element.set("text-anchor", anchor)
    element.text = _clean(text)
    return element


def _at(x: float, y: float) -> dict[str, str]:
    return {"x": f"{x:.1f}", "y": f"{y:.1f}"}


def _clean(text: str) -> str:
    # XML has no way to write these characters.
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
