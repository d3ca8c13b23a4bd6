"""The door to other programs, with real child processes."""

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerstack import command
from layerstack.errors import CommandFailed, EngineError, StackError

PYTHON = sys.executable
LARGE_BYTES = 1 << 20
FLOOD = f"""
import sys
for _ in range(64):
    sys.stdout.write("o" * {LARGE_BYTES // 64 - 1} + "\\n")
    sys.stderr.write("e" * {LARGE_BYTES // 64 - 1} + "\\n")
"""
STUBBORN = "trap '' INT TERM; echo ready; while :; do sleep 0.05; done"


@pytest.fixture
def short_graces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "INTERRUPT_GRACE_SECONDS", 0.2)
    monkeypatch.setattr(command, "TERMINATE_GRACE_SECONDS", 0.2)


def is_alive(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone_within(process_id: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(process_id) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(process_id)


def ignore(_stream: str, _line: str) -> None:
    """For calls where only the result counts."""


def test_both_streams_and_the_exit_code_are_kept() -> None:
    result = command.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (result.stdout, result.stderr, result.exit_code, result.ok) == ("out\n", "err\n", 3, False)
    assert result.argv == ("sh", "-c", "echo out; echo err >&2; exit 3")
    assert result.seconds > 0


def test_require_passes_a_good_result_on_and_refuses_a_bad_one() -> None:
    good = command.run(["true"])
    assert good.require() is good
    with pytest.raises(CommandFailed, match="exit code 7") as caught:
        command.run(["sh", "-c", "echo broken >&2; exit 7"]).require("mend it")
    assert (caught.value.child_exit_code, caught.value.advice) == (7, "mend it")
    assert "broken" in str(caught.value)


def test_a_child_that_a_signal_ended_is_not_ok() -> None:
    assert command.run(["sh", "-c", "kill -9 $$"]).exit_code == -signal.SIGKILL


@pytest.mark.parametrize("is_streamed", [False, True])
def test_floods_on_both_pipes_arrive_whole(is_streamed: bool) -> None:
    argv = [PYTHON, "-c", FLOOD]
    result = command.stream(argv, ignore) if is_streamed else command.run(argv)
    assert result.ok
    assert result.stdout.count("o") == result.stderr.count("e") == LARGE_BYTES - 64


@pytest.mark.parametrize("is_streamed", [False, True])
def test_undecodable_bytes_are_replaced(is_streamed: bool) -> None:
    argv = ["printf", r"a\377b\303\251"]
    result = command.stream(argv, ignore) if is_streamed else command.run(argv)
    assert result.stdout == "a\N{REPLACEMENT CHARACTER}bé"


def test_standard_input_is_given_or_empty() -> None:
    assert command.run(["cat"], stdin="hällo").stdout == "hällo"
    assert command.run(["cat"]).stdout == ""


def test_buildkit_is_on_and_the_callers_variables_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    script = ["sh", "-c", 'echo "$DOCKER_BUILDKIT $COMPOSE_DOCKER_CLI_BUILD $MINE"']
    assert command.run(script, env={"MINE": "x"}).stdout == "1 1 x\n"
    assert command.run(script, env={"DOCKER_BUILDKIT": "2"}).stdout == "2 1 \n"


def test_the_working_directory_is_the_childs_only(tmp_path: Path) -> None:
    before = Path.cwd()
    assert command.run(["pwd"], cwd=tmp_path).stdout.strip() == str(tmp_path)
    assert Path.cwd() == before


def test_a_timeout_ends_the_child_and_keeps_what_it_said() -> None:
    result = command.run(["sh", "-c", "echo $$; exec sleep 30"], timeout_seconds=0.3)
    assert result.exit_code == 124
    assert result.seconds < 10
    assert not is_alive(int(result.stdout))


@pytest.mark.usefixtures("short_graces")
def test_a_child_that_ignores_signals_is_killed_at_last() -> None:
    result = command.run(["sh", "-c", f"echo $$; {STUBBORN}"], timeout_seconds=0.3)
    assert result.exit_code == 124
    assert gone_within(int(result.stdout.split()[0]), 2)


@pytest.mark.usefixtures("short_graces")
def test_a_timeout_does_not_wait_for_a_grandchild_that_holds_the_pipes() -> None:
    """Like a plugin of docker that outlives the command."""
    began = time.monotonic()
    result = command.run(["sh", "-c", "sleep 20 & echo $!; wait"], timeout_seconds=0.3)
    os.kill(int(result.stdout.split()[0]), signal.SIGKILL)
    assert result.exit_code == 124
    assert time.monotonic() - began < 10


def test_lines_come_while_the_child_runs(tmp_path: Path) -> None:
    """The child goes on only after its first line was seen."""
    gate = tmp_path / "gate"
    seen: list[tuple[str, str]] = []

    def take(stream: str, line: str) -> None:
        seen.append((stream, line))
        gate.touch()

    script = f'echo first; while [ ! -e "{gate}" ]; do sleep 0.02; done; printf "second\\r\\n" >&2; printf last'
    result = command.stream(["sh", "-c", script], take)
    assert seen[0] == ("stdout", "first")
    assert set(seen[1:]) == {("stderr", "second"), ("stdout", "last")}
    assert (result.stdout, result.stderr) == ("first\nlast", "second")


def test_lines_are_handed_over_in_the_callers_thread() -> None:
    threads: set[int] = set()
    command.stream(["sh", "-c", "echo a; echo b >&2"], lambda _stream, _line: threads.add(threading.get_ident()))
    assert threads == {threading.get_ident()}


def test_silence_is_ticked() -> None:
    ticks: list[float] = []
    result = command.stream(["sleep", "0.5"], ignore, tick_seconds=0.05, on_tick=lambda: ticks.append(time.monotonic()))
    # On a busy machine the child takes longer to start and to end.
    assert 2 <= len(ticks) <= result.seconds / 0.05 + 1


@pytest.mark.usefixtures("short_graces")
def test_an_error_in_the_listener_ends_the_child() -> None:
    process_ids: list[int] = []

    def fail(_stream: str, line: str) -> None:
        process_ids.append(int(line))
        raise LookupError

    with pytest.raises(LookupError):
        command.stream(["sh", "-c", "echo $$; exec sleep 30"], fail)
    assert gone_within(process_ids[0], 2)


LISTENER = """
import sys
from layerstack import command
command.INTERRUPT_GRACE_SECONDS = 5.0
argv = ["sh", "-c", sys.argv[2]]
if sys.argv[1] == "stream":
    command.stream(argv, lambda stream, line: print(line, flush=True))
elif sys.argv[1] == "attach":
    command.attach(argv)
else:
    command.run(argv)
"""


@pytest.mark.parametrize("call", ["run", "stream", "attach"])
def test_ctrl_c_reaches_the_child_and_the_parent_ends_as_interrupted(call: str, tmp_path: Path) -> None:
    started, told = tmp_path / "started", tmp_path / "told"
    child = f"trap 'echo told > {told}; exit 0' INT; touch {started}; while :; do sleep 0.05; done"
    # A session of its own: the signal goes to the parent alone, as `kill -INT` would.
    parent = subprocess.Popen(
        [PYTHON, "-c", LISTENER, call, child], start_new_session=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    deadline = time.monotonic() + 20
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    parent.send_signal(signal.SIGINT)
    _, stderr = parent.communicate(timeout=20)
    assert told.read_text() == "told\n"
    assert parent.returncode == -signal.SIGINT
    assert b"KeyboardInterrupt" in stderr


class InterruptedWhileStarting(subprocess.Popen[bytes]):
    """Ctrl-C between the start of a child and the first wait for it."""

    started: ClassVar[list[int]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.started.append(self.pid)
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(
    "call",
    [
        command.run,
        command.attach,
        lambda argv: command.stream(argv, ignore),
        lambda argv: command.drain(argv, lambda _: None),
        lambda argv: command.feed(argv, [b"input"]),
    ],
)
def test_ctrl_c_while_a_child_starts_leaves_no_child(
    call: Callable[[list[str]], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "Popen", InterruptedWhileStarting)
    with pytest.raises(KeyboardInterrupt):
        call(["sleep", "30"])
    assert gone_within(InterruptedWhileStarting.started.pop(), 2)


@pytest.mark.parametrize("call", ["run", "stream", "attach"])
def test_ctrl_c_does_not_wait_for_a_grandchild_that_holds_the_pipes(call: str, tmp_path: Path) -> None:
    started = tmp_path / "started"
    child = f"sleep 30 & echo $! > {started}.new; mv {started}.new {started}; wait"
    parent = subprocess.Popen([PYTHON, "-c", LISTENER, call, child], start_new_session=True, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    parent.send_signal(signal.SIGINT)
    try:
        assert parent.wait(12) == -signal.SIGINT
    finally:
        parent.kill()
        os.kill(int(started.read_text()), signal.SIGKILL)


def test_attach_gives_the_exit_code() -> None:
    assert command.attach(["sh", "-c", "exit 5"]) == 5


def test_a_detached_program_outlives_the_call_in_a_session_of_its_own(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("earlier\n")
    process_id = command.start_detached(["sh", "-c", "echo $WHO; exec sleep 30"], log, env={"WHO": "me"})
    try:
        deadline = time.monotonic() + 5
        while log.read_text() == "earlier\n" and time.monotonic() < deadline:
            time.sleep(0.02)
        assert log.read_text() == "earlier\nme\n"
        assert os.getsid(process_id) == process_id
    finally:
        os.kill(process_id, signal.SIGKILL)
        os.waitpid(process_id, 0)


def test_a_missing_program_is_named() -> None:
    with pytest.raises(StackError, match="no-such-program") as caught:
        command.run(["no-such-program"])
    assert caught.value.advice


def test_a_missing_docker_is_an_engine_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="docker") as caught:
        command.run(["docker", "version"])
    assert "invoke setup" in caught.value.advice


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1))
def test_a_printed_command_means_the_same_in_a_shell(argv: list[str]) -> None:
    assert shlex.split(command.printable(argv)) == argv
