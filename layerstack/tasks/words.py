"""Words after a task: `build pose-service frontend` is read as `build --services=pose-service --services=frontend`.

Invoke's parser fills only arguments that a task requires by position; a list never is one. So a command line is spelled
out before Invoke parses it. Whoever walks along it knows every task and option, and refuses those that are none.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence

from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext, to_flag

from layerstack.errors import UsageError


class CommandLine:
    """The tokens behind the program's own options, walked from left to right, one task after the other."""

    def __init__(self, tokens: Sequence[str], tasks: Mapping[str, ParserContext], program: ParserContext) -> None:
        self._tokens = list(tokens)
        self._tasks = tasks
        self._program = program
        self._task: ParserContext | None = None
        self._required: list[Argument] = []

    def spelled_out(self) -> list[str]:
        """The same command line without bare words. Raises UsageError for a task, option or number that is none."""
        spelled: list[str] = []
        while self._tokens:
            token = self._tokens.pop(0)
            if token == "--":
                return [*spelled, token, *self._tokens]
            spelled += self._option(token) if token.startswith("-") and len(token) > 1 else self._word(token)
        return spelled

    def _word(self, token: str) -> list[str]:
        """A required argument, else the next task, else one more of the current task's list."""
        if self._required:
            self._required.pop(0)
            return [token]
        if token in self._tasks:
            self._task = self._tasks[token]
            # A list that is named as positional is never required.
            self._required = [one for one in self._task.positional_args if one.kind is not list]
            return [token]
        wanted = next(self._list_arguments(), None)
        if wanted is None:
            raise self._unknown("task", token, self._tasks)
        return [f"{to_flag(wanted.names[0])}={token}"]

    def _list_arguments(self) -> Iterator[Argument]:
        for one in self._task.positional_args if self._task else ():
            if one.kind is list:
                yield one

    def _option(self, token: str) -> list[str]:
        name, sign, value = token.partition("=")
        if not name.startswith("--") and len(name) > 2:
            return [token]  # `-t50` or `-qv`: Invoke takes these apart
        argument = self._argument(name)
        if argument in self._required:
            self._required.remove(argument)
        if not argument.takes_value:
            return [token]
        if sign:
            return self._checked(argument, name, value, [token])
        if not self._tokens or (argument.optional and self._is_no_value(self._tokens[0])):
            return [token]
        value = self._tokens.pop(0)
        return self._checked(argument, name, value, [token, value])

    def _argument(self, name: str) -> Argument:
        known: dict[str, Argument] = {}
        for context in (self._program, self._task):
            if context is not None:
                known.update({flag: context.flags[flag] for flag in context.flag_names() if flag in context.flags})
                known.update({flag: context.flags[main] for flag, main in context.inverse_flags.items()})
        if name not in known:
            raise self._unknown("option", name, known)
        return known[name]

    def _is_no_value(self, token: str) -> bool:
        return token.startswith("-") or token in self._tasks

    @staticmethod
    def _checked(argument: Argument, name: str, value: str, tokens: list[str]) -> list[str]:
        if argument.kind is int:
            try:
                int(value)
            except ValueError:
                raise UsageError(f"{name} takes a number, not `{value}`.") from None
        return tokens

    def _unknown(self, kind: str, token: str, known: Mapping[str, object]) -> UsageError:
        near = difflib.get_close_matches(token, [name for name in known if len(name) > 2], n=1, cutoff=0.6)
        owner = f" of {self._task.name}" if kind == "option" and self._task else ""
        help_of = f"--help {self._task.name}" if owner and self._task else "--list"
        advice = f"Did you mean {near[0]}?" if near else f"`invoke {help_of}` shows those that there are."
        return UsageError(f"There is no {kind} `{token}`{owner}.", advice)
