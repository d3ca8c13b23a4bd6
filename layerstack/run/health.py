"""The meaning of a container's state: waiting, ready, or failed and why."""

import re
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from layerstack.engine import texts
from layerstack.engine.container import Container
from layerstack.project.project import Service

Phase = Literal["waiting", "ready", "failed"]

# Linux has no signal of a higher number.
LAST_SIGNAL = 64
# Many services crash once while their database starts; twice is a loop.
TOLERATED_CRASHES = 1
# After ten seconds of running Docker, too, counts a restart as successful.
RECENT_SECONDS = 10.0
EXIT_MEANINGS = {
    0: "it ended without an error, but it should keep running",
    1: "the program reported an error",
    125: "Docker could not run it",
    126: "its command is there but cannot be executed",
    127: "its command was not found in the image",
    132: "its program does not fit this processor",
    134: "it gave up by itself",
    137: "it was killed",
    139: "it crashed",
    143: "it received a stop signal",
}
# `ConnectionError: ...: refused`
ERROR = re.compile(r"^[\w.]*(?:Error|Exception|[a-z]\.timeout)\b.*: ")
STACK = "Traceback (most recent call last):"
# `could not connect to server`
TELLING = re.compile(r"refused|denied|cannot|could not|time[d ]*out|unable", re.IGNORECASE)


@dataclass(frozen=True)
class Verdict:
    """`words` say the state, `reason` why it failed, `repair` is a command to type."""

    phase: Phase
    words: str
    reason: str = ""
    repair: str = ""


def judge(container: Container, service: Service, is_one_shot: bool, crashes: int = 0) -> Verdict:
    """The verdict on one container that had time to start; `crashes` is the number of its restarts."""
    if container.status in ("exited", "dead"):
        return _judge_ended(container, service, is_one_shot)
    if container.status in ("created", "paused"):
        return _judge_idle(container, service)
    # Checked before its health: in a restart loop that is `starting` again and again.
    if container.status == "restarting" or crashes > TOLERATED_CRASHES:
        return _judge_crashed(container, service, crashes)
    return _judge_running(container, service)


def judge_now(container: Container, service: Service, is_one_shot: bool) -> Verdict:
    """The verdict on a container whose start was not observed."""
    return judge(container, service, is_one_shot, _recent_crashes(container))


def absent(service: str) -> Verdict:
    """The verdict on a service that has no container."""
    return Verdict("failed", "absent", "has no container", f"invoke up {service}")


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The first failed one, else a waiting one, else any."""
    return min(verdicts, key=lambda verdict: ("failed", "waiting", "ready").index(verdict.phase))


def exit_reason(code: int, is_out_of_memory: bool = False, limit_bytes: int = 0) -> str:
    """`exited with code 137: it ran out of memory (limit 20 MB: raise its mem_limit)`."""
    if is_out_of_memory:
        limit = f" (limit {limit_bytes / 2**20:.0f} MB: raise its mem_limit)" if limit_bytes else ""
        return f"exited with code {code}: it ran out of memory{limit}"
    meaning = EXIT_MEANINGS.get(code, "")
    # Shells and engines tell an end by signal N as 128 + N.
    if is_of_signal(code):
        number = code - 128
        known = number in {one.value for one in signal.Signals}
        meaning = f"{meaning or 'it was ended'} ({signal.Signals(number).name if known else f'signal {number}'})"
    return f"exited with code {code}{': ' + meaning if meaning else ''}"


def is_of_signal(code: int) -> bool:
    """Whether it tells of a signal; PHP and Perl end with 255 by themselves."""
    return 128 < code <= 128 + LAST_SIGNAL


def renew(service: str, is_of_image: bool) -> str:
    """The command after a correction; one in an image needs a build."""
    return f"invoke build {service} && invoke up" if is_of_image else f"invoke up {service}"


def _recent_crashes(container: Container) -> int:
    # The count is never reset while a container lives: after a while it says nothing about now.
    return container.restart_count if container.uptime_seconds < RECENT_SECONDS else 0


def _judge_idle(container: Container, service: Service) -> Verdict:
    if container.status == "paused":
        return Verdict("failed", "paused", "is paused", f"docker unpause {container.name}")
    if container.error:
        reason = f"could not be started: {texts.cause_of(container.error)}"
        return Verdict("failed", "not started", reason, renew(service.name, is_of_image=True))
    return Verdict("failed", "created", "was created but never started", "invoke up")


def _judge_crashed(container: Container, service: Service, crashes: int) -> Verdict:
    # The next start would end in the same way, so a second crash is not waited for.
    is_hopeless = container.exit_code in (126, 127) or container.is_oom_killed
    if crashes <= TOLERATED_CRASHES and not is_hopeless:
        return Verdict("waiting", f"restarting after exit code {container.exit_code}")
    cause = ""
    if not container.is_running:
        cause = f", {exit_reason(container.exit_code, container.is_oom_killed, container.memory_limit_bytes)}"
    reason = f"keeps crashing (restarted {crashes} times){cause}"
    return Verdict("failed", "restarting", reason, _ended_repair(container, service.name))


def _judge_ended(container: Container, service: Service, is_one_shot: bool) -> Verdict:
    if container.exit_code == 0 and not container.error and is_one_shot:
        return Verdict("ready", "finished")
    reason = exit_reason(container.exit_code, container.is_oom_killed, container.memory_limit_bytes)
    if container.error:
        reason = f"{reason} ({container.error})"
    return Verdict("failed", "exited", reason, _ended_repair(container, service.name))


def _ended_repair(container: Container, name: str) -> str:
    if container.exit_code in (126, 127):
        return renew(name, is_of_image=True)
    # It was stopped, or ended without an error: the log has nothing to explain.
    if container.exit_code in (0, 130, 137, 143) and not container.is_running and container.status != "restarting":
        return "invoke up"
    return f"invoke logs {name}"


def _judge_running(container: Container, service: Service) -> Verdict:
    if container.health == "unhealthy":
        said = f": {_telling_line(container.health_output)}" if container.health_output else ""
        return Verdict("failed", "unhealthy", f"fails its health check{said}", f"invoke logs {service.name}")
    if container.health == "starting":
        return Verdict("waiting", "starting")
    if container.health == "healthy":
        return Verdict("ready", "healthy")
    if not container.is_running:
        return Verdict("waiting", container.status)
    return Verdict("ready", "running (no health check)")


def _telling_line(output: str) -> str:
    # The error of a health check is surrounded by the program's stack.
    whole = [line for line in output.splitlines() if line.strip()] or [output]
    # In a stack of Python only the complaint stands at the margin.
    flush = [line for line in whole if not line[0].isspace()] if STACK in output else []
    if len(flush) > 1:
        return flush[-1].strip()
    lines = [line.strip() for line in whole]
    # Lines of code of a stack have such words, too: the complaint itself stands below them.
    found = (line for pattern in (ERROR, TELLING) for line in reversed(lines) if pattern.search(line))
    return next(found, lines[-1])
