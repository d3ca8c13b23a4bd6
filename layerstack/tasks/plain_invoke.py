"""Words after a task under plain `invoke`, whose Program is not ours to choose.

`invoke` makes its Program before it reads a tasks.py, and a collection can change nothing but arguments; Invoke's
parser cannot fill a list by position. So the one public method that runs after tasks.py was read and before anything is
parsed, `Program.parse_tasks`, is replaced when `layerstack.tasks` is imported. Command lines that Invoke understands
mean the same as before; what it would refuse is spelled out, or refused with exit code 2 and the nearest name.
"""

import sys
from collections.abc import Mapping

from invoke.exceptions import Exit, ParseError
from invoke.parser import Parser
from invoke.parser.context import ParserContext
from invoke.program import Program

from layerstack.errors import UsageError
from layerstack.tasks.task import print_failure
from layerstack.tasks.words import CommandLine, unknown

LIST_FORMATS = ("flat", "nested", "json")
_parse_tasks = Program.parse_tasks


def install() -> None:
    """Let every Program of this process take words after a task."""
    Program.parse_tasks = parse_tasks  # type: ignore[assignment, method-assign]


def parse_tasks(program: Program) -> None:
    """Spell the command line out, then parse it as Invoke does. Raises Exit with code 2 for wrong usage."""
    # Invoke switches byte code off for all that tasks import: 0.1 s of compiling in every build from a checkout.
    sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
    parser = Parser(initial=program.initial_context, contexts=program.collection.to_contexts())
    try:
        _check_core(program, parser.contexts)
        if not program.args.complete.value:
            line = CommandLine(program.core.unparsed, parser.contexts, program.initial_context)
            program.core.unparsed = line.spelled_out()
        _parse_tasks(program)
    except UsageError as error:
        raise Exit(code=print_failure(error, as_json=bool({"--json", "-j"} & set(program.core.unparsed)))) from error
    except ParseError as error:
        raise Exit(str(error), UsageError.exit_code) from error
    # Invoke takes the help texts off a task when it makes the task's arguments: only the first parser has them.
    program.parser = parser


def _check_core(program: Program, tasks: Mapping[str, ParserContext]) -> None:
    """Values of Invoke's own options which it looks up later, without a word of what there is."""
    wanted = program.args.help.value
    if isinstance(wanted, str) and wanted not in tasks:
        raise unknown("task", wanted, tasks)
    if program.args["list-format"].value not in LIST_FORMATS:
        raise UsageError(f"--list-format is one of {', '.join(LIST_FORMATS)}.")
