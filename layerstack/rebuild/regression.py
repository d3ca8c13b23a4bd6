"""Compares a rebuild with the last one in the history, and names the step that became slower."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from layerstack.build import history
from layerstack.build.buildlog import Step
from layerstack.wording import short

# Smaller differences are noise of the machine.
NOISE_RATIO = 1.3
NOISE_SECONDS = 0.5


def find_regression(root: Path, service: str, seconds: float, executed: Sequence[Step]) -> str:
    """`+4.1 s since a1b2c3d: new RUN …, Dockerfile:31`; "" when it is not slower, or the first rebuild.

    `seconds` is the median of the current rebuilds, `executed` are the steps of the last one.
    """
    earlier = [record for record in history.read(root, "rebuild") if record.get("service") == service]
    if not earlier or not earlier[-1].get("runs"):
        return ""
    before = earlier[-1]
    difference = seconds - float(before["median_seconds"])
    # Where the last runs differed widely among themselves, only a larger difference counts.
    spread = max(float(before.get("spread_seconds") or 0.0), NOISE_SECONDS)
    if difference < spread or seconds < float(before["median_seconds"]) * NOISE_RATIO:
        return ""
    commit = before.get("commit") or "the last rebuild"
    return f"+{difference:.1f} s since {commit}{' (dirty)' if before.get('dirty') else ''}: {_blame(before, executed)}"


def _blame(before: Mapping[str, Any], executed: Sequence[Step]) -> str:
    """The new step, else the one that grew most, else that the steps do not explain it."""
    known = {one["step"]: float(one["seconds"]) for one in before["runs"][-1].get("executed_steps") or ()}
    new = [step for step in executed if step.name not in known]
    if new:
        slowest = max(new, key=lambda step: step.seconds)
        return f"new {short(slowest.instruction, 60)}, {slowest.place} ({slowest.seconds:.1f} s)"
    grown = max(executed, key=lambda step: step.seconds - known[step.name], default=None)
    if grown and grown.seconds - known[grown.name] >= NOISE_SECONDS:
        return (
            f"{short(grown.instruction, 60)}, {grown.place} took {known[grown.name]:.1f} s, now {grown.seconds:.1f} s"
        )
    return "the steps are the same and no slower; the transfer, the export or the machine is"
