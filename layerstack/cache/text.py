"""The cache report as text."""

from collections.abc import Iterator

from layerstack.build.step_text import bare
from layerstack.cache.cache_report import CachedImage, CacheReport
from layerstack.cache.cached_steps import CachedStep
from layerstack.moment import age
from layerstack.report import line, print_table
from layerstack.wording import megabytes, short

# Smaller steps and groups are left out of the tables.
SHOWN_BYTES = 1_000_000
STEP_CHARACTERS = 40
COLOURS = {"safe": "green", "not-built": "dim", "unknown": "yellow", "at-risk": "yellow"}
WORDS = {"at-risk": "at risk", "would-drop": "goes next", "not-built": "not built"}


def print_cache(report: CacheReport) -> None:
    """Images with their large steps, the rest by kind, then disk, policy and the settings for a base at risk."""
    from rich.markup import escape

    rows = [row for image in report.images for row in _image_rows(image)]
    print_table(("image and step", "size", "cache", "unused"), rows, right=("size", "unused"), spare=("unused",))
    line("steps under 1 MB are left out; `build only` is not part of the image, `lost` is no longer cached", "dim")
    line()
    large = [group for group in report.groups if group.size_bytes >= SHOWN_BYTES]
    held = [(escape(f"{one.kind}: {one.what}"), megabytes(one.size_bytes)) for one in large]
    print_table(("cache of no step above", "size"), held, right=("size",))
    line()
    for text in report.sentences():
        line(text)


def _image_rows(image: CachedImage) -> Iterator[tuple[str, str, str, str]]:
    status = image.forecast.status
    shown = f"[{COLOURS.get(status, 'red')}]{WORDS.get(status, status)}[/]"
    yield f"[bold]{image.tag}[/bold]", megabytes(image.size_bytes), shown, ""
    for step in image.steps:
        if (step.record.size_bytes >= SHOWN_BYTES) if step.record else (step.is_layer and status != "not-built"):
            yield _step_row(step, image)


def _step_row(step: CachedStep, image: CachedImage) -> tuple[str, str, str, str]:
    from rich.markup import escape

    text = escape(f"  line {step.line.line}: {short(bare(str(step.line)), STEP_CHARACTERS)}")
    if step.record is None:
        return text, "", "[red]lost[/red]", ""
    goes = "[red]goes next[/red]" if step.record.id in image.dropped else ""
    state = goes or ("" if step.is_layer else "build only")
    return text, megabytes(step.record.size_bytes), state, age(step.record.last_used)
