"""The failures that a user can act on, one exit code for each kind. The message names what, where and what to do."""

import shlex
from collections.abc import Sequence

SHOWN_LINES = 10


class StackError(Exception):
    """A failure that a user can act on.

    `advice` is the next thing to try, printed on its own line. A full disk has the same exit code in every task.
    """

    exit_code = 1

    def __init__(self, message: str, advice: str = "", is_disk_full: bool = False) -> None:
        super().__init__(message)
        self.advice = advice
        if is_disk_full:
            self.exit_code = NoRoom.exit_code

    def __str__(self) -> str:
        # Not super(): errors of the engine are also the SDK's, whose own __str__ would repeat the explanation.
        message = Exception.__str__(self)
        return f"{message}\n  → {self.advice}" if self.advice else message


def reason(error: Exception) -> str:
    """What an error says, for a sentence of another one: without the advice of a StackError."""
    return str(error.args[0]) if isinstance(error, StackError) else str(error)


class CheckFailed(StackError):
    """A check failed or a budget was missed."""

    exit_code = 1


class UsageError(StackError):
    """The request itself is wrong: an unknown name, a missing confirmation, an invalid value."""

    exit_code = 2


class EngineError(StackError):
    """No usable container engine, or a part of it is missing or too old."""

    exit_code = 3


class NotInEngine(EngineError):
    """The engine has no such image, container, volume or network."""


class RefusedByEngine(EngineError):
    """The engine responded with an error."""


class BuildFailed(StackError):
    """An image could not be built; `said` is the output of BuildKit and of the failed step."""

    exit_code = 4
    said = ""


class StartFailed(StackError):
    """The containers did not become healthy."""

    exit_code = 5


class GpuMissing(StackError):
    """A GPU was requested and is not available."""

    exit_code = 6


class NoRoom(StackError):
    """The disk is full, or too full for the request."""

    exit_code = 7


class CommandFailed(StackError):
    """A child process ended with a non-zero exit code; the message shows the end of its output."""

    def __init__(self, argv: tuple[str, ...], exit_code: int, output: str, advice: str = "") -> None:
        tail = quoted_end(output.strip().splitlines())
        super().__init__(
            f"`{shlex.join(argv)}` ended with exit code {exit_code}" + (f":\n{tail}" if tail else ""), advice
        )
        self.argv = argv
        self.child_exit_code = exit_code
        self.output = output


def quoted_end(lines: Sequence[str]) -> str:
    """The last lines of a program's output, each marked as quoted."""
    return "\n".join(f"  | {line}" for line in lines[-SHOWN_LINES:])
