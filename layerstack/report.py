"""Results as tables for people and as one JSON document for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from layerstack.build import BuildResult
from layerstack.cache import CacheUse, megabytes
from layerstack.images import StoredImage, is_built_on
from layerstack.progress import duration, short
from layerstack.rebuild import Rebuild

if TYPE_CHECKING:
    from rich.table import Table


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
    console = Console()
    # In a file or a pipe there is no width to respect: cut nothing.
    console.print(table, soft_wrap=not console.is_terminal, width=None if console.is_terminal else 240)


def mark(is_ok: bool) -> str:
    return "[green]✓[/green]" if is_ok else "[red]✗[/red]"


def print_build(result: BuildResult) -> None:
    rows = [
        (
            image.image,
            image.action,
            duration(image.seconds),
            str(sum(not step.is_cached for step in image.steps)),
            str(sum(step.is_cached for step in image.steps)),
            image.cause,
        )
        for image in result.images
    ]
    print_table(("image", "", "own time", "run", "cached", "cause"), rows, right=("own time", "run", "cached"))
    say(f"all images ready after {duration(result.seconds)}")


def print_rebuilds(rebuilds: Sequence[Rebuild]) -> None:
    rows = [
        (
            mark(not rebuild.failures),
            rebuild.service,
            rebuild.edited,
            duration(rebuild.median_seconds),
            duration(rebuild.budget_seconds) if rebuild.budget_seconds is not None else "none",
            " ".join(f"{run.seconds:.2f}" for run in rebuild.runs),
            str(len(rebuild.runs[-1].cached)),
            str(len(rebuild.runs[-1].executed)),
            "; ".join(rebuild.failures) or "dependency steps CACHED, base unchanged, image changed",
        )
        for rebuild in rebuilds
    ]
    columns = ("", "service", "changed file", "median", "budget", "runs (s)", "cached", "run", "proof")
    print_table(columns, rows, right=("median", "budget", "cached", "run"))
    for rebuild in rebuilds:
        for step in rebuild.runs[-1].executed:
            say(f"  {rebuild.service} ran: {short(step, 100)}")


def print_images(stored: Sequence[tuple[str, StoredImage | None]]) -> None:
    """Tags with size and age, and the nearest other image each is built on."""
    present = [image for _, image in stored if image]
    rows = []
    for tag, image in stored:
        if image is None:
            rows.append((tag, "[yellow]not built[/yellow]", "", ""))
            continue
        parents = [other for other in present if other.id != image.id and is_built_on(image, other)]
        nearest = max(parents, key=lambda parent: len(parent.layers), default=None)
        rows.append((tag, megabytes(image.size_bytes), image.created[:16].replace("T", " "), _name(nearest)))
    print_table(("image", "size", "created (UTC)", "built on"), rows, right=("size",))


def print_cache(use: CacheUse, most: int = 15) -> None:
    largest = sorted(use.records, key=lambda record: -record.size_bytes)[:most]
    rows = [
        (
            megabytes(record.size_bytes),
            record.kind,
            "layer of an image" if record.is_shared else ("in use" if record.is_in_use else "cache only"),
            record.last_used[:16].replace("T", " "),
            short(record.description, 80),
        )
        for record in largest
    ]
    print_table(("size", "kind", "held as", "last used (UTC)", "what"), rows, right=("size",))
    rest = len(use.records) - len(largest)
    say(
        f"{len(use.records)} records{f' ({rest} smaller ones not shown)' if rest > 0 else ''}, "
        f"{megabytes(use.total_bytes)} in all, {megabytes(use.reclaimable_bytes)} could be reclaimed"
    )


def _table(columns: Sequence[str], right: Sequence[str]) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def _name(image: StoredImage | None) -> str:
    return image.tags[0] if image and image.tags else ""
