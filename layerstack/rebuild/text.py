"""Timed rebuilds as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from layerstack.report import mark, print_table, say
from layerstack.wording import duration, short

if TYPE_CHECKING:
    from layerstack.rebuild.rebuild import Rebuild


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
