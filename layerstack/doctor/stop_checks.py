"""Containers that Docker has to kill: the first program of one gets only the signals that it asked for."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container, read_all
from layerstack.errors import EngineError
from layerstack.finding import Finding, or_ok, warning
from layerstack.project.compose_source import ComposeSource
from layerstack.project.project import Project
from layerstack.wording import duration

STOP = "slow-stop"
DOCKER_SECONDS = 10.0
# Killed so soon, nobody waits for it.
SHORT_SECONDS = 2.0
# Hexadecimal masks of signals, as `ps` of the engine's machine prints them. A program that blocks a signal may take it
# from the kernel's queue, as tini, systemd and s6 do.
LISTING = "-eo pid,caught,blocked"


@or_ok(STOP, "no running container ignores the signal to stop")
def check_stops(client: EngineClient, project: Project, source: ComposeSource) -> Iterator[Finding]:
    """Does the first program of each running container hear its stop signal? Raises EngineError."""
    for name, containers in read_all(client, project.name).items():
        one = next((found for found in containers if found.is_running), None)
        if one is None or name not in project.services:
            continue
        seconds = _wait_for_kill(client, one)
        if seconds > SHORT_SECONDS:
            detail = f"{name} ignores the signal to stop: each `down` and each new container waits {duration(seconds)}"
            remedy = f"Add `init: true` to {name}, or let its program handle the signal."
            yield warning(STOP, detail, remedy, name, source.place("services", name))


def _wait_for_kill(client: EngineClient, container: Container) -> float:
    """Seconds until Docker kills it; 0 where it ends by itself, or where that cannot be told."""
    facts = client.api.inspect_container(container.id)
    config, state = facts.get("Config") or {}, facts.get("State") or {}
    wanted, seconds = _signal(config), config.get("StopTimeout")
    # SIGKILL needs no ear.
    if _has_other_first(facts.get("HostConfig") or {}) or wanted in (None, signal.SIGKILL):
        return 0.0
    heard = _heard(client, container.id, int(state.get("Pid") or 0))
    is_heard = heard is None or bool(heard >> (wanted - 1) & 1)
    return 0.0 if is_heard else DOCKER_SECONDS if seconds is None else float(seconds)


def _has_other_first(host: Mapping[str, Any]) -> bool:
    """Whether another program is the first one, so that the kernel ends the container's own as it ends any other."""
    # Docker's init hands the signal on. With `pid: host` or `pid: service:NAME` the first one belongs elsewhere.
    return bool(host.get("Init") or host.get("PidMode"))


def _heard(client: EngineClient, container_id: str, pid: int) -> int | None:
    """The mask of the signals that the program with this number, of the engine's machine, handles or waits for."""
    with suppress(EngineError, OSError, ValueError, IndexError):
        rows = client.api.top(container_id, ps_args=LISTING)["Processes"] or ()
        masks = {int(number): int(caught, 16) | int(blocked, 16) for number, caught, blocked in rows}
        return masks.get(pid)
    return None


def _signal(config: Mapping[str, Any]) -> int | None:
    """The number of its stop signal: `SIGQUIT`, `QUIT` or `3`."""
    name = str(config.get("StopSignal") or "SIGTERM").upper()
    if name.isdecimal():
        return int(name)
    found = signal.Signals.__members__.get(f"SIG{name.removeprefix('SIG')}")
    return int(found) if found else None
