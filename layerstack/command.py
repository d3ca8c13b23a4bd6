"""Runs other programs, the only module that does: argument lists in, a `CommandResult` or lines out."""

import os
import queue
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from layerstack.docker_plugin import direct_call
from layerstack.errors import CommandFailed, EngineError, StackError
from layerstack.interrupt import held, start_thread

# BuildKit is always on. Default attestations would give an unchanged build a new digest and recreate containers.
CHILD_ENVIRONMENT = {
    "DOCKER_BUILDKIT": "1",
    "COMPOSE_DOCKER_CLI_BUILD": "1",
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
    # Docker's hints would take the place of the reason in the quoted end of an error.
    "DOCKER_CLI_HINTS": "false",
}
# Defaults that the user's environment overrides. Buildx starts git seven times for attestations that are not made.
UNLESS_SET = {"BUILDX_GIT_INFO": "false"}
# After Ctrl-C BuildKit and Compose end their running steps before they exit.
INTERRUPT_GRACE_SECONDS = 10.0
TERMINATE_GRACE_SECONDS = 3.0
# A grandchild may hold the pipes for ever.
DRAIN_SECONDS = 1.0
# The capacity of a pipe on Linux.
PIPE_BYTES = 1 << 16

Stream = Literal["stdout", "stderr"]


@dataclass(frozen=True)
class CommandResult:
    """The outcome of a child process; output is decoded as UTF-8, and undecodable bytes are replaced."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def ok(self) -> bool:
        return self.exit_code == 0

    def require(self, advice: str = "") -> "CommandResult":
        """Return self. Raises CommandFailed when the exit code is not 0."""
        if not self.ok:
            raise CommandFailed(self.argv, self.exit_code, self.stderr or self.stdout, advice)
        return self


def find_program(name: str) -> str:
    """Absolute path of a program. Raises EngineError for docker, StackError for others."""
    found = shutil.which(name)
    if found:
        # `./edit.sh` is found from here, and would be run from the folder of the call.
        return os.path.abspath(found)  # noqa: PTH100 - resolves no link
    if name == "docker":
        # With the exit code for a missing engine, as without the command none can be used.
        raise EngineError("The docker command is not installed.", "`invoke setup` shows what this machine lacks.")
    raise StackError(f"The program `{name}` is not installed or not on PATH.", f"Install {name} and run this again.")


def printable(argv: Sequence[str]) -> str:
    """The command as one line that can be copied into a shell."""
    return shlex.join(argv)


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    timeout_seconds: float | None = None,
) -> CommandResult:
    """Run to the end and capture both streams; `env` is added to this process's environment.

    After the timeout the child is ended: exit code 124, with the output up to then.
    """
    started = time.monotonic()
    with _child(argv, cwd, env, takes_input=stdin is not None) as process:
        try:
            out, err = process.communicate(stdin.encode() if stdin is not None else None, timeout=timeout_seconds)
            code = process.returncode
        except subprocess.TimeoutExpired:
            _stop(process)
            out, err = _rest(process)
            # The exit code of timeout(1).
            code, err = 124, err + f"\n(ended after {timeout_seconds:.0f} s)".encode()
    return CommandResult(tuple(argv), code, _text(out), _text(err), time.monotonic() - started)


def stream(  # noqa: PLR0913 - the keywords that subprocess has, too
    argv: Sequence[str],
    on_line: Callable[[Stream, str], None],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    tick_seconds: float | None = None,
    on_tick: Callable[[], None] | None = None,
) -> CommandResult:
    """Run and pass on every line as it comes, in this thread; the result holds both streams too.

    `stdin` is what the child reads. `on_tick` is called about every `tick_seconds` while the child is silent. Ctrl-C is
    passed on to the child; it gets INTERRUPT_GRACE_SECONDS, then it is terminated, then killed.
    """
    started = time.monotonic()
    kept: dict[Stream, list[str]] = {"stdout": [], "stderr": []}
    with _child(argv, cwd, env, takes_input=stdin is not None) as process:
        if stdin is not None:
            # The writing thread closes the pipe: closing it here, too, would raise for a child that ended early.
            pipe, process.stdin = process.stdin, None
            start_thread(_write, pipe, [stdin.encode()])
        for name, line in _lines(process, tick_seconds):
            if name:
                kept[name].append(line)
                on_line(name, line)
            elif on_tick:
                on_tick()
        code = process.wait()
    out, err = ("\n".join(kept[name]) for name in ("stdout", "stderr"))
    return CommandResult(tuple(argv), code, out, err, time.monotonic() - started)


def drain(
    argv: Sequence[str],
    take: Callable[[bytes], None],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> CommandResult:
    """Run and pass on standard output as bytes while it comes; the result holds only standard error."""
    started = time.monotonic()
    # Standard error is read at the same time: a child that fills its pipe would otherwise block for ever.
    with _child(argv, cwd, env) as process, _collected(process.stderr) as errors:
        assert process.stdout
        while data := process.stdout.read(PIPE_BYTES):
            take(data)
        code = process.wait()
    return CommandResult(tuple(argv), code, "", _text(b"".join(errors)), time.monotonic() - started)


def feed(
    argv: Sequence[str],
    chunks: Iterable[bytes],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> CommandResult:
    """Run with these bytes as standard input. A child that ends before it has read them all is no error by itself."""
    started = time.monotonic()
    with (
        _child(argv, cwd, env, takes_input=True) as process,
        _collected(process.stdout) as output,
        _collected(process.stderr) as errors,
    ):
        _write(process.stdin, chunks)
        code = process.wait()
    out, err = (_text(b"".join(data)) for data in (output, errors))
    return CommandResult(tuple(argv), code, out, err, time.monotonic() - started)


def follow(
    argv: Sequence[str],
    on_line: Callable[[Stream, str], None],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> int:
    """Run and pass on every line as it comes without keeping any, for programs that run until Ctrl-C; the exit code."""
    with _child(argv, cwd, env) as process:
        for name, line in _lines(process, None):
            if name:
                on_line(name, line)
        return process.wait()


def attach(argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> int:
    """Run with this process's own terminal (follow logs, open a shell) and return the exit code."""
    with _ended(lambda: subprocess.Popen(_command(argv, env), cwd=cwd, env=_environment(env))) as process:
        return process.wait()


def start_detached(argv: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None) -> int:
    """Start a daemon in a session of its own, output appended to `log`; returns its process id."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            _command(argv, env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C in this terminal must not reach the daemon.
            start_new_session=True,
            env=_environment(env),
        )
    return process.pid


def _command(argv: Sequence[str], env: Mapping[str, str] | None) -> tuple[str, ...]:
    program = find_program(argv[0])
    return direct_call(program, tuple(argv[1:]), _environment(env)) if argv[0] == "docker" else (program, *argv[1:])


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    return {**UNLESS_SET, **os.environ, **CHILD_ENVIRONMENT, **(extra or {})}


@contextmanager
def _child(
    argv: Sequence[str], cwd: Path | None, env: Mapping[str, str] | None, *, takes_input: bool = False
) -> "Iterator[subprocess.Popen[bytes]]":
    """A child with pipes for its output, ended when the block raises."""

    def start() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            _command(argv, env),
            cwd=cwd,
            env=_environment(env),
            # No child may wait for input: its question would not be seen.
            stdin=subprocess.PIPE if takes_input else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    with _ended(start) as process:
        yield process


@contextmanager
def _ended(start: "Callable[[], subprocess.Popen[bytes]]") -> "Iterator[subprocess.Popen[bytes]]":
    """The child that `start` starts, ended when the block raises."""
    with ExitStack() as stack:
        # An interrupt between the fork and the guard would leave a child that nobody ends.
        with held():
            process = stack.enter_context(start())
            stack.enter_context(_stopped_on_error(process))
        yield process


@contextmanager
def _stopped_on_error(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    try:
        yield
    except BaseException:
        _stop(process)
        raise


def _lines(process: "subprocess.Popen[bytes]", tick_seconds: float | None) -> Iterator[tuple[Stream | None, str]]:
    """(stream name, line) over both pipes as they come; (None, "") when nothing came for `tick_seconds`."""
    assert process.stdout
    assert process.stderr
    received: queue.SimpleQueue[tuple[Stream, bytes | None]] = queue.SimpleQueue()
    pipes: tuple[tuple[Stream, IO[bytes]], ...] = (("stdout", process.stdout), ("stderr", process.stderr))
    # Popen would close the pipes at the end, which waits for the reading threads, and those for every program that
    # still holds the other end. So each thread closes its own.
    process.stdout = process.stderr = None
    for name, pipe in pipes:
        start_thread(_pump, name, pipe, received)
    open_pipes = len(pipes)
    while open_pipes:
        try:
            name, line = received.get(timeout=tick_seconds)
        except queue.Empty:
            yield None, ""
            continue
        if line is None:
            open_pipes -= 1
        else:
            yield name, _text(line).rstrip("\r\n")


def _write(pipe: IO[bytes] | None, chunks: Iterable[bytes]) -> None:
    """Write the input and close the pipe. The exit code tells why a child stopped reading early."""
    assert pipe
    with suppress(BrokenPipeError), pipe:
        for data in chunks:
            pipe.write(data)


@contextmanager
def _collected(pipe: IO[bytes] | None) -> Iterator[list[bytes]]:
    """The bytes of a pipe, read in a thread of their own; complete after the block."""
    assert pipe
    data: list[bytes] = []
    reader = start_thread(lambda: data.extend(iter(lambda: pipe.read(PIPE_BYTES), b"")))
    yield data
    # Not for ever: a grandchild may still hold the pipe.
    reader.join(DRAIN_SECONDS)


def _pump(name: Stream, pipe: IO[bytes], received: "queue.SimpleQueue[tuple[Stream, bytes | None]]") -> None:
    with pipe:
        for line in pipe:
            received.put((name, line))
    received.put((name, None))


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Interrupt, then terminate, then kill; each after a named time."""
    steps = ((signal.SIGINT, INTERRUPT_GRACE_SECONDS), (signal.SIGTERM, TERMINATE_GRACE_SECONDS))
    for number, grace_seconds in steps:
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(grace_seconds)
            return
        except subprocess.TimeoutExpired:
            continue
    process.kill()


def _rest(process: "subprocess.Popen[bytes]") -> tuple[bytes, bytes]:
    try:
        return process.communicate(timeout=DRAIN_SECONDS)
    except subprocess.TimeoutExpired as error:
        return error.stdout or b"", error.stderr or b""


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
