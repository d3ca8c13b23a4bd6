"""How tasks are called: failures become exit codes, `--dry` runs nothing, trailing words become a list."""

import functools
import json
import os
import sys
from collections.abc import Callable
from typing import Any, cast

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.parser.argument import Argument
from invoke.tasks import Task
from invoke.tasks import task as invoke_task

from layerstack.errors import StackError


def task(**options: Any) -> Callable[[Callable[..., None]], "Task[Any]"]:
    """Make an Invoke task whose failures end the program with their own exit code, and that `--dry` does not run."""

    def wrap(body: Callable[..., None]) -> "Task[Any]":
        @functools.wraps(body)
        def run(c: Context, *args: Any, **kwargs: Any) -> None:
            if c.config.run.dry:
                sys.stderr.write(f"dry run, nothing done: {(body.__doc__ or '').splitlines()[0]}\n")
                return
            try:
                body(c, *args, **kwargs)
            except StackError as error:
                _print_failure(error, as_json=bool(kwargs.get("json")))
                raise Exit(code=error.exit_code) from error
            except KeyboardInterrupt:
                raise Exit("interrupted", 130) from None
            except BrokenPipeError:
                # Whoever read the output has seen enough (`| head`); what is still buffered has nowhere to go.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

        return cast("Task[Any]", invoke_task(klass=WordyTask, **options)(run))

    return wrap


def _print_failure(error: StackError, as_json: bool) -> None:
    sys.stderr.write(f"{error}\n")
    # A failed check has printed its document already; any other failure has none.
    if as_json and error.exit_code != 1:
        document = {"ok": False, "error": str(error.args[0]), "advice": error.advice, "exit_code": error.exit_code}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")


class WordyTask(Task[Any]):
    """A task whose list arguments named in `positional` take any number of words: `invoke build pose-service frontend`.

    Invoke itself knows required positional arguments only.
    """

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        arguments = super().get_arguments(ignore_unknown_help=ignore_unknown_help)
        return [
            _Words(argument) if argument.positional and argument.kind is list else argument for argument in arguments
        ]


class _Words(Argument):
    """Takes the words that follow a task and are neither flags nor names of tasks."""

    def __init__(self, like: Argument) -> None:
        super().__init__(names=like.names, kind=list, help=like.help, positional=True, attr_name=like.attr_name)

    @property
    def value(self) -> list[str] | None:
        return None if _is_word_wanted() else list(self._value or [])

    @value.setter
    def value(self, word: str) -> None:
        self.raw_value = word
        self._value = [*(self._value or []), word]


def _is_word_wanted() -> bool:
    """Whether the parser is looking for a place for a word: it fills what is still None.

    It asks for every word ("may you take it?", in `handle`) and at the end ("is one missing?"): only the first
    question may be answered with yes, and not for flags and names of tasks.
    """
    frame = sys._getframe(2)
    while frame and frame.f_globals.get("__name__", "").startswith("invoke.parser"):
        if frame.f_code.co_name == "see_positional_arg":
            return True
        if frame.f_code.co_name == "handle":
            word, parser = frame.f_locals["token"], frame.f_locals["self"]
            return not word.startswith("-") and word not in parser.contexts
        frame = frame.f_back  # type: ignore[assignment]
    return False
