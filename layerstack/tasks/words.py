"""Words after a task: `build pose-service frontend` is read as `build --services=pose-service --services=frontend`.

Invoke's parser fills only required arguments by position, and a list is never required. So a command line is spelled
out before Invoke parses it; unknown tasks and options are refused on the way.
"""

from collections.abc import Mapping, Sequence

from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext, to_flag

from layerstack.errors import UsageError
from layerstack.wording import did_you_mean

HELP = ("--help", "-h")


class CommandLine:
    """The tokens after the program's own options, read from left to right.

    Afterwards, for completion: `task` is the last task, `required` its missing positional arguments, `awaited` the
    option at the end whose value is missing.
    """

    def __init__(self, tokens: Sequence[str], tasks: Mapping[str, ParserContext], program: ParserContext) -> None:
        self._tokens = list(tokens)
        self._tasks = tasks
        self._program = program
        self.task: ParserContext | None = None
        self.required: list[Argument] = []
        self.awaited: Argument | None = None

    @property
    def list_argument(self) -> Argument | None:
        """The argument of the current task that takes any number of words."""
        positional = self.task.positional_args if self.task else ()
        return next((argument for argument in positional if argument.kind is list), None)

    def spelled_out(self) -> list[str]:
        """The same command line without bare words.

        Raises UsageError for an unknown task or option, and where a number is expected and something else is given.
        """
        spelled: list[str] = []
        while self._tokens:
            token = self._tokens.pop(0)
            if token == "--":
                return [*spelled, token, *self._tokens]
            if token in HELP and self.task and self.required:
                # Invoke would take it for an argument that is missing: these are filled with their names.
                return [*spelled, *(argument.names[0] for argument in self.required), token]
            spelled += self._option(token) if token.startswith("-") and len(token) > 1 else self._word(token)
        return spelled

    def _misplaced(self, name: str) -> UsageError | None:
        """The error for an option of a task that stands before it."""
        # The last one: the option's value may be called like a task, as in `--device gpu up`.
        tasks = [token for token in self._tokens if token in self._tasks and name in self._tasks[token].flags]
        if self.task or not tasks:
            return None
        return UsageError(f"`{name}` stands before its task.", f"invoke {tasks[-1]} {name} …")

    def options(self) -> dict[str, Argument]:
        """The options that are valid here: those of the program, overridden by those of the current task."""
        known: dict[str, Argument] = {}
        for context in (self._program, self.task):
            if context is not None:
                known.update({flag: context.flags[flag] for flag in context.flag_names() if flag in context.flags})
                known.update({flag: context.flags[main] for flag, main in context.inverse_flags.items()})
        return known

    def _word(self, token: str) -> list[str]:
        """A required argument, else the next task, else one more word for the current task's list."""
        if self.required:
            self.required.pop(0)
            return [token]
        if token in self._tasks:
            self.task = self._tasks[token]
            self.required = [argument for argument in self.task.positional_args if argument.kind is not list]
            return [token]
        if self.list_argument is None:
            raise unknown("task", token, self._tasks)
        return [f"{to_flag(self.list_argument.names[0])}={token}"]

    def _option(self, token: str) -> list[str]:
        name, sign, value = token.partition("=")
        if not name.startswith("--") and len(name) > 2:
            return [token]  # `-t50` or `-qv`: Invoke takes these apart
        known = self.options()
        if name not in known:
            raise self._misplaced(name) or unknown("option", name, known, (self.task.name or "") if self.task else "")
        argument = known[name]
        # A required argument may be given by its option as well.
        if argument in self.required:
            self.required.remove(argument)
        if not argument.takes_value:
            return [token]
        if sign:
            return _checked(argument, name, value, [token])
        if not self._tokens:
            self.awaited = argument
            return [token]
        # The value may be left out: another option, or a task, is none.
        if argument.optional and (self._tokens[0].startswith("-") or self._tokens[0] in self._tasks):
            return [token]
        value = self._tokens.pop(0)
        return _checked(argument, name, value, [token, value])


# Commands of Compose → the tasks that do as much here.
OF_COMPOSE = {
    "stop": "down",
    "kill": "down",
    "rm": "down",
    "ps": "status",
    "ls": "stacks",
    "watch": "dev",
    "pull": "setup",
}


def unknown(kind: str, token: str, known: Mapping[str, object], task: str = "") -> UsageError:
    """The error for an unknown name, with the nearest known one."""
    # Without short flags: `-j` resembles every other one.
    names = (name for name in known if len(name) > 2)
    meant = OF_COMPOSE.get(token, token) if kind == "task" else token
    advice = did_you_mean(meant, names, f"`invoke {f'--help {task}' if task else '--list'}` lists them.")
    return UsageError(f"There is no {kind} `{token}`{f' of {task}' if task else ''}.", advice)


def _checked(argument: Argument, name: str, value: str, tokens: list[str]) -> list[str]:
    # Invoke would end with a traceback of int().
    if argument.kind is int:
        try:
            int(value)
        except ValueError:
            raise UsageError(f"{name} takes a number, not `{value}`.") from None
    return tokens
