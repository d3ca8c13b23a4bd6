"""Why the last build of an image did what it did, and whether a build would run again now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from layerstack.build.plan import PlannedImage, make_plan
from layerstack.build.record import StepRecord
from layerstack.build.state import StateStore
from layerstack.project.project import Project


@dataclass(frozen=True)
class Explanation:
    """The last build of one image. `now` says what our reading expects of a build; BuildKit decides.

    `action` is what that build did, "" where there is no record. `service` is the one that was asked for by name:
    several can share an image.
    """

    image: str
    cause: str
    built_at: float
    steps: tuple[StepRecord, ...]
    now: str
    action: str = ""
    service: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": True,
            "image": self.image,
            "service": self.service or None,
            "action": self.action or None,
            "cause": self.cause,
            "built_at": self.built_at or None,
            "now": self.now,
            "steps": msgspec.to_builtins(self.steps),
        }


def explain_image(project: Project, name: str) -> Explanation:
    """What the last build of an image did and why, by name or tag. Raises UsageError for an unknown one."""
    image = project.image(name)
    planned = make_plan(project, [image.name], StateStore(project.root)).of(image.name)
    last = planned.last
    service = name if name in project.services else ""
    if last is None:
        cause = "there is no record of its build" if planned.stored else "it was never built here"
        return Explanation(image.name, cause, 0.0, (), _now(planned), service=service)
    cause = last.record.cause or "every step was cached: it had been built before"
    return Explanation(image.name, cause, last.built_at, last.record.steps, _now(planned), last.record.action, service)


def _now(planned: PlannedImage) -> str:
    if planned.is_fresh:
        return "up to date, none of its inputs changed"
    return planned.reason if planned.is_unknown else f"out of date: {planned.reason}"
