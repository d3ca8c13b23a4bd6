"""The findings as text: what blocks a build or a start first, what is fine in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from layerstack.report import line, mark, print_table
from layerstack.wording import counted

if TYPE_CHECKING:
    from layerstack.doctor.doctor import Examination
    from layerstack.finding import Finding


def print_findings(examination: Examination, shows_all: bool = False) -> None:
    """On stdout: a verdict, a paragraph for each problem, then the rest."""
    problems = [one for one in examination.findings if one.severity != "ok"]
    fine = [one for one in examination.findings if one.severity == "ok"]
    line(verdict(problems), "bold")
    for one in problems:
        _print_problem(one)
    if shows_all:
        _print_all(fine, examination.silenced)
    elif fine:
        line()
        line(f"{counted(len(fine), 'check')} found nothing wrong", "dim")
    if examination.silenced:
        names = ", ".join(dict.fromkeys(one.check for one in examination.silenced))
        line(f"suppressed: {counted(len(examination.silenced), 'finding')} ({names})")
    if not shows_all and (fine or examination.silenced):
        line("`invoke doctor --all` shows them too", "dim")


def verdict(problems: Sequence[Finding]) -> str:
    """The first line: does anything block a build or a start?"""
    errors = sum(one.severity == "error" for one in problems)
    warnings = len(problems) - errors
    more = f"; {counted(warnings, 'warning')}" if warnings else ""
    if errors:
        return f"{counted(errors, 'problem')} {'block' if errors > 1 else 'blocks'} a build or a start{more}"
    return f"nothing blocks a build or a start{more}"


def _print_problem(problem: Finding) -> None:
    line()
    is_error = problem.severity == "error"
    heading = " ".join(part for part in ("✗" if is_error else "!", problem.check, problem.place) if part)
    line(heading, "red" if is_error else "yellow")
    line(f"  {problem.detail}")
    if problem.why:
        line(f"  {problem.why}", "dim")
    if problem.remedy:
        line(f"  → {problem.remedy}", "bold")


def _print_all(fine: Sequence[Finding], silenced: Sequence[Finding]) -> None:
    from rich.markup import escape

    # Details hold brackets, such as those of a command, which would be taken for markup.
    rows = [(mark(True), one.check, escape(one.detail)) for one in fine]
    rows += [("[dim]-[/dim]", one.check, f"suppressed: {escape(one.detail)}") for one in silenced]
    print_table(("", "check", "found"), rows)
