"""Places the bars of a build in a picture: pixels from the left, rows from the top, labels that do not overlap."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from layerstack.timeline.text import time_text
from layerstack.timeline.timeline import Bar, Lane, Timeline
from layerstack.wording import short

# An average character of the labels' 11-pixel font.
CHARACTER_WIDTH = 6.3
LABEL_GAP = 5.0
SMALLEST_LABEL = 5
LONGEST_LABEL = 64
SMALLEST_BAR = 2.0
# A narrower bar has a tooltip only; those of the critical path matter more.
LABELLED_BAR = 5.0
LABELLED_CRITICAL_BAR = 3.0
# A short bar is drawn wider than it is, and may still share a row with its successor.
OVERLAP = 3.0
TICK_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
MOST_TICKS = 10


@dataclass(frozen=True)
class PlacedBar:
    """A bar in pixels. Its label is inside (`start`), right of it (`after`) or left of it (`before`)."""

    bar: Bar
    left: float
    width: float
    row: int
    label: str = ""
    side: str = "start"

    @property
    def right(self) -> float:
        return self.left + self.width


@dataclass(frozen=True)
class PlacedLane:
    """A lane with its bars in rows; `cached_at` are the positions of its cached steps, left to right."""

    lane: Lane
    bars: tuple[PlacedBar, ...]
    cached_at: tuple[float, ...]

    @property
    def row_count(self) -> int:
        return max((placed.row + 1 for placed in self.bars), default=0)


@dataclass(frozen=True)
class Axis:
    """Seconds to pixels, over `width` pixels."""

    seconds: float
    width: float

    def at(self, seconds: float) -> float:
        return seconds / self.seconds * self.width

    @property
    def ticks(self) -> list[float]:
        """Round times, the first is 0."""
        step = next((one for one in TICK_STEPS if self.seconds / one <= MOST_TICKS), TICK_STEPS[-1])
        # A little is added because steps such as 0.1 have no exact binary form: the last tick would be missing.
        return [number * step for number in range(int(self.seconds / step + 1e-9) + 1)]


def axis_of(timeline: Timeline, width: float) -> Axis:
    # Not 0, as positions are divided by it.
    return Axis(max(timeline.seconds, 0.1), width)


def place_lane(lane: Lane, axis: Axis, cached_width: float) -> PlacedLane:
    """Place the bars of a lane: those that run at the same time get different rows."""
    placed: list[PlacedBar] = []
    taken: list[list[tuple[float, float]]] = []
    for bar in lane.worked:
        one = _placed(bar, axis)
        placed.append(replace(one, row=_free_row(taken, _extent(one))))
    cached_at = _beside_each_other([axis.at(bar.started) for bar in lane.cached], cached_width)
    return PlacedLane(lane, tuple(placed), cached_at)


def tick_text(seconds: float, step: float) -> str:
    """`0.2 s`, `30 s`, `5 min`, `1 h 30`."""
    if step < 1:
        return f"{seconds:.1f} s"
    if step < 60 and seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes}:{rest:02d} min" if step < 60 else f"{minutes} min"
    return f"{seconds / 3600:g} h"


def _placed(bar: Bar, axis: Axis) -> PlacedBar:
    width = max(SMALLEST_BAR, axis.at(bar.ended - bar.started))
    # A short bar at the very end is drawn wider than it is, and would leave the paper.
    left = min(axis.at(bar.started), axis.width - width)
    labelled_from = LABELLED_CRITICAL_BAR if bar.is_critical else LABELLED_BAR
    if width < labelled_from:
        return PlacedBar(bar, left, width, 0)
    time = f" {time_text(bar.seconds)}"
    room = int((width - 2 * LABEL_GAP) / CHARACTER_WIDTH)
    whole = short(bar.text, LONGEST_LABEL)
    # Where 28 characters fit, a shortened label inside the bar is better than a whole one beside it.
    if len(whole + time) <= room or room >= 28:
        return PlacedBar(bar, left, width, 0, short(bar.text, max(SMALLEST_LABEL, room - len(time))) + time)
    whole = short(bar.text, 40)
    for text in (whole, short(whole, 20)):
        size = len(text + time) * CHARACTER_WIDTH + LABEL_GAP
        if left + width + size <= axis.width:
            return PlacedBar(bar, left, width, 0, text + time, "after")
        if left - size >= 0:
            return PlacedBar(bar, left, width, 0, text + time, "before")
    return PlacedBar(bar, left, width, 0)


def _extent(placed: PlacedBar) -> tuple[float, float]:
    size = len(placed.label) * CHARACTER_WIDTH + 2 * LABEL_GAP
    if placed.side == "after":
        return placed.left, placed.right + size
    if placed.side == "before":
        return placed.left - size, placed.right
    return placed.left, placed.right + 1


def _free_row(taken: list[list[tuple[float, float]]], extent: tuple[float, float]) -> int:
    """The free row whose last bar ended last, so that a successor is beside its predecessor; the row is then taken."""
    free = [number for number, row in enumerate(taken) if all(_are_apart(extent, other) for other in row)]
    if not free:
        taken.append([])
        free = [len(taken) - 1]
    number = max(free, key=lambda one: max((right for _, right in taken[one] if right <= extent[1]), default=0.0))
    taken[number].append(extent)
    return number


def _are_apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[1] <= other[0] + OVERLAP or other[1] - OVERLAP <= one[0]


def _beside_each_other(places: Iterable[float], width: float) -> tuple[float, ...]:
    """Move marks to the right until none covers the one before."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + width) if moved else place)
    return tuple(moved)
