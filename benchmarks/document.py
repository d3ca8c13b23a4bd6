"""The results: `benchmarks.json` holds every sample, `benchmarks.md` is written from it."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.rows import ROWS, Row
from benchmarks.samples import NO_LIMIT

INTRODUCTION = """\
# Benchmarks

Ratios of two things measured in turns (ours, theirs, ours, theirs …), each as a whole process with its wall time.
Seconds are medians; the range of the runs stands in brackets. Repeat them all, or single rows by name:

```
nox -s benchmarks
nox -s benchmarks -- --only code-change-backend-api answer --runs 5
```

Everything runs in copies of this project with image names, ports and a Compose project of their own, on the CPU stack;
they are removed afterwards. `benchmarks/build-and-start.sh` is the script that the tasks replaced, with the same
Dockerfiles. `--allow-prune` adds the one row that empties the build cache of the whole machine.
"""

BUSY = "A load average far above the number of cores says that the machine was busy: such a row is worth repeating."

REASONS = """\
As the profiles of 28 November show: of a build after an edit, BuildKit's own call takes about as long as bare bake.
Around it stand 0.25 s until it is started (Python, Invoke and the project's own `tasks.py` take 0.15 s of them, the
project and the labels of its bases the rest) and 0.1 s afterwards, in which the image, its inputs and its cache records
are written down, as `why`, `impact` and `kept` need them. Of `start`, the build that finds nothing to do takes 0.6 s,
and the job that makes the database's user, which every `up` of Compose runs again, and the look afterwards 1.1 s. Both
sides lost 1.2 s on 29 November, when that job ceased to be one of mongosh, so that the ratio hardly moved."""


def read_results(path: Path, machine: Mapping[str, str]) -> dict[str, Any]:
    """Earlier results; empty when there are none or they come from another machine."""
    document = json.loads(path.read_text()) if path.is_file() else {}
    rows = document["rows"] if document.get("machine") == machine else {}
    known = {row.name for row in ROWS}
    return {"machine": dict(machine), "rows": {name: result for name, result in rows.items() if name in known}}


def with_earlier(result: Mapping[str, Any], previous: Mapping[str, Any] | None) -> dict[str, Any]:
    """The result with what the row said before it, oldest first; the page shows the newest only."""
    said = {name: previous[name] for name in ("date", "value") if name in previous} if previous else {}
    return {**result, "earlier": [*(previous or {}).get("earlier", ()), *([said] if said else [])]}


def write_results(folder: Path, document: Mapping[str, Any]) -> None:
    """Write both files."""
    (folder / "benchmarks.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    (folder / "benchmarks.md").write_text(render(document))


def render(document: Mapping[str, Any]) -> str:
    """The page: machine, table, remarks, and a profile for every goal that was missed."""
    results: Mapping[str, Mapping[str, Any]] = document["rows"]
    machine = ", ".join(f"{name} {value}" for name, value in document["machine"].items())
    table = ["| what | against | ours | theirs | ratio | goal | met |", "|---|---|---|---|---|---|---|"]
    table += [_line(row, results.get(row.name)) for row in ROWS]
    parts = [INTRODUCTION, f"Measured on: {machine}.\n", "\n".join(table) + "\n"]
    parts += ["## Remarks\n", f"{BUSY}\n", "\n".join(_remarks(results)) + "\n"]
    missed = [row for row in ROWS if results.get(row.name, {}).get("profile")]
    parts += ["## Missed goals\n", f"{REASONS}\n"] if missed else []
    parts += [f"### {row.name}\n\n```\n{results[row.name]['profile']}\n```\n" for row in missed]
    return "\n".join(parts)


def _line(row: Row, result: Mapping[str, Any] | None) -> str:
    if result is None:
        return f"| {row.ours} | {row.theirs} | | | | {row.goal} | not measured |"
    if "refusal" in result:
        return f"| {row.ours} | {row.theirs} | | | | {row.goal} | not measured: {result['refusal']} |"
    unit = "" if row.goal.kind == "count" else f" {row.goal.unit}"
    ratio = f"{result['value']:.2f}" if row.goal.kind == "ratio" else ""
    sides = (_side(result["ours"], unit), _side(result["theirs"], unit))
    met = "" if row.goal.limit == NO_LIMIT else "yes" if result["met"] else "**no**"
    return f"| {row.ours} | {row.theirs} | {sides[0]} | {sides[1]} | {ratio} | {row.goal} | {met} |"


def _side(values: list[float], unit: str) -> str:
    if not values:
        return ""
    shown = f"{_number(median(values), unit)}{unit}"
    return shown if len(values) == 1 else f"{shown} ({_number(min(values), unit)}–{_number(max(values), unit)})"


def _number(value: float, unit: str) -> str:
    if not unit:
        return f"{value:g}"
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _remarks(results: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    for row in ROWS:
        result = results.get(row.name)
        if result and "refusal" not in result:
            runs, load = len(result["ours"]), result["load"]
            count = "1 run" if runs == 1 else f"{runs} runs"
            facts = f"{count} on {result['date']}, load average {load[0]:g} before and {load[1]:g} after"
            yield f"- **{row.name}**: {'; '.join([facts, *result['notes']])}."
