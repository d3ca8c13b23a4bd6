"""What a build did to each image, step by step, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from layerstack.build.buildlog import BuildReport, Step, Work
from layerstack.build.cause import Cause, ImageCauses, root_causes
from layerstack.build.plan import Plan, PlannedImage, layers_identity
from layerstack.engine.images import StoredImage


@dataclass(frozen=True)
class ImageResult:
    """What happened to one image. `seconds` counts its own executed steps, context transfer and export.

    `critical` are the digests of what the end of the whole build waited for.
    """

    image: str
    action: str
    seconds: float = 0.0
    steps: tuple[Step, ...] = ()
    causes: tuple[Cause | None, ...] = ()
    cause: str = ""
    inputs: str = ""
    parents: tuple[str, ...] = ()
    works: tuple[Work, ...] = ()
    critical: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, Any]:
        steps = zip(self.steps, self.causes, strict=True)
        return {
            "image": self.image,
            "action": self.action,
            "cause": self.cause,
            "seconds": round(self.seconds, 3),
            "inputs": self.inputs,
            "parents": list(self.parents),
            "steps": [{**_step_json(step, cause), "critical": step.digest in self.critical} for step, cause in steps],
            "works": [{**_work_json(work), "critical": work.digest in self.critical} for work in self.works],
        }


@dataclass(frozen=True)
class BuildResult:
    """The outcome of `build`; `seconds` is the wall time of the bake call, 0 when everything was fresh.

    `started` is the beginning of that call in seconds since the epoch.
    """

    seconds: float
    images: tuple[ImageResult, ...] = ()
    started: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": True,
            "seconds": round(self.seconds, 3),
            "started": round(self.started, 3),
            "images": [image.to_json() for image in self.images],
        }


def read_results(plan: Plan, report: BuildReport, stored: Mapping[str, StoredImage]) -> tuple[ImageResult, ...]:
    """One result an image, parents first. `stored` maps tags to the images that are there after the build."""
    results: dict[str, ImageResult] = {}
    for one in plan.images:
        if one.is_fresh:
            results[one.name] = ImageResult(
                one.name, "fresh", inputs=one.manifest.digest, parents=tuple(one.image.parents)
            )
        else:
            results[one.name] = _built(one, report, _parent_causes(one, plan, results, stored))
    return tuple(results.values())


def _built(one: PlannedImage, report: BuildReport, parent_causes: Mapping[str, str]) -> ImageResult:
    steps = report.of(one.name)
    causes = ImageCauses(
        new=one.manifest,
        old=one.last.manifest if one.last else None,
        executed=report.executed,
        parent_causes=parent_causes,
        is_forced=one.is_forced,
        doubt=_doubt(one),
    )
    named = tuple(None if step.is_cached else causes.of(step) for step in steps)
    seconds = sum(step.seconds for step in steps if not step.is_cached)
    seconds += report.transfer_seconds.get(one.name, 0.0) + report.export_seconds.get(one.name, 0.0)
    roots = root_causes(cause for cause in named if cause)
    cause = "; ".join(str(root) for root in roots) or _without_steps(one, causes)
    return ImageResult(
        image=one.name,
        action="built",
        seconds=seconds,
        steps=steps,
        causes=named,
        cause=cause,
        inputs=one.manifest.digest,
        parents=tuple(one.image.parents),
        works=tuple(work for work in report.works if work.image == one.name),
        critical=frozenset(report.critical),
    )


def _without_steps(one: PlannedImage, causes: ImageCauses) -> str:
    described = causes.of_description()
    return f"{described or one.reason}; every step was cached"


def _parent_causes(
    one: PlannedImage, plan: Plan, earlier: Mapping[str, ImageResult], stored: Mapping[str, StoredImage]
) -> dict[str, str]:
    """Context name → cause, for parents that are not what they were when this image was last built."""
    found: dict[str, str] = {}
    for context, value in one.image.contexts.items():
        name = value.removeprefix("target:")
        if value.startswith("target:") and one.last:
            parent, result = plan.of(name), earlier[name]
            before, now = one.last.parent_layers.get(name), layers_identity(stored.get(parent.image.tag))
            is_other = any(result.causes) if before is None else before != now
            if is_other or one.last.manifest.parents.get(context) != one.manifest.parents.get(context):
                found[context] = result.cause or (parent.last.cause if parent.last else "") or "its inputs changed"
    return found


def _doubt(one: PlannedImage) -> str:
    """Why the record of the last build may not tell what BuildKit compares with; empty when it does."""
    if one.last is None:
        return "there is no record of the build before this one" if one.stored else ""
    if one.stored and one.stored.id != one.last.image_id:
        return "something else built this image since the last build here"
    return ""


def _step_json(step: Step, cause: Cause | None) -> dict[str, Any]:
    return {
        "step": step.name,
        "cached": step.is_cached,
        "seconds": round(step.seconds, 3),
        "cause": cause.to_json() if cause else None,
        "place": step.place,
        "started": round(step.started, 3) if step.started else None,
    }


def _work_json(work: Work) -> dict[str, Any]:
    return {"kind": work.kind, "seconds": round(work.seconds, 3), "started": round(work.started, 3)}
