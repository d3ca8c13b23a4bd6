"""Everything that can go wrong, one exit code a kind. The text says what, where and what to do."""


class StackError(Exception):
    """A failure that a user can act on.

    `advice` is the next thing to try, printed on a line of its own. A disk without room has an exit code of its own in
    every task.
    """

    exit_code = 1

    def __init__(self, message: str, advice: str = "", is_disk_full: bool = False) -> None:
        super().__init__(message)
        self.advice = advice
        if is_disk_full:
            self.exit_code = NoRoom.exit_code

    def __str__(self) -> str:
        # Not super(): an error of the engine is one of the SDK too, which would add its explanation a second time.
        message = Exception.__str__(self)
        return f"{message}\n  → {self.advice}" if self.advice else message


class CheckFailed(StackError):
    """A check failed or a budget was missed."""

    exit_code = 1


class UsageError(StackError):
    """The request itself is wrong: an unknown name, a missing answer, a bad value."""

    exit_code = 2


class EngineError(StackError):
    """No usable container engine, or a part of it is missing or too old."""

    exit_code = 3


class NotInEngine(EngineError):
    """The engine has no such image, container, volume or network."""


class RefusedByEngine(EngineError):
    """The engine answered with an error of its own."""


class BuildFailed(StackError):
    """An image could not be built; `said` is what BuildKit and the failed step wrote."""

    exit_code = 4
    said = ""


class StartFailed(StackError):
    """The containers did not become healthy."""

    exit_code = 5


class GpuMissing(StackError):
    """A GPU was demanded and is not there."""

    exit_code = 6


class NoRoom(StackError):
    """The disk is full, or too full for what was asked."""

    exit_code = 7


class CommandFailed(StackError):
    """A child process ended with a non-zero exit code; carries the whole result."""

    def __init__(self, argv: tuple[str, ...], exit_code: int, output: str, advice: str = "") -> None:
        tail = "\n".join(f"  | {line}" for line in output.strip().splitlines()[-10:])
        super().__init__(
            f"`{' '.join(argv)}` ended with exit code {exit_code}" + (f":\n{tail}" if tail else ""), advice
        )
        self.argv = argv
        self.child_exit_code = exit_code
        self.output = output
