"""Words after a task under plain `invoke`, which brings its own Program.

`invoke` creates its Program before it reads tasks.py, and a collection can change only arguments; Invoke's parser
cannot fill a list by position. So the import of `layerstack.tasks` replaces `Program.parse_tasks`, the one public
method that runs after tasks.py was read and before the command line is parsed. Command lines that Invoke understands
keep their meaning; others are spelled out, or refused with exit code 2 and the nearest name.
"""

import sys
from collections.abc import Mapping
from functools import partial

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
    # Invoke switches byte code off for everything that tasks import: 0.1 s of compiling in every build from a checkout.
    sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
    contexts = program.collection.to_contexts()
    parser = Parser(initial=program.initial_context, contexts=contexts)
    try:
        _check_core(program, parser.contexts)
        # A line that is being completed is unfinished, and would be refused.
        if not program.args.complete.value:
            line = CommandLine(program.core.unparsed, parser.contexts, program.initial_context)
            program.core.unparsed = line.spelled_out()
            called = [one for one in contexts if not {one.name, *one.aliases}.isdisjoint(program.core.unparsed)]
            # Invoke copies and logs every task that its parser is given: 0.02 s for those that nobody called.
            program._make_parser = partial(Parser, called, program.initial_context)  # type: ignore[method-assign]
        _parse_tasks(program)
    except UsageError as error:
        raise Exit(code=print_failure(error, as_json=bool({"--json", "-j"} & set(program.core.unparsed)))) from error
    except ParseError as error:
        raise Exit(str(error), UsageError.exit_code) from error
    # Invoke removes the help texts from a task when it creates its arguments: only the first parser has them.
    program.parser = parser


def _check_core(program: Program, tasks: Mapping[str, ParserContext]) -> None:
    """Check values of Invoke's own options: its errors for them, which come later, do not list the valid ones."""
    wanted = program.args.help.value
    if isinstance(wanted, str) and wanted not in tasks:
        raise unknown("task", wanted, tasks)
    if program.args["list-format"].value not in LIST_FORMATS:
        raise UsageError(f"--list-format is one of {', '.join(LIST_FORMATS)}.")
