"""Timed rebuilds as a table."""

from collections.abc import Sequence

from layerstack.rebuild.timed import Rebuild
from layerstack.report import line, mark, print_table
from layerstack.wording import duration, short

STEP_CHARACTERS = 80
PROOF = "its dependencies stayed cached, its base did not change, its image did"


def print_rebuilds(rebuilds: Sequence[Rebuild]) -> None:
    """A row per service, its failures, and where the time of the last run went."""
    from rich.markup import escape

    rows: list[tuple[str, ...]] = [
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
        )
        for rebuild in rebuilds
    ]
    columns = ["", "service", "changed file", "median", "budget", "runs (s)", "served", "cached", "ran"]
    if all(rebuild.served_seconds is None for rebuild in rebuilds):
        rows = [(*row[:6], *row[7:]) for row in rows]
        columns.remove("served")
    print_table(columns, rows, right=("median", "budget", "served", "cached", "ran"), spare=("ran", "cached"))
    for rebuild in rebuilds:
        line(f"{rebuild.service}: {'; '.join(rebuild.failures) or PROOF}", "red" if rebuild.failures else "")
        if rebuild.regression:
            line(f"  became slower: {rebuild.regression}")
        last = rebuild.runs[-1]
        parts = {"context": last.context_seconds, "steps": last.steps_seconds, "export": last.export_seconds}
        split = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in parts.items())
        line(f"  last run: {split}; spread of all {rebuild.spread_seconds:.2f} s", "dim")
        for step in last.executed:
            line(f"  ran {short(step.instruction, STEP_CHARACTERS)} ({step.place}, {step.seconds:.2f} s)", "dim")
