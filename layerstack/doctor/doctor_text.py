"""The findings as text: what blocks a build or a start first, what is fine in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from layerstack.report import line, mark, print_table

if TYPE_CHECKING:
    from layerstack.doctor.doctor import Examination
    from layerstack.finding import Finding


def print_findings(found: Examination, shows_all: bool = False) -> None:
    """On stdout: a verdict, a paragraph for each problem, then the rest."""
    problems = [one for one in found.findings if one.severity != "ok"]
    fine = [one for one in found.findings if one.severity == "ok"]
    line(verdict(problems), "bold")
    for one in problems:
        _print_problem(one)
    if shows_all:
        _print_all(fine, found.silenced)
    elif fine:
        line()
        line(f"{_count(len(fine), 'check')} found nothing wrong", "dim")
    if found.silenced:
        names = ", ".join(dict.fromkeys(one.check for one in found.silenced))
        line(f"suppressed: {_count(len(found.silenced), 'finding')} ({names})")
    if not shows_all and (fine or found.silenced):
        line("`invoke doctor --all` shows them too", "dim")


def verdict(problems: Sequence[Finding]) -> str:
    """The first line: does anything block a build or a start?"""
    errors = sum(one.severity == "error" for one in problems)
    warnings = len(problems) - errors
    more = f"; {_count(warnings, 'warning')}" if warnings else ""
    if errors:
        return f"{_count(errors, 'problem')} {'block' if errors > 1 else 'blocks'} a build or a start{more}"
    return f"nothing blocks a build or a start{more}"


def _print_problem(one: Finding) -> None:
    line()
    is_error = one.severity == "error"
    line(
        f"{'✗' if is_error else '!'} {one.check}{f' {one.place}' if one.place else ''}", "red" if is_error else "yellow"
    )
    line(f"  {one.detail}")
    if one.why:
        line(f"  {one.why}", "dim")
    if one.remedy:
        line(f"  → {one.remedy}", "bold")


def _print_all(fine: Sequence[Finding], silenced: Sequence[Finding]) -> None:
    from rich.markup import escape

    rows = [(mark(True), one.check, escape(one.detail)) for one in fine]
    rows += [("[dim]-[/dim]", one.check, f"suppressed: {escape(one.detail)}") for one in silenced]
    print_table(("", "check", "found"), rows)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
