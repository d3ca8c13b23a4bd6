"""Why an image was built the way it was the last time, and whether it would be built again now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from layerstack.build.plan import make_plan
from layerstack.build.state import StateStore
from layerstack.project.project import Project


@dataclass(frozen=True)
class Explanation:
    """The last build of one image. `steps` as in the JSON of `build`; `now` says what a build would do."""

    image: str
    cause: str
    built_at: float
    steps: tuple[Mapping[str, Any], ...]
    now: str

    def to_json(self) -> dict[str, Any]:
        return {
            "image": self.image,
            "cause": self.cause,
            "built_at": self.built_at or None,
            "now": self.now,
            "steps": list(self.steps),
        }


def explain_image(project: Project, name: str) -> Explanation:
    """What the last build of an image did and why, by name or tag. Raises UsageError for an unknown one."""
    image = project.image(name)
    planned = make_plan(project, [image.name], StateStore(project.root)).of(image.name)
    now = "fresh: a build would skip it" if planned.is_fresh else f"stale: {planned.reason}"
    last = planned.last
    if last is None:
        return Explanation(image.name, "there is no record of a build of it here", 0.0, (), now)
    return Explanation(image.name, last.cause, last.built_at, last.steps, now)
