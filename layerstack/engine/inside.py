"""Run a program inside a running container, and kill it when it takes too long."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from layerstack.engine import texts
from layerstack.engine.client import EngineClient
from layerstack.errors import EngineError
from layerstack.wait import call_within

LISTING = "-eo pid,stat,comm"
MARK = "LAYERSTACK_CHECK"
# Comes on top of the caller's limit, so that it is short.
END_SECONDS = 3.0
# The exit codes of an exec whose program the container may not run, or does not have.
NOT_THERE = (126, 127)
# The API has no call that ends an exec: its program is found by the variable that it was started with.
END = (
    f"for p in $(grep -l {MARK}=$0 /proc/[0-9]*/environ 2>/dev/null); do p=${{p#/proc/}}; kill -9 ${{p%/environ}}; done"
)


@dataclass(frozen=True)
class Answer:
    """The output of a program, both streams together."""

    exit_code: int
    output: str


def run_inside(client: EngineClient, container_id: str, argv: Sequence[str], timeout_seconds: float) -> Answer:
    """Run a program in a container. Gives up early when the container's own programs are stopped by a signal.

    Raises TimeoutError (the program is killed then), EngineError, OSError.
    """
    mark = uuid.uuid4().hex

    def ask() -> Answer:
        process = client.api.exec_create(container_id, list(argv), environment={MARK: mark})["Id"]
        try:
            output: bytes = client.api.exec_start(process)
        except EngineError as error:
            # A missing program is either an exit code or an error of the engine; callers get the code in both cases.
            if texts.says(str(error), *texts.NO_PROGRAM):
                return Answer(NOT_THERE[-1], str(error))
            raise
        code = client.api.exec_inspect(process)["ExitCode"]
        return Answer(int(code if code is not None else -1), output.decode("utf-8", errors="replace").strip())

    try:
        # A stopped program never answers, so waiting for the whole limit would be pointless.
        return call_within(timeout_seconds, ask, lambda: bool(stopped_programs(client, container_id)))
    except TimeoutError:
        _end(client, container_id, mark)
        raise


def stopped_programs(client: EngineClient, container_id: str) -> tuple[str, ...]:
    """Names of programs in state T (SIGSTOP); none where the engine's machine has no `ps`, which Docker uses."""
    try:
        rows = client.api.top(container_id, ps_args=LISTING)["Processes"]
    except (EngineError, OSError):
        return ()
    # Workers of one program share its name.
    return tuple(dict.fromkeys(str(row[-1]) for row in rows or () if row[1].startswith("T")))


def _end(client: EngineClient, container_id: str, mark: str) -> None:
    def kill() -> None:
        client.api.exec_start(client.api.exec_create(container_id, ["sh", "-c", END, mark])["Id"])

    with suppress(Exception):
        call_within(END_SECONDS, kill)
