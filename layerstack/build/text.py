"""A build, its causes and its reach as tables."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from layerstack.report import print_json, print_table, say
from layerstack.wording import duration, short

if TYPE_CHECKING:
    from layerstack.build.impact import Impact
    from layerstack.build.record import BuildRecord, Cause
    from layerstack.build.why import Explanation
    from layerstack.project.project import Project


def print_build(result: BuildRecord) -> None:
    """A row per image; one line when there was nothing to do."""
    if not result.images:
        say("nothing to build: no image of this project is built here")
        return
    if result.is_all_fresh:
        say(f"nothing to build, all is fresh: {', '.join(one.image for one in result.images)}")
        return
    kept = [one.image for one in result.images if one.action == "kept"]
    if len(kept) + sum(one.action == "fresh" for one in result.images) == len(result.images):
        say(f"nothing to build; kept as stored, because BuildKit has no cache of them: {', '.join(kept)}")
        return
    from rich.markup import escape

    rows = [
        (
            image.image,
            image.action,
            duration(image.seconds) if image.steps else "",
            str(sum(not step.is_cached for step in image.steps)) if image.steps else "",
            str(sum(step.is_cached for step in image.steps)) if image.steps else "",
            escape(image.cause),
        )
        for image in result.images
    ]
    print_table(("image", "", "own time", "run", "cached", "cause"), rows, right=("own time", "run", "cached"))
    say(f"all images ready after {duration(result.seconds)}")


def print_why(found: Explanation) -> None:
    from rich.markup import escape

    if found.built_at:
        done = "pulled" if found.action == "pulled" else "built"
        say(
            f"{found.image}, {done} {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(found.built_at))}: {found.cause}"
        )
    else:
        say(f"{found.image}: {found.cause}")
    rows = [
        (
            "[dim]cached[/dim]" if step.is_cached else "ran",
            "" if step.is_cached else duration(step.seconds),
            escape(short(step.step, 70)),
            step.place,
            escape(_cause_text(step.cause)),
        )
        for step in found.steps
    ]
    if rows:
        print_table(("", "seconds", "step", "where", "cause"), rows, right=("seconds",))
    say(f"now {found.now}")


def print_impact(found: Sequence[Impact]) -> None:
    """A table per file: image, step, why it would run, and how long it took the last time."""
    from rich.markup import escape

    for impact in found:
        if impact.reason:
            say(f"{impact.path}: nothing is rebuilt, it is {impact.reason}")
            continue
        rows = [
            (image.image, escape(step.step), escape(step.why), _seconds_text(step.seconds))
            for image in impact.images
            for step in image.steps
        ] + [
            (image.image, "[yellow]?[/yellow]", escape(image.unknown), "?") for image in impact.images if image.unknown
        ]
        print_table(("image", "step", "why", "last time"), rows, right=("last time",))
        estimate = impact.seconds_estimate
        say(
            f"{impact.path}: not known how long it takes: not every step is known, or ran here before"
            if estimate is None
            else f"{impact.path}: about {duration(estimate)}, as its steps took the last time"
        )


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
        say(f"{one.name}: {'fresh' if one.is_fresh else f'stale, {one.reason}'}")
        for part, value in explain(one.manifest):
            sys.stdout.write(f"  {part:<12} {value}\n")


def _cause_text(cause: Cause | None) -> str:
    return str(cause) if cause else ""
