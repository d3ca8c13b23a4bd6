"""The build cache as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerstack.moment import utc_minute
from layerstack.report import print_table, say
from layerstack.wording import megabytes, short

if TYPE_CHECKING:
    from layerstack.cache.cache_report import CachedImage, CacheReport
    from layerstack.cache.cached_steps import CachedStep


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
    used = utc_minute(step.record.last_used)
    state = (
        "[red]next GC drops it[/red]"
        if step.record.id in image.dropped
        else "layer"
        if step.is_layer
        else "copied from"
    )
    return text, megabytes(step.record.size_bytes), state, used
