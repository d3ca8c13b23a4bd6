"""The `--junit FILE` of a task: its checks, or the failure that prevented them."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from layerstack.errors import StackError, UsageError
from layerstack.junit import Case, write_junit
from layerstack.report import say

JUNIT = "write the result to this file as well, for CI"


@contextmanager
def junit_report(task_name: str, file: str) -> Iterator[list[Case]]:
    """Write the cases that the body adds, and one for an error when none of them failed; nothing without a file.

    Raises UsageError for a file that cannot be written: before the body runs where its folder is missing.
    """
    cases: list[Case] = []
    began = time.monotonic()
    if file and not Path(file).absolute().parent.is_dir():
        raise UsageError(f"There is no folder for the JUnit file {file}.", "Create it, or choose another path.")
    try:
        yield cases
    except StackError as error:
        # A task that found a failed check raises an error, too: the check is the failure, and would be counted twice.
        if not any(case.outcome == "failure" for case in cases):
            took, kind = time.monotonic() - began, type(error).__name__
            cases.append(Case(task_name, task_name, took, "failure", str(error.args[0]), kind, str(error)))
        try:
            _write(file, task_name, cases, began)
        except UsageError as trouble:
            # The failure of the task itself is what has to be read, and what gives the exit code.
            say(str(trouble))
        raise
    _write(file, task_name, cases, began)


def _write(file: str, task_name: str, cases: Sequence[Case], began: float) -> None:
    if file:
        write_junit(Path(file), task_name, cases, time.monotonic() - began)
