"""Two things measured in turns, and what their seconds say."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

Kind = Literal["ratio", "seconds", "amount", "count"]
NO_LIMIT = float("inf")


@dataclass(frozen=True)
class Goal:
    """The most a row may reach: of `ours / theirs`, of our seconds, of another amount, or of a number of things.

    unit: of the samples. NO_LIMIT is for what is only reported.
    """

    kind: Kind
    limit: float
    unit: str = "s"

    def __str__(self) -> str:
        if self.limit == NO_LIMIT:
            return ""
        most = f"≤ {self.limit:g}"
        words = {"ratio": f"{most} ×", "count": f"{self.limit:g}"}
        return words.get(self.kind, f"{most} {self.unit}")


@dataclass(frozen=True)
class Samples:
    """Seconds of every run (or what the goal's unit says), in the order in which they were taken."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...] = ()

    @property
    def ratio(self) -> float | None:
        """Median of ours over median of theirs; None when ours stands alone."""
        return median(self.ours) / median(self.theirs) if self.theirs else None

    def value(self, goal: Goal) -> float:
        """What the goal limits. Raises ValueError for a ratio without the other side."""
        if goal.kind != "ratio":
            return median(self.ours)
        if self.ratio is None:
            raise ValueError("a ratio needs both sides")
        return self.ratio

    def meets(self, goal: Goal) -> bool:
        return self.value(goal) <= goal.limit


@dataclass(frozen=True)
class Measurement:
    """The samples of one row, remarks that belong beside them, and a profile when the goal was missed."""

    samples: Samples
    notes: tuple[str, ...] = ()
    profile: str = ""

    def to_json(self, goal: Goal) -> dict[str, Any]:
        return {
            "ours": [round(value, 4) for value in self.samples.ours],
            "theirs": [round(value, 4) for value in self.samples.theirs],
            "value": round(self.samples.value(goal), 4),
            "met": self.samples.meets(goal),
            "notes": list(self.notes),
            "profile": self.profile,
        }


def alternate(run_count: int, ours: Callable[[], float], theirs: Callable[[], float]) -> Samples:
    """Ours, theirs, ours, theirs …: what the machine does besides falls on both."""
    pairs = [(ours(), theirs()) for _ in range(run_count)]
    return Samples(tuple(first for first, _ in pairs), tuple(second for _, second in pairs))


def profile_if_missed(samples: Samples, goal: Goal, profile: Callable[[], str]) -> str:
    """The profile that shows where the time went; empty when the goal is met."""
    return "" if samples.meets(goal) else profile()
