"""What doctor found, for people: what stands in the way first, what is fine in one line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from layerstack.report import WIDE_COLUMNS, mark, print_table

if TYPE_CHECKING:
    from rich.console import Console

    from layerstack.doctor.doctor import Examination
    from layerstack.finding import Finding


def print_findings(found: Examination, shows_all: bool = False) -> None:
    """On stdout: a verdict, a paragraph for each problem, then the rest."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else WIDE_COLUMNS, emoji=False, highlight=False)
    problems = [one for one in found.findings if one.severity != "ok"]
    fine = [one for one in found.findings if one.severity == "ok"]
    console.print(verdict(problems), style="bold", markup=False)
    for one in problems:
        _print_problem(console, one)
    if shows_all:
        _print_all(fine, found.silenced)
    elif fine:
        names = ", ".join(dict.fromkeys(one.check for one in fine))
        console.print(f"\n{_count(len(fine), 'check')} found nothing wrong: {names}", style="dim", markup=False)
    if found.silenced:
        names = ", ".join(dict.fromkeys(one.check for one in found.silenced))
        console.print(f"silenced: {_count(len(found.silenced), 'finding')} ({names})", markup=False)
    if not shows_all and (fine or found.silenced):
        console.print("`invoke doctor --all` shows them too", style="dim", markup=False)


def verdict(problems: Sequence[Finding]) -> str:
    """The first line: does anything stand in the way?"""
    errors = sum(one.severity == "error" for one in problems)
    warnings = len(problems) - errors
    more = f"; {_count(warnings, 'warning')}" if warnings else ""
    if errors:
        return (
            f"{_count(errors, 'problem')} {'stand' if errors > 1 else 'stands'} in the way of a build or a start{more}"
        )
    return f"nothing stands in the way of a build or a start{more}"


def _print_problem(console: Console, one: Finding) -> None:
    from rich.markup import escape
    from rich.padding import Padding

    sign = mark(False) if one.severity == "error" else "[yellow]![/yellow]"
    place = f" [cyan]{escape(one.place)}[/cyan]" if one.place else ""
    console.print(f"\n{sign} [bold]{escape(one.check)}[/bold]{place}")
    texts = [escape(one.detail)]
    texts += [f"[dim]{escape(one.why)}[/dim]"] if one.why else []
    texts += [f"→ {escape(one.remedy)}"] if one.remedy else []
    for text in texts:
        console.print(Padding(text, (0, 0, 0, 2), expand=False))


def _print_all(fine: Sequence[Finding], silenced: Sequence[Finding]) -> None:
    from rich.markup import escape

    rows = [(mark(True), one.check, escape(one.detail)) for one in fine]
    rows += [("[dim]-[/dim]", one.check, f"silenced: {escape(one.detail)}") for one in silenced]
    print_table(("", "check", "found"), rows)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
