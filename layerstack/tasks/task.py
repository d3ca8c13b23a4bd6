"""Invoke's `task` with an exit code for each kind of failure, and a `--dry` that runs nothing."""

import errno
import functools
import os
import sys
from collections.abc import Callable
from typing import Any, cast

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task
from invoke.tasks import task as invoke_task

from layerstack.errors import CommandFailed, NoRoom, StackError
from layerstack.report import print_json, printed_documents, say, tolerate_any_text
from layerstack.tasks.annotation import annotate

# As shells report an end by SIGINT.
INTERRUPTED = 130


def task(**options: Any) -> Callable[[Callable[..., None]], "Task[Any]"]:
    """Like Invoke's own `task`; the options are the same.

    A StackError prints what to do next instead of a traceback and ends the program with its exit code; with `--json` it
    is also a document on stdout. Ctrl-C ends with 130, a full disk with 7.
    """

    def wrap(body: Callable[..., None]) -> "Task[Any]":
        @functools.wraps(body)
        def run(c: Context, *args: Any, **kwargs: Any) -> None:
            # In every task, as plain `invoke` has a Program of its own that does not do it.
            tolerate_any_text()
            if c.config.run.dry:
                say(f"dry run, nothing done: {(body.__doc__ or '').splitlines()[0]}")
                return
            try:
                _run(body, c, args, kwargs)
            except BrokenPipeError:
                discard_output()

        return cast("Task[Any]", invoke_task(**options)(run))

    return wrap


def _run(body: Callable[..., None], c: Context, args: Any, kwargs: Any) -> None:
    """Call a task and turn its failure into the exit code of the program."""
    before = len(printed_documents)

    def ended(error: StackError) -> Exit:
        # A failed check is printed as part of the task's own document, and one document is promised.
        lacks_document = bool(kwargs.get("json")) and len(printed_documents) == before
        return Exit(code=print_failure(error, as_json=lacks_document))

    try:
        body(c, *args, **kwargs)
        sys.stdout.flush()
    except StackError as error:
        raise ended(_of_engine(error)) from error
    except KeyboardInterrupt:
        raise Exit("interrupted", INTERRUPTED) from None
    except OSError as error:
        # Any other error of the system is a fault in layerstack, which its traceback explains.
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        full = NoRoom(f"No room on the disk: {error}.", "`invoke clean` frees build cache; `df -h` shows what is full.")
        raise ended(full) from error


def _of_engine(error: StackError) -> StackError:
    """The same, or that there is no engine, where that is why a docker command failed."""
    if not isinstance(error, CommandFailed):
        return error
    from layerstack.engine import texts
    from layerstack.engine.endpoint import find_endpoint
    from layerstack.engine.unusable import unreachable

    return unreachable(error.output, find_endpoint()) if texts.says(error.output, *texts.UNREACHABLE) else error


def print_failure(error: StackError, as_json: bool) -> int:
    """Print a failure on stderr, and as a JSON document where one is wanted; returns the exit code."""
    say(str(error))
    annotate(error)
    if as_json:
        advice, code = error.advice, error.exit_code
        print_json({"ok": False, "error": str(error.args[0]), "advice": advice, "exit_code": code})
    return error.exit_code


def discard_output() -> None:
    """Discard buffered output after the reader of stdout has ended (`| head`): flushing it at exit would fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
