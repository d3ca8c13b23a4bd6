"""The running stack as a whole: up, down, restart, logs, addresses, volumes."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from layerstack import command
from layerstack.command import CommandResult
from layerstack.engine import engine
from layerstack.engine.container import PROJECT_LABEL, read_all
from layerstack.errors import StartFailed
from layerstack.project.dependency import in_start_order
from layerstack.project.project import Project
from layerstack.report import shown
from layerstack.run.start_failure import compose_failed, refusal, require_images, require_names, require_ports
from layerstack.run.startup import StartObserver, UpResult
from layerstack.run.watch import INTERVAL_SECONDS, Watch

START_TIMEOUT_SECONDS = 300.0


@dataclass(frozen=True)
class Volume:
    """A named volume of the project; `size_bytes` is None when the engine did not count it."""

    name: str
    size_bytes: int | None


def up(
    project: Project,
    observer: StartObserver,
    services: Sequence[str] = (),
    timeout_seconds: float = START_TIMEOUT_SECONDS,
) -> UpResult:
    """Start the services and what they depend on; returns when all are healthy.

    Never builds. Raises StartFailed (ServiceFailed when one service is to blame), UsageError for an unknown
    service, EngineError. Ctrl-C leaves the containers as they are.
    """
    client = engine.client()
    wanted = in_start_order(project, services)
    require_images(client, project, wanted)
    require_ports(client, project, wanted)
    require_names(client, project, wanted)
    watch = Watch(client, project, wanted, observer, timeout_seconds)
    while not (result := _compose_up(project, services, watch)).ok:
        if known := refusal(client, project, result, wanted):
            raise known
        if not watch.await_recovery():
            raise watch.blame() or compose_failed(result)
    return watch.wait()


def _compose_up(project: Project, services: Sequence[str], watch: Watch) -> CommandResult:
    return command.stream(
        project.compose("--progress", "plain", "up", "--detach", "--no-build", "--quiet-pull", *services),
        lambda _, line: watch.hear(line),
        cwd=project.root,
        env=project.environment,
        tick_seconds=INTERVAL_SECONDS,
        on_tick=watch.tick,
    )


def restart(
    project: Project,
    observer: StartObserver,
    services: Sequence[str] = (),
    timeout_seconds: float = START_TIMEOUT_SECONDS,
) -> UpResult:
    """Restart running services in place and wait for their health. Raises as `up` does."""
    client = engine.client()
    wanted = tuple(project.service(name).name for name in services) or in_start_order(project)
    existing = read_all(client, project.name)
    if missing := [name for name in wanted if name not in existing]:
        raise StartFailed(f"Not started yet: {', '.join(missing)}.", "`invoke up`")
    watch = Watch(client, project, wanted, observer, timeout_seconds)
    argv = project.compose("--progress", "quiet", "restart", "--no-deps", *services)
    command.run(argv, cwd=project.root, env=project.environment).require("`invoke status`")
    return watch.wait()


def down(project: Project, removes_volumes: bool = False) -> tuple[str, ...]:
    """Stop and remove the containers and networks, with `removes_volumes` the data too; the removed containers' names.

    Raises CommandFailed.
    """
    found = read_all(engine.client(), project.name)
    options = ("--volumes",) if removes_volumes else ()
    argv = project.compose("--progress", "quiet", "down", "--remove-orphans", *options)
    command.run(argv, cwd=project.root, env=project.environment).require()
    return tuple(one.name for containers in found.values() for one in containers)


def volumes_of(project: Project) -> tuple[Volume, ...]:
    """The volumes that `down --volumes` removes."""
    data = engine.client().api.df()
    return tuple(
        Volume(volume["Name"], _size(volume.get("UsageData")))
        for volume in data.get("Volumes") or ()
        if (volume.get("Labels") or {}).get(PROJECT_LABEL) == project.name
    )


def logs(project: Project, services: Sequence[str] = (), tail: int | None = None, follows: bool = False) -> int:
    """Show what the services wrote, without control characters; the exit code of `docker compose logs`."""
    for name in services:
        project.service(name)
    options = (*(("--tail", str(tail)) if tail is not None else ()), *(("--follow",) if follows else ()))
    argv = project.compose("logs", "--no-color", *options, *services)
    return command.follow(argv, _print_log_line, cwd=project.root, env=project.environment)


def _print_log_line(stream: command.Stream, text: str) -> None:
    """What a container wrote must not move the cursor or clear the screen of who reads it."""
    target = sys.stdout if stream == "stdout" else sys.stderr
    target.write(f"{shown(text, target)}\n")
    target.flush()


def _size(usage: Mapping[str, Any] | None) -> int | None:
    size = int((usage or {}).get("Size", -1))
    return size if size >= 0 else None
