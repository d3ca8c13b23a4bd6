"""Estimates the time of a build from earlier builds."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from layerstack.build import history
from layerstack.build.buildlog import Step
from layerstack.build.record import ImageRecord

# Recent builds only: the machine or the Dockerfile may have changed.
COUNTED_BUILDS = 5
# A shorter wait needs no estimate.
SHORTEST_SECONDS = 1.0
# Fewer than the history keeps of a name.
COMPARED_CHARACTERS = 60
# `deps 2/4 RUN npm ci`
_NUMBER = re.compile(r"(^| )\d+/\d+ ")


@dataclass(frozen=True)
class Estimate:
    """`usual_seconds`: image → a usual build of it. `step_seconds`: image → step → its usual time when it has to run.

    The steps are those of the image's last build; one that never had to run is not among them.
    """

    usual_seconds: Mapping[str, float] = field(default_factory=dict)
    step_seconds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def remaining_seconds(self, image: str, steps: Sequence[Step], now: float) -> float | None:
        """What is left of an image of which these steps were seen; None while nothing can be said.

        Before the first of its steps has run nobody knows how many BuildKit will find in its cache.
        """
        known = self.step_seconds.get(image, {})
        seen = {step_key(step.name): step for step in steps}
        if not known or not any(step.started is not None and not step.is_cached for step in seen.values()):
            return None
        return sum(_left(seconds, seen.get(key), now) for key, seconds in known.items())

    def text(self, image: str, steps: Sequence[Step], now: float) -> str:
        """`about 12 min left, usually 14`; empty when history tells nothing."""
        usual = self.usual_seconds.get(image, 0.0)
        left = self.remaining_seconds(image, steps, now)
        if usual < SHORTEST_SECONDS:
            return ""
        if left is None or left < SHORTEST_SECONDS:
            return f"usually {rough(usual)}"
        number, unit = rough(usual).split(" ")
        return f"about {rough(left)} left, usually {number}" + ("" if rough(left).endswith(unit) else f" {unit}")


def read_estimate(root: Path, images: Sequence[str]) -> Estimate:
    """Medians over the last five builds in which an image, or a step of it, really ran."""
    builds: dict[str, list[float]] = {}
    steps: dict[str, dict[str, list[float]]] = {}
    last: dict[str, set[str]] = {}
    for image in _built_images(root):
        if image.image not in images:
            continue
        # If all its steps ran with another image, its own seconds are only those of an export.
        if image.executed or not image.steps:
            builds.setdefault(image.image, []).append(image.seconds)
        for step in image.executed:
            steps.setdefault(image.image, {}).setdefault(step_key(step.step), []).append(step.seconds)
        # Only the steps of the last build count: removed ones will not run again.
        last[image.image] = {step_key(step.step) for step in image.steps}
    return Estimate(
        {name: _usual(seconds) for name, seconds in builds.items()},
        {
            name: {key: _usual(times) for key, times in found.items() if key in last[name]}
            for name, found in steps.items()
        },
    )


def step_key(name: str) -> str:
    """What names a step although others were added before it: `stage 2/4 RUN x` → `stage RUN x`, cut as in history."""
    return _NUMBER.sub(r"\1", " ".join(name.split()), count=1)[:COMPARED_CHARACTERS]


def rough(seconds: float) -> str:
    """`40 s`, `12 min`, `2.5 h`: as exact as an estimate can be."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _left(usual: float, step: Step | None, now: float) -> float:
    if step is None or step.started is None:
        return usual
    return 0.0 if step.completed is not None or step.is_cached else max(0.0, usual - (now - step.started))


def _built_images(root: Path) -> Iterator[ImageRecord]:
    return (image for build in history.read_builds(root) for image in build.images if image.action == "built")


def _usual(seconds: Sequence[float]) -> float:
    return median(seconds[-COUNTED_BUILDS:])
