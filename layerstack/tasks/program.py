"""The `layerstack` command: Invoke's own Program with the tasks of layerstack and those of the folder."""

import sys

from invoke.exceptions import Exit
from invoke.program import Program

from layerstack import __version__
from layerstack.tasks import namespace
from layerstack.tasks.own_tasks import with_own_tasks
from layerstack.tasks.task import INTERRUPTED, discard_output

OPTIONS = ("help", "list", "version", "dry", "print-completion-script", "list-format")


class Layerstack(Program):
    """`layerstack [OPTION] TASK [WORD…] [OPTION…] [TASK …]`."""

    def __init__(self) -> None:
        super().__init__(version=__version__, namespace=namespace, name="layerstack", binary="layerstack")

    def parse_collection(self) -> None:
        self.namespace = with_own_tasks(self.config)
        super().parse_collection()

    def task_list_opener(self, extra: str = "") -> str:
        return "Tasks"

    def print_help(self) -> None:
        """The tasks first; of Invoke's options only those that mean something for them."""
        sys.stdout.write("Usage: layerstack [OPTION] TASK [WORD...] [--task-option] [TASK ...]\n\n")
        self.list_tasks()
        sys.stdout.write("Options:\n\n")
        options = ((flags, text) for flags, text in self.initial_context.help_tuples() if _is_shown(flags))
        self.print_columns(list(options))
        sys.stdout.write("`layerstack --help TASK` shows the options of a task.\n")


def _is_shown(flags: str) -> bool:
    """Whether `-h STRING, --help[=STRING]` is one of OPTIONS."""
    return any(flag.split("=")[0].removesuffix("[").removeprefix("--") in OPTIONS for flag in flags.split(", "))


def main() -> None:
    """Run the command line of this process, and end it."""
    try:
        Layerstack().run(exit=True)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        discard_output()
    except Exit as end:
        sys.exit(end.code)
