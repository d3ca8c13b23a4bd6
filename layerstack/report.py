"""Prints results: tables and sentences for people, one JSON document for programs."""

from __future__ import annotations

import codecs
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

# A function that takes messages about progress, `say` for one.
Say = Callable[[str], None]
# The width for files and pipes.
DEFAULT_COLUMNS = 80
GAP = 2
# Narrower columns are not shrunk, so that `12 MB` and `2 h ago` stay on one line.
NARROW = 12
# Colours are dropped; other control characters are spelled out, as they could move or clear the screen.
COLOURS = re.compile(r"\x1b\[[0-9;:]*m")
# Marks of direction could reorder a line, and no encoding has lone surrogates.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# A command in backticks, with the arrow before it, is not broken, so that it can be copied.
_WORDS = re.compile(r"(?:→ )?(?:`[^`\n]+`\S*|\S+)")
# What this process has printed: a task that fails prints a document about that unless its own is among them.
printed_documents: list[Any] = []
_ASCII = {
    **{"✓": "ok", "✗": "x", "▸": ">", "◆": "*", "·": "-", "…": "...", "→": "->", "—": "-", "×": "x", "²": "2"},
    **dict.fromkeys("█▉▊▋▌▍▎▏▐▕", "#"),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("“”", '"'),
}


def tolerate_any_text() -> None:
    """Replace characters that the terminal's encoding lacks (ASCII, Latin-1) instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="layerstack")


def width_of(stream: TextIO) -> int:
    """COLUMNS, else the width of the stream's terminal, else DEFAULT_COLUMNS."""
    if (asked := os.environ.get("COLUMNS", "")).isdigit() and int(asked):
        return int(asked)
    try:
        return os.get_terminal_size(stream.fileno()).columns or DEFAULT_COLUMNS
    except (OSError, ValueError, AttributeError):
        return DEFAULT_COLUMNS


def shown(text: str, stream: TextIO | None = None) -> str:
    """Text that is safe to print on stdout or another stream: without control codes, in its encoding."""
    target = stream or sys.stdout
    text = _CONTROLS.sub(_spelled_out, COLOURS.sub("", text.replace("\r\n", "\n")))
    # A stream of the `layerstack` command respells `invoke TASK` as `layerstack TASK`.
    text = getattr(target, "spelled", str)(text)
    encoding = getattr(target, "encoding", None) or "utf-8"
    return text.encode(encoding, "layerstack").decode(encoding)


def as_is(stream: TextIO) -> TextIO:
    """The same stream for text of other programs, in which `invoke TASK` stays what it is."""
    found: TextIO = getattr(stream, "as_is", stream)
    return found


def wrapped(text: str, width: int) -> str:
    """Every line wrapped at blanks to a width, with its own indentation."""
    from rich.cells import cell_len

    lines = []
    for line in text.split("\n"):
        margin = line[: len(line) - len(line.lstrip())]
        # Continuation lines align with the text after a mark.
        indent = margin + ("  " if line.lstrip()[:2] in ("→ ", "| ", "! ", "x ", "✗ ", "- ") else "")
        current = margin
        for word in _WORDS.findall(line):
            if current.strip() and cell_len(current) + 1 + cell_len(word) > width:
                lines.append(current)
                current = indent + word
            else:
                current += f" {word}" if current.strip() else word
        lines.append(current)
    return "\n".join(lines)


def say(text: str) -> None:
    """A message on stderr, wrapped on a terminal; results go to stdout."""
    text = shown(text, sys.stderr)
    sys.stderr.write((wrapped(text, width_of(sys.stderr)) if sys.stderr.isatty() else text) + "\n")
    sys.stderr.flush()


def line(text: str = "", style: str = "", is_whole: bool = False) -> None:
    """A sentence on stdout, wrapped to its width; with `is_whole` only on a terminal."""
    from rich.text import Text

    console = console_for(sys.stdout)
    text = shown(text)
    console.print(
        Text(text if is_whole and not sys.stdout.isatty() else wrapped(text, console.width), style=style),
        # The text is wrapped already: rich would break commands in backticks.
        soft_wrap=True,
    )


def print_json(document: Any) -> None:
    """The JSON document of a task, on stdout."""
    printed_documents.append(document)
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    sys.stdout.flush()


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = (), spare: Sequence[str] = ()
) -> None:
    """A table on stdout that fits its width. Cells may contain rich markup.

    Columns in `right` are right-aligned; those in `spare` are dropped, last first, when words would have to be broken.
    """
    from rich.table import Table
    from rich.text import Text

    console = console_for(sys.stdout)
    cells = [[Text.from_markup(shown(cell), emoji=False) for cell in row] for row in (columns, *rows)]
    # Empty columns are dropped.
    kept = [number for number in range(len(columns)) if any(row[number].plain for row in cells[1:]) or len(cells) == 1]
    dropped = [number for number in map(columns.index, spare) if number in kept]
    while dropped and sum(_least(cells, kept)) + GAP * (len(kept) - 1) > console.width:
        kept.remove(dropped.pop())
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))
    widths = _widths(cells, kept, console.width - GAP * (len(kept) - 1))
    for number, width in zip(kept, widths, strict=True):
        justify = "right" if columns[number] in right else "left"
        table.add_column(cells[0][number], justify=justify, overflow="fold", width=width)  # type: ignore[arg-type]
    for row in cells[1:]:
        table.add_row(*(row[number] for number in kept))
    print_rich(console, table)


def print_rich(console: Console, table: Table) -> None:
    """A rich table on stdout, without trailing blanks."""
    with console.capture() as captured:
        console.print(table)
    # rich fills every row up to the width of the table.
    sys.stdout.write("".join(f"{row.rstrip()}\n" for row in captured.get().splitlines()))
    sys.stdout.flush()


def console_for(stream: TextIO) -> Console:
    """A rich console on a stream, with its width."""
    from rich.console import Console

    # No emoji and no highlighting: `:cat:` in a log is text, and numbers get no colours.
    return Console(file=stream, width=width_of(stream), emoji=False, highlight=False)


def mark(is_ok: bool) -> str:
    return "[green]✓[/green]" if is_ok else "[red]✗[/red]"


def _least(cells: Sequence[Sequence[Any]], kept: Sequence[int]) -> list[int]:
    """The least width of each column that breaks no word."""
    from rich.cells import cell_len

    wanted = _wanted(cells, kept)
    words = [max(cell_len(word) for row in cells for word in row[number].plain.split() or [""]) for number in kept]
    return [width if width <= NARROW else word for width, word in zip(wanted, words, strict=True)]


def _wanted(cells: Sequence[Sequence[Any]], kept: Sequence[int]) -> list[int]:
    return [max(row[number].cell_len for row in cells) for number in kept]


def _widths(cells: Sequence[Sequence[Any]], kept: Sequence[int], room: int) -> list[int]:
    """The natural widths if they fit; else the widest columns shrink first, and words stay whole if possible."""
    wanted, least = _wanted(cells, kept), _least(cells, kept)
    while sum(wanted) > room:
        # When not even the words fit, they are folded.
        can_shrink = [number for number, width in enumerate(wanted) if width > least[number]] or range(len(wanted))
        widest = max(can_shrink, key=lambda number: wanted[number])
        if wanted[widest] <= 1:
            break
        wanted[widest] -= 1
    return wanted


def _spelled_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """ASCII replacements for what the encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_ASCII.get(one, "?") for one in error.object[error.start : error.end]), error.end


codecs.register_error("layerstack", _in_ascii)
