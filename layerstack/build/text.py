"""Builds, causes and impacts as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from layerstack.build.step_text import instruction_of, stage_of
from layerstack.moment import local_time
from layerstack.report import line, print_json, print_table, say
from layerstack.wording import duration, listed, short

if TYPE_CHECKING:
    from layerstack.build.impact import Impact
    from layerstack.build.record import BuildRecord, Cause, ImageRecord, StepRecord
    from layerstack.build.why import Explanation
    from layerstack.project.project import Project

STEP_CHARACTERS = 70
# After a checkout under another umask every step has causes of its own.
CAUSE_CHARACTERS = 160


def nothing_to_build(project: Project) -> str:
    """Why nothing of what was asked for is built here."""
    if project.service_images:
        return "nothing to build: this project has no base images; `invoke build` builds those of its services"
    also = "; `invoke build-bases` builds its base images" if project.base_images else ""
    return f"nothing to build: no service of this project has a `build:`{also}"


def print_build(result: BuildRecord) -> None:
    """A row per image that was built or pulled, the others in one line; the causes at the end of the row."""
    if not result.images:
        say("nothing to build: no service of this project has a `build:`")
        return
    idle = [image for image in result.images if image.action in ("fresh", "kept")]
    kept = [image.image for image in idle if image.action == "kept"]
    if len(idle) < len(result.images):
        _print_built([image for image in result.images if image not in idle])
    fresh = [image.image for image in idle if image.action == "fresh"]
    if fresh:
        prefix = "nothing to build, all images are up to date" if len(fresh) == len(result.images) else "up to date"
        say(f"{prefix}: {', '.join(fresh)}")
    if kept:
        say(f"kept as stored, because BuildKit's cache of them is gone: {', '.join(kept)}")
    if len(idle) < len(result.images):
        say(f"all images ready after {duration(result.seconds)}")


def _print_built(images: Sequence[ImageRecord]) -> None:
    from rich.markup import escape

    rows = [
        (
            image.image,
            image.action,
            duration(image.seconds) if image.steps else "",
            str(sum(not step.is_cached for step in image.steps)) if image.steps else "",
            str(sum(step.is_cached for step in image.steps)) if image.steps else "",
            escape(short(image.cause, CAUSE_CHARACTERS)),
        )
        for image in images
    ]
    columns = ("image", "", "took", "ran", "cached", "cause")
    print_table(columns, rows, right=("took", "ran", "cached"), spare=("cached", "ran"))
    if cut := [image.image for image in images if len(image.cause) > CAUSE_CHARACTERS]:
        say(f"all causes: `invoke why {cut[0]}`{f', likewise {listed(cut[1:])}' if cut[1:] else ''}")


def print_why(explanation: Explanation) -> None:
    """The last build of an image in a line, its steps in a table, and what a build would do now."""
    from rich.markup import escape

    done = "pulled" if explanation.action == "pulled" else "built"
    when = f", {done} {local_time(explanation.built_at)}" if explanation.built_at else ""
    line(f"{explanation.service or explanation.image}{when}: {explanation.cause}", "bold")
    rows = [
        (
            "[dim]cached[/dim]" if step.is_cached else "ran",
            "" if step.is_cached else duration(step.seconds),
            # rich would read `[a-z]` in a step as its own markup.
            escape(_step(step)),
            step.place,
            escape(_cause_text(step.cause)),
        )
        for step in explanation.steps
    ]
    if rows:
        # The place of a step matters only when one of them ran.
        spare = ("where",) if all(step.is_cached for step in explanation.steps) else ()
        print_table(("", "took", "step", "where", "cause"), rows, right=("took",), spare=spare)
    line(f"now: {explanation.now}")


def print_impact(impacts: Sequence[Impact]) -> None:
    """A table per file: image, step, why it would run, and how long it took the last time."""
    from rich.markup import escape

    for impact in impacts:
        if impact.reason:
            line(f"{impact.path}: nothing is rebuilt, it is {impact.reason}")
            continue
        rows = [
            (image.image, escape(short(step.step, STEP_CHARACTERS)), escape(step.why), _seconds_text(step.seconds))
            for image in impact.images
            for step in image.steps
        ] + [(image.image, "", escape(image.unknown), "?") for image in impact.images if image.unknown]
        line(f"{impact.path}: {_estimate_text(impact)}", "bold")
        print_table(("image", "step that runs again", "why", "last time"), rows, right=("last time",))


def _estimate_text(impact: Impact) -> str:
    seconds = impact.seconds_estimate
    if any(image.unknown for image in impact.images):
        return "not known how long it takes, because it depends on what will change"
    if seconds is None:
        return "not known how long it takes, because a step in it never ran here"
    return f"about {duration(seconds)}, as its steps took the last time"


def _step(step: StepRecord) -> str:
    """Stage, number and instruction, without the mounts of the instruction."""
    instruction = step.text if isinstance(step.text, str) else instruction_of(step.step)
    stage = stage_of(step.step)
    return short(f"{stage} {instruction}" if stage else instruction, STEP_CHARACTERS)


def _seconds_text(seconds: float | None) -> str:
    return "?" if seconds is None else duration(seconds)


def print_explanations(project: Project, names: Sequence[str], as_json: bool) -> None:
    """What the inputs digest of each image is made of: for `--explain`."""
    from layerstack.build.plan import explain, make_plan
    from layerstack.build.state import StateStore

    plan = make_plan(project, names, StateStore(project.root))
    if as_json:
        print_json({"images": [{"image": one.name, "inputs": one.manifest.to_json()} for one in plan.images]})
        return
    for one in plan.images:
        line(f"{one.name}: {'fresh' if one.is_fresh else f'stale, {one.reason}'}")
        for part, value in explain(one.manifest):
            line(f"  {part:<12} {value}")


def _cause_text(cause: Cause | None) -> str:
    return str(cause) if cause else ""
