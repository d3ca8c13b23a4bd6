"""Timed rebuilds: what was measured, and what it proves."""

import re
from dataclasses import dataclass
from statistics import median
from typing import Any

from layerstack.build.buildlog import BuildReport, Step
from layerstack.dockerfile.image import Image
from layerstack.junit import Case, Outcome
from layerstack.wording import short

# Commands that fetch packages. A code change must never run one of these again.
# `npm ci`, `pip install --requirement requirements.txt`, `go mod download`
INSTALLERS = re.compile(
    r"\b(pip3?|uv|poetry|npm|yarn|pnpm|apt-get|apt|apk|dnf|yum|bundle|composer|cargo|go mod|conda|mamba)\b"
    r"[^|;&]*\b(install|sync|ci|add|download|fetch|update)\b"
)


@dataclass(frozen=True)
class Run:
    """One rebuild after one change. Seconds of the whole bake call, and of its parts in the service's image.

    `served_seconds` last from the start of the build until the recreated container responds; None when not measured.
    """

    seconds: float
    context_seconds: float
    steps_seconds: float
    export_seconds: float
    cached: tuple[Step, ...]
    executed: tuple[Step, ...]
    unexpected: tuple[str, ...]
    image_id: str
    served_seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "seconds": round(self.seconds, 3),
            "context_seconds": round(self.context_seconds, 3),
            "steps_seconds": round(self.steps_seconds, 3),
            "export_seconds": round(self.export_seconds, 3),
            "served_seconds": None if self.served_seconds is None else round(self.served_seconds, 3),
            "cached": len(self.cached),
            "executed": len(self.executed),
            "cached_steps": [f"{step.image}: {short(step.name, 100)}" for step in self.cached],
            "executed_steps": [
                {"step": step.name, "place": step.place, "seconds": round(step.seconds, 3)} for step in self.executed
            ],
        }


@dataclass(frozen=True)
class Rebuild:
    """All runs of one service and what they prove."""

    service: str
    edited: str
    runs: tuple[Run, ...]
    budget_seconds: float | None
    is_base_unchanged: bool
    is_image_changed: bool
    regression: str = ""
    edited_reason: str = ""

    @property
    def median_seconds(self) -> float:
        return median(run.seconds for run in self.runs)

    @property
    def spread_seconds(self) -> float:
        """From the fastest run to the slowest."""
        return max(run.seconds for run in self.runs) - min(run.seconds for run in self.runs)

    @property
    def served_seconds(self) -> float | None:
        """Median until the new code responded; None when not measured."""
        served = [run.served_seconds for run in self.runs if run.served_seconds is not None]
        return median(served) if served else None

    @property
    def unexpected_steps(self) -> list[str]:
        return sorted({step for run in self.runs for step in run.unexpected})

    @property
    def failures(self) -> list[str]:
        """One sentence for each failed condition."""
        found = []
        if self.budget_seconds is not None and self.median_seconds > self.budget_seconds:
            found.append(f"took {self.median_seconds:.1f} s, the budget is {self.budget_seconds:g} s")
        if self.unexpected_steps:
            found.append(f"ran dependency steps again: {'; '.join(self.unexpected_steps)}")
        if not self.is_base_unchanged:
            found.append("a base image changed")
        if not self.is_image_changed:
            found.append("the service image did not change: the edited file is not in it")
        return found

    def case(self) -> Case:
        """The median as a test case of a JUnit file."""
        message = "; ".join(self.failures)
        outcome: Outcome = "failure" if self.failures else "passed"
        return Case("time-rebuild", self.service, self.median_seconds, outcome, message, "rebuild", self.edited)

    def to_json(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "ok": not self.failures,
            "median_seconds": round(self.median_seconds, 3),
            "budget_seconds": self.budget_seconds,
            "edited": self.edited,
            "edited_reason": self.edited_reason or None,
            "spread_seconds": round(self.spread_seconds, 3),
            "served_median_seconds": None if self.served_seconds is None else round(self.served_seconds, 3),
            "regression": self.regression or None,
            "runs": [run.to_json() for run in self.runs],
            "base_unchanged": self.is_base_unchanged,
            "image_changed": self.is_image_changed,
            "unexpected_steps": self.unexpected_steps,
            "failures": self.failures,
        }


def read_run(report: BuildReport, image: Image, image_id: str, served_seconds: float | None = None) -> Run:
    """One rebuild, as BuildKit reported it."""
    own = [step for step in report.of(image.name) if not step.is_cached]
    unexpected = [
        f"{step.image}: {step.name}"
        for step in report.executed
        # A change of code runs no step of a base. A stage called `deps` holds dependencies by convention, whatever
        # command installs them.
        if step.image != image.name or step.stage == "deps" or INSTALLERS.search(step.instruction)
    ]
    return Run(
        seconds=report.seconds,
        context_seconds=report.work_seconds(image.name, "transfer"),
        steps_seconds=sum(step.seconds for step in own),
        export_seconds=report.work_seconds(image.name, "export"),
        cached=report.cached,
        executed=report.executed,
        unexpected=tuple(unexpected),
        image_id=image_id,
        served_seconds=served_seconds,
    )
