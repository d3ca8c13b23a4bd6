"""One exit code a kind of failure, and a text that says what, where and what to do."""

import pytest

from layerstack import errors
from layerstack.errors import CommandFailed, StackError

EXIT_CODES = {
    "CheckFailed": 1,
    "UsageError": 2,
    "EngineError": 3,
    "BuildFailed": 4,
    "StartFailed": 5,
    "GpuMissing": 6,
    "NoRoom": 7,
}


@pytest.mark.parametrize(("name", "exit_code"), EXIT_CODES.items())
def test_every_kind_has_its_exit_code(name: str, exit_code: int) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, StackError)
    assert kind("what").exit_code == exit_code


def test_advice_stands_on_a_line_of_its_own() -> None:
    first, second = str(StackError("what happened, where", "what to do")).splitlines()
    assert first == "what happened, where"
    assert second.strip() == "→ what to do"


def test_no_advice_leaves_no_empty_line() -> None:
    assert str(StackError("what happened")) == "what happened"


def test_a_failed_command_shows_itself_its_code_and_its_last_ten_lines() -> None:
    error = CommandFailed(("docker", "ps"), 125, "\n".join(f"line {number}" for number in range(30)), "try this")
    lines = str(error).splitlines()
    assert "docker ps" in lines[0]
    assert "125" in lines[0]
    assert [line.split("| ")[1] for line in lines[1:-1]] == [f"line {number}" for number in range(20, 30)]
    assert "try this" in lines[-1]
    assert (error.argv, error.child_exit_code) == (("docker", "ps"), 125)


def test_a_silent_failed_command_ends_with_its_code() -> None:
    assert str(CommandFailed(("false",), 1, " \n")).endswith("exit code 1")
