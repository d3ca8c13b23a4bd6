"""Results as tables for people and as one JSON document for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table


WIDE_COLUMNS = 240


def tolerate_any_text() -> None:
    """Print `?` for what the terminal's encoding lacks (an ASCII or Latin-1 locale) instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")


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
    console = Console(width=None if sys.stdout.isatty() else WIDE_COLUMNS, emoji=False)
    with console.capture() as captured:
        console.print(table)
    # rich fills every row up to the width of the table.
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def mark(is_ok: bool) -> str:
    return "[green]✓[/green]" if is_ok else "[red]✗[/red]"


def _table(columns: Sequence[str], right: Sequence[str]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table
