"""The `layerstack` command: Invoke's own Program with the tasks of layerstack and those of the folder."""

import re
import signal
import sys
from typing import Any, TextIO, cast

from invoke.exceptions import Exit, ParseError
from invoke.program import Program

from layerstack import __version__
from layerstack.errors import UsageError
from layerstack.tasks import completion, namespace
from layerstack.tasks.own_tasks import with_own_tasks
from layerstack.tasks.task import INTERRUPTED, discard_output, print_failure

OPTIONS = ("help", "list", "version", "dry", "print-completion-script", "list-format")


class Layerstack(Program):
    """`layerstack [OPTION] TASK [WORD…] [OPTION…] [TASK …]`."""

    def __init__(self) -> None:
        super().__init__(version=__version__, namespace=namespace, name="layerstack", binary="layerstack")

    def parse_core_args(self) -> None:
        try:
            super().parse_core_args()
        except (ParseError, ValueError) as error:
            raise Exit(str(error), UsageError.exit_code) from error
        if shell := self.args["print-completion-script"].value:
            try:
                sys.stdout.write(completion.script(shell))
            except UsageError as error:
                raise Exit(code=print_failure(error, as_json=False)) from error
            raise Exit

    def parse_collection(self) -> None:
        # Here and not in the constructor: Invoke has read its configuration only now.
        self.namespace = with_own_tasks(self.config)
        super().parse_collection()

    def parse_cleanup(self) -> None:
        if self.args.complete.value:
            # Invoke joins everything after `--` with blanks; the last word may be empty.
            words = self.core.remainder.split(" ")
            found = completion.candidates(words, self.parser.contexts, self.initial_context)
            sys.stdout.write("".join(f"{candidate}\n" for candidate in found))
            raise Exit
        super().parse_cleanup()

    def execute(self) -> None:
        # Up to here Ctrl-C leaves nothing to clean up (see __main__); a task ends its own children.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            super().execute()
        except KeyboardInterrupt:
            raise Exit("interrupted", INTERRUPTED) from None

    def task_list_opener(self, extra: str = "") -> str:
        return "Tasks"

    def print_help(self) -> None:
        """The tasks first, then those options of Invoke that apply to them."""
        sys.stdout.write("Usage: layerstack [OPTION] TASK [WORD...] [--task-option] [TASK ...]\n\n")
        self.list_tasks()
        sys.stdout.write("Options:\n\n")
        options = ((flags, text) for flags, text in self.initial_context.help_tuples() if _is_shown(flags))
        self.print_columns(list(options))
        sys.stdout.write("`layerstack --help TASK` shows the options of a task.\n")


class AsTyped:
    """A stream that makes `layerstack TASK` of every `invoke TASK` in advice.

    The library writes `invoke build`; a machine that has only the `layerstack` command has no `invoke`.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        names = "|".join(sorted(namespace.task_names, key=len, reverse=True))
        self._call = re.compile(rf"\binvoke (?=(?:{names}|--list|--help|--dry)(?![\w-]))")

    @property
    def as_is(self) -> TextIO:
        """The stream itself: logs and files of others contain no advice of ours."""
        return self._stream

    def spelled(self, text: str) -> str:
        """The text as it will be written; layouts measure its width."""
        return self._call.sub("layerstack ", text)

    def write(self, text: str) -> int:
        self._stream.write(self.spelled(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def main() -> None:
    """Run the command line of this process, and end it."""
    sys.stdout, sys.stderr = (cast(TextIO, AsTyped(stream)) for stream in (sys.stdout, sys.stderr))
    try:
        try:
            Layerstack().run()
        finally:
            # Within the block: at the end of the process a closed pipe would print a traceback.
            sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def _is_shown(flags: str) -> bool:
    """Whether `-h STRING, --help[=STRING]` is one of OPTIONS."""
    return any(flag.split("=")[0].removesuffix("[").removeprefix("--") in OPTIONS for flag in flags.split(", "))
