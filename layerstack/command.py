"""The only door to other programs: an argument list in, a `CommandResult` or a stream of lines out."""

import os
import queue
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from layerstack.docker_plugin import direct_call
from layerstack.errors import CommandFailed, EngineError, StackError

# BuildKit is always on. Default attestations would give an unchanged build a new digest and recreate containers.
CHILD_ENVIRONMENT = {
    "DOCKER_BUILDKIT": "1",
    "COMPOSE_DOCKER_CLI_BUILD": "1",
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
    "DOCKER_CLI_HINTS": "false",
}
INTERRUPT_GRACE_SECONDS = 10.0
TERMINATE_GRACE_SECONDS = 3.0
DRAIN_SECONDS = 1.0
PIPE_BYTES = 1 << 16

Stream = Literal["stdout", "stderr"]


@dataclass(frozen=True)
class CommandResult:
    """What a finished child process left: text is decoded as UTF-8, undecodable bytes are replaced."""

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
        return found
    if name == "docker":
        raise EngineError("The docker command is not installed.", "`invoke setup` tells what this machine lacks.")
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

    A timeout ends the child and gives exit code 124 with what it had printed.
    """
    command = _command(argv, env)
    started = time.monotonic()
    with _start(command, cwd, env, subprocess.PIPE if stdin is not None else subprocess.DEVNULL) as process:
        try:
            out, err = process.communicate(stdin.encode() if stdin is not None else None, timeout=timeout_seconds)
            code = process.returncode
        except subprocess.TimeoutExpired:
            _stop(process)
            out, err = _rest(process)
            code, err = 124, err + f"\n(ended after {timeout_seconds:.0f} s)".encode()
        except BaseException:
            _stop(process)
            raise
    return CommandResult(tuple(argv), code, _text(out), _text(err), time.monotonic() - started)


def stream(  # noqa: PLR0913 - the words of a call, as subprocess has them
    argv: Sequence[str],
    on_line: Callable[[Stream, str], None],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    tick_seconds: float | None = None,
    on_tick: Callable[[], None] | None = None,
) -> CommandResult:
    """Run and hand over every line as it comes, in this thread; the result holds both streams too.

    `stdin` is what the child reads. `on_tick` is called about every `tick_seconds` while the child is silent. Ctrl-C is
    passed on to the child; it gets INTERRUPT_GRACE_SECONDS, then it is terminated, then killed.
    """
    command = _command(argv, env)
    started = time.monotonic()
    kept: dict[Stream, list[str]] = {"stdout": [], "stderr": []}
    with _start(command, cwd, env, subprocess.DEVNULL if stdin is None else subprocess.PIPE) as process:
        if stdin is not None:
            # Closing it here, too, would raise where the child ended before it had read all.
            pipe, process.stdin = process.stdin, None
            threading.Thread(target=_write, args=(pipe, stdin.encode()), daemon=True).start()
        try:
            for name, line in _lines(process, tick_seconds):
                if name is None:
                    if on_tick:
                        on_tick()
                    continue
                kept[name].append(line)
                on_line(name, line)
            code = process.wait()
        except BaseException:
            _stop(process)
            raise
    out, err = ("\n".join(kept[name]) for name in ("stdout", "stderr"))
    return CommandResult(tuple(argv), code, out, err, time.monotonic() - started)


def drain(
    argv: Sequence[str],
    take: Callable[[bytes], None],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> CommandResult:
    """Run and hand over all of its standard output, as bytes, while it comes; the result holds the other stream."""
    command = _command(argv, env)
    started = time.monotonic()
    with _start(command, cwd, env, subprocess.DEVNULL) as process, _collected(process.stderr) as complaint:
        assert process.stdout
        try:
            while data := process.stdout.read(PIPE_BYTES):
                take(data)
            code = process.wait()
        except BaseException:
            _stop(process)
            raise
    return CommandResult(tuple(argv), code, "", _text(b"".join(complaint)), time.monotonic() - started)


def feed(
    argv: Sequence[str],
    chunks: Iterable[bytes],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> CommandResult:
    """Run with these bytes as standard input; a child that ends before it has read them all says why by its code."""
    command = _command(argv, env)
    started = time.monotonic()
    with (
        _start(command, cwd, env, subprocess.PIPE) as process,
        _collected(process.stdout) as out,
        _collected(process.stderr) as complaint,
    ):
        assert process.stdin
        try:
            with suppress(BrokenPipeError), process.stdin:
                for data in chunks:
                    process.stdin.write(data)
            code = process.wait()
        except BaseException:
            _stop(process)
            raise
    said, complained = (_text(b"".join(data)) for data in (out, complaint))
    return CommandResult(tuple(argv), code, said, complained, time.monotonic() - started)


def follow(
    argv: Sequence[str],
    on_line: Callable[[Stream, str], None],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> int:
    """Run and hand over every line as it comes, keeping none: for what goes on until Ctrl-C. The exit code."""
    command = (find_program(argv[0]), *argv[1:])
    with _start(command, cwd, env, subprocess.DEVNULL) as process:
        try:
            for name, line in _lines(process, None):
                if name:
                    on_line(name, line)
            return process.wait()
        except BaseException:
            _stop(process)
            raise


def attach(argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> int:
    """Run with this process's own terminal (follow logs, open a shell) and return the exit code."""
    command = _command(argv, env)
    with subprocess.Popen(command, cwd=cwd, env=_environment(env)) as process:
        try:
            return process.wait()
        except BaseException:
            _stop(process)
            raise


def start_detached(argv: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None) -> int:
    """Start a daemon in a session of its own, output appended to `log`; returns its process id."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            _command(argv, env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=_environment(env),
        )
    return process.pid


def _command(argv: Sequence[str], env: Mapping[str, str] | None) -> tuple[str, ...]:
    program = find_program(argv[0])
    return direct_call(program, tuple(argv[1:]), _environment(env)) if argv[0] == "docker" else (program, *argv[1:])


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    return {**os.environ, **CHILD_ENVIRONMENT, **(extra or {})}


def _start(
    command: tuple[str, ...], cwd: Path | None, env: Mapping[str, str] | None, stdin: int
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command, cwd=cwd, env=_environment(env), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def _lines(process: "subprocess.Popen[bytes]", tick_seconds: float | None) -> Iterator[tuple[Stream | None, str]]:
    """(stream name, line) over both pipes as they come; (None, "") when nothing came for `tick_seconds`."""
    assert process.stdout
    assert process.stderr
    received: queue.SimpleQueue[tuple[Stream, bytes | None]] = queue.SimpleQueue()
    pipes: tuple[tuple[Stream, IO[bytes]], ...] = (("stdout", process.stdout), ("stderr", process.stderr))
    # Closing a pipe waits for its reader, and the reader for every program that holds the other end: leave it to them.
    process.stdout = process.stderr = None
    for name, pipe in pipes:
        threading.Thread(target=_pump, args=(name, pipe, received), daemon=True).start()
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


def _write(pipe: IO[bytes] | None, data: bytes) -> None:
    """Hand over the whole input; a child that ends before it has read all of it says why by its exit code."""
    assert pipe
    with suppress(BrokenPipeError), pipe:
        pipe.write(data)


@contextmanager
def _collected(pipe: IO[bytes] | None) -> Iterator[list[bytes]]:
    """What comes through a pipe, read beside everything else; whole when the block is left."""
    assert pipe
    data: list[bytes] = []
    reader = threading.Thread(target=lambda: data.extend(iter(lambda: pipe.read(PIPE_BYTES), b"")), daemon=True)
    reader.start()
    yield data
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
    """What an ended child had printed. Programs that it started may hold its pipes open: they are not waited for."""
    try:
        return process.communicate(timeout=DRAIN_SECONDS)
    except subprocess.TimeoutExpired as error:
        return error.stdout or b"", error.stderr or b""


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
