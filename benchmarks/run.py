"""Measure and write the page: `python -m benchmarks.run [--only NAME …] [--runs N] [--photos FOLDER] …`.

The exit code is 0 when every measured goal was met, 1 when one was missed, 2 for wrong usage, else that of the failure.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import document
from benchmarks.machine_facts import load_average, read_machine_facts
from benchmarks.options import Options
from benchmarks.rows import ROWS, Row
from benchmarks.samples import NO_LIMIT
from benchmarks.scratch import ROOT
from layerstack.errors import StackError
from layerstack.report import say


def main(words: Sequence[str] | None = None) -> int:
    """Measure the wanted rows one by one; the page is written after each, and a row that fails stops no other."""
    asked = _parse(words)
    options = Options(asked.runs, asked.allow_prune, asked.photos)
    try:
        results = document.read_results(asked.output / "benchmarks.json", read_machine_facts())
    except StackError as error:
        say(str(error))
        return error.exit_code
    codes = [0]
    for row in ROWS:
        if not asked.only or row.name in asked.only:
            try:
                result = document.with_earlier(_measure(row, options), results["rows"].get(row.name))
                results["rows"][row.name] = result
                codes.append(0 if result.get("met", True) else 1)
            except StackError as error:
                say(f"{row.name}: {error}")
                codes.append(error.exit_code)
            document.write_results(asked.output, results)
    return max(codes)


def _measure(row: Row, options: Options) -> dict[str, Any]:
    if refusal := row.refusal(options):
        say(f"{row.name}: left out, {refusal}")
        return {"refusal": refusal}
    say(f"{row.name}: {row.ours}")
    before = load_average()
    result = row.measure(options, row.goal).to_json(row.goal)
    goal = f", goal {row.goal}: {'met' if result['met'] else 'missed'}" if row.goal.limit < NO_LIMIT else ""
    say(f"{row.name}: {result['value']:.3f}{goal}")
    return {**result, "date": date.today().isoformat(), "load": [before, load_average()]}


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure this project against what it replaces.")
    parser.add_argument("--only", nargs="+", choices=[row.name for row in ROWS], metavar="NAME", help="these rows")
    parser.add_argument("--runs", type=_positive, default=5, help="pairs of measurements per row (default 5)")
    parser.add_argument("--allow-prune", action="store_true", help="also empty this machine's whole build cache")
    parser.add_argument(
        "--photos", type=Path, metavar="FOLDER", help="labelled photos, for the rows pose-photos and -steadiness"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "docs", help="folder of the two result files")
    return parser.parse_args(words)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"1 or more, not {text}")
    return int(text)


if __name__ == "__main__":
    # A terminated run cleans up as an interrupted one does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
