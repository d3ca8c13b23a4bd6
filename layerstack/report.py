"""Results as tables for people and as one JSON document for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from layerstack.wording import duration, megabytes, short

if TYPE_CHECKING:
    from rich.table import Table

    from layerstack.building.build_result import BuildResult
    from layerstack.caching.cache_report import CachedImage, CacheReport
    from layerstack.caching.cached_steps import CachedStep
    from layerstack.images import Layer
    from layerstack.impact import Impact
    from layerstack.project import Project
    from layerstack.rebuild import Rebuild
    from layerstack.running.startup import StartObserver, UpResult
    from layerstack.stack import Volume
    from layerstack.timeline import Timeline
    from layerstack.why import Explanation


WIDE_COLUMNS = 240


def say(text: str) -> None:
    """A line for the person who watches; results go to stdout, this goes to stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def print_json(document: Any) -> None:
    """The one JSON document of a task, on stdout."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = ()) -> None:
    """A table on stdout; columns named in `right` are aligned right. Cells may carry rich markup."""
    from rich.console import Console

    table = _table(columns, right)
    for row in rows:
        table.add_row(*row)
    # In a file or a pipe there is no width to respect: cut and wrap nothing.
    Console(width=None if sys.stdout.isatty() else WIDE_COLUMNS, emoji=False).print(table)


def mark(is_ok: bool) -> str:
    return "[green]✓[/green]" if is_ok else "[red]✗[/red]"


def print_build(result: BuildResult) -> None:
    """A row per image; one line when there was nothing to do."""
    if all(image.action == "fresh" for image in result.images):
        say(f"nothing to build, all is fresh: {', '.join(one.image for one in result.images)}")
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
        say(f"{found.image}, built {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(found.built_at))}: {found.cause}")
    else:
        say(f"{found.image}: {found.cause}")
    rows = [
        (
            "[dim]cached[/dim]" if step["cached"] else "ran",
            "" if step["cached"] else duration(step["seconds"]),
            escape(short(step["step"], 70)),
            step.get("place") or "",
            escape(_cause_text(step["cause"])),
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
    from layerstack.plan import explain, make_plan
    from layerstack.state import StateStore

    plan = make_plan(project, names, StateStore(project.root))
    if as_json:
        print_json({"images": [{"image": one.name, "inputs": one.manifest.to_json()} for one in plan.images]})
        return
    for one in plan.images:
        say(f"{one.name}: {'fresh' if one.is_fresh else f'stale, {one.reason}'}")
        for part, value in explain(one.manifest):
            sys.stdout.write(f"  {part:<12} {value}\n")


def _cause_text(cause: Mapping[str, str] | None) -> str:
    if not cause:
        return ""
    return f"{cause['kind']}: {cause['detail']}" if cause["detail"] else cause["kind"]


def print_rebuilds(rebuilds: Sequence[Rebuild]) -> None:
    from rich.markup import escape

    rows = [
        (
            mark(not rebuild.failures),
            rebuild.service,
            escape(rebuild.edited),
            duration(rebuild.median_seconds),
            duration(rebuild.budget_seconds) if rebuild.budget_seconds is not None else "none",
            " ".join(f"{run.seconds:.2f}" for run in rebuild.runs),
            "" if rebuild.served_seconds is None else duration(rebuild.served_seconds),
            str(len(rebuild.runs[-1].cached)),
            str(len(rebuild.runs[-1].executed)),
            escape("; ".join(rebuild.failures)) or "dependency steps CACHED, base unchanged, image changed",
        )
        for rebuild in rebuilds
    ]
    columns = ("", "service", "changed file", "median", "budget", "runs (s)", "until served", "cached", "run", "proof")
    print_table(columns, rows, right=("median", "budget", "until served", "cached", "run"))
    for rebuild in rebuilds:
        if rebuild.regression:
            say(f"  {rebuild.service} became slower: {rebuild.regression}")
        last, spread = rebuild.runs[-1], f"spread {rebuild.spread_seconds:.2f} s"
        parts = {"context": last.context_seconds, "steps": last.steps_seconds, "export": last.export_seconds}
        split = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in parts.items())
        say(f"  {rebuild.service}: {spread}; of the last run: {split}")
        for step in last.executed:
            say(f"    ran {short(step.instruction, 80)} ({step.place}, {step.seconds:.2f} s)")


def print_images(layers: Sequence[Layer]) -> None:
    rows = [
        (
            layer.layer,
            layer.tag,
            megabytes(layer.stored.size_bytes) if layer.stored else "[yellow]not here[/yellow]",
            layer.stored.created[:16].replace("T", " ") if layer.stored else "",
            layer.built_on,
        )
        for layer in layers
    ]
    print_table(("layer", "image", "size", "created (UTC)", "built on"), rows, right=("size",))


def start_observer() -> StartObserver:
    """A live line per service on a terminal, one line a change elsewhere."""
    from layerstack.running.startup import ChangeLog, LiveServices

    return LiveServices() if sys.stderr.isatty() else ChangeLog(say)


def print_start(result: UpResult) -> None:
    if result.was_running:
        say(f"everything was up and healthy already ({duration(result.seconds)})")
    else:
        say(f"healthy after {duration(result.seconds)}: {', '.join(one.service for one in result.services)}")


def print_addresses(addresses: Mapping[str, str]) -> None:
    print_table(("service", "address"), addresses.items())


def volume_text(volume: Volume) -> str:
    return volume.name + (f", {megabytes(volume.size_bytes)}" if volume.size_bytes is not None else "")


def print_timelines(timelines: Sequence[Timeline]) -> None:
    """Each build with a bar a step; what the end of the build waited for is marked."""
    from rich.console import Console

    from layerstack.explaining.timeline_text import bars_table, title, totals

    console = Console(width=None if sys.stdout.isatty() else WIDE_COLUMNS, emoji=False, highlight=False)
    for timeline in timelines:
        console.print(title(timeline), style="bold", markup=False)
        console.print(totals(timeline), style="dim", markup=False)
        console.print(bars_table(timeline))


def print_cache(found: CacheReport) -> None:
    """Images with their steps, the rest by kind, then policy, disk and what to set when a base image is in danger."""
    from rich.markup import escape

    colours = {"safe": "green", "not-built": "dim", "unknown": "yellow", "at-risk": "yellow"}
    rows: list[tuple[str, str, str, str]] = []
    for image in found.images:
        colour = colours.get(image.forecast.status, "red")
        rows.append((f"[bold]{image.tag}[/bold]", "", f"[{colour}]{image.forecast.status}[/{colour}]", ""))
        rows += [_cached_step_row(step, image) for step in image.steps]
        rows.append(("", megabytes(image.size_bytes), "", ""))
    print_table(("image and step", "size", "cache", "last used (UTC)"), rows, right=("size",))
    held = [(one.kind, escape(one.what), str(len(one.records)), megabytes(one.size_bytes)) for one in found.groups]
    print_table(("the rest", "", "records", "size"), held, right=("records", "size"))
    for line in found.sentences():
        say(line)


def _cached_step_row(step: CachedStep, image: CachedImage) -> tuple[str, str, str, str]:
    from rich.markup import escape

    text = escape(f"  {step.stage}:{step.line.line} {short(str(step.line), 90)}")
    if step.record is None:
        lost = "[red]lost[/red]" if step.is_layer else "[dim]lost, not needed[/dim]"
        return text, "", "[dim]not built[/dim]" if image.forecast.status == "not-built" else lost, ""
    used = step.record.last_used[:16].replace("T", " ")
    state = (
        "[red]next GC drops it[/red]"
        if step.record.id in image.dropped
        else "layer"
        if step.is_layer
        else "copied from"
    )
    return text, megabytes(step.record.size_bytes), state, used


def _table(columns: Sequence[str], right: Sequence[str]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table
