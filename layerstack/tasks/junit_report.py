"""The `--junit FILE` of a task: its checks, or the failure that prevented them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layerstack.errors import StackError
from layerstack.junit import Case, write_junit

JUNIT = "write the result to this file as well, for CI"


@contextmanager
def junit_report(task_name: str, file: str) -> Iterator[list[Case]]:
    """Write the cases that the body adds, and one for an error when none of them failed; nothing without a file."""
    cases: list[Case] = []
    began = time.monotonic()
    try:
        yield cases
    except StackError as error:
        # A task that found a failed check raises an error, too: the check is the failure, and would be counted twice.
        if not any(case.outcome == "failure" for case in cases):
            took, kind = time.monotonic() - began, type(error).__name__
            cases.append(Case(task_name, task_name, took, "failure", str(error.args[0]), kind, str(error)))
        raise
    finally:
        if file:
            write_junit(Path(file), task_name, cases, time.monotonic() - began)
