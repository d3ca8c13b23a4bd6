"""The running stack as a whole: up, down, restart, logs, addresses, volumes."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerstack import command
from layerstack.command import CommandResult
from layerstack.engine import engine
from layerstack.engine.client import EngineClient
from layerstack.engine.container import PROJECT_LABEL, read_all
from layerstack.engine.disk_use import read_disk_use
from layerstack.errors import StartFailed
from layerstack.project.called import with_called
from layerstack.project.dependency import in_start_order
from layerstack.project.project import Project
from layerstack.report import as_is, shown
from layerstack.run.other_folder import require_own_folder
from layerstack.run.outlook import Diagnose
from layerstack.run.start_failure import (
    compose_failed,
    refusal,
    require_images,
    require_names,
    require_ports,
    was_stopped_for,
)
from layerstack.run.startup import StartObserver, UpResult
from layerstack.run.unmounted import for_engine
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
    diagnose: Diagnose | None = None,
) -> UpResult:
    """Start the services and what they depend on; returns when all are healthy.

    With `diagnose` it also ends as soon as no waiting can help, in the words of the diagnosis, and asks what ran
    before whether it works. Never builds. Raises StartFailed (ServiceFailed when one service is to blame, also for a
    project that runs from another folder), UsageError for an unknown service, EngineError. Ctrl-C leaves the
    containers as they are.
    """
    client = engine.client()
    require_own_folder(client, project, observer.note)
    wanted = in_start_order(project, services)
    # Obstacles are looked for first: Compose may notice them only after it has replaced containers.
    require_images(client, project, wanted)
    project = for_engine(client, project, observer.note)
    require_ports(client, project, wanted)
    require_names(client, project, wanted)
    watch = Watch(project, wanted, observer, timeout_seconds, diagnose)
    while not (result := _compose_up(project, services, watch)).ok:
        if known := refusal(client, project, result, wanted):
            raise known
        if not watch.await_recovery():
            blamed = watch.blame()
            blamed = None if blamed and was_stopped_for(result, blamed) else blamed
            raise watch.explain(blamed or compose_failed(project, result), is_of_container=blamed is not None)
    return watch.wait()


def _compose_up(project: Project, services: Sequence[str], watch: Watch) -> CommandResult:
    """`docker compose up`; in two halves where the second needs not go through all of it."""
    up = ("up", "--detach", "--no-build", "--quiet-pull")
    if not watch.can_be_split():
        return _compose(project, watch, *up, *services)
    # What it refuses is left to `up` to say.
    made = _compose(project, watch, *up, "--no-start", *services)
    left = watch.remainder() if made.ok else None
    if left is None:
        return _compose(project, watch, *up, *services)
    return _compose(project, watch, *up, "--no-deps", *left) if left else made


def _compose(project: Project, watch: Watch, *words: str) -> CommandResult:
    return command.stream(
        # Plain, because `Watch.hear` reads these lines.
        project.compose("--progress", "plain", *words),
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
    diagnose: Diagnose | None = None,
) -> UpResult:
    """Restart running services in place and wait for their health. Raises as `up` does."""
    client = engine.client()
    require_own_folder(client, project, observer.note)
    wanted = tuple(project.service(name).name for name in services) or in_start_order(project)
    existing = read_all(client, project.name)
    if missing := [name for name in wanted if name not in existing]:
        raise StartFailed(f"Not started yet: {', '.join(missing)}.", "`invoke up`")
    watch = Watch(project, wanted, observer, timeout_seconds, diagnose)
    # Without `--no-deps` Compose also restarts services that depend on these with `restart: true`.
    argv = project.compose("--progress", "quiet", "restart", "--no-deps", *services)
    command.run(argv, cwd=project.root, env=project.environment).require("`invoke status`")
    return watch.wait()


def down(project: Project, removes_volumes: bool = False) -> tuple[str, ...]:
    """Stop and remove the containers and networks, with `removes_volumes` the data too; the removed containers' names.

    Raises StartFailed for a project that runs from another folder, CommandFailed.
    """
    client = engine.client()
    # The note about a missing folder would be wrong here: its containers are removed, not taken over.
    require_own_folder(client, project, lambda text: None)
    # What was started by its name alone is in no active profile, and for Compose no orphan either.
    project = with_called(project, read_all(client, project.name))
    return _end(project.name, project.compose(), project.root, project.environment, removes_volumes)


def down_stack(name: str, removes_volumes: bool = False) -> tuple[str, ...]:
    """The same for a stack by its name, wherever its folder is and whether it is still there. Raises CommandFailed.

    Compose reads no file for a name alone: it knows the stack by the labels of its containers.
    """
    return _end(name, ("docker", "compose", "--project-name", name), Path("/"), {}, removes_volumes)


def _end(
    name: str, compose: Sequence[str], folder: Path, environment: Mapping[str, str], removes_volumes: bool
) -> tuple[str, ...]:
    client, options = engine.client(), ("--volumes",) if removes_volumes else ()
    before = _names(client, name)
    argv = (*compose, "--progress", "quiet", "down", "--remove-orphans", *options)
    command.run(argv, cwd=folder, env=environment).require()
    after = _names(client, name)
    return tuple(one for one in before if one not in after)


def _names(client: EngineClient, name: str) -> list[str]:
    return [one.name for containers in read_all(client, name).values() for one in containers]


def volumes_of(name: str) -> tuple[Volume, ...]:
    """The volumes that `down --volumes` of a project removes."""
    return tuple(
        Volume(volume["Name"], _size(volume.get("UsageData")))
        for volume in read_disk_use("volume")["volume"]
        if (volume.get("Labels") or {}).get(PROJECT_LABEL) == name
    )


def logs(project: Project, services: Sequence[str] = (), tail: int | None = None, follows: bool = False) -> int:
    """Print the logs of services without control characters; returns the exit code of `docker compose logs`.

    Raises UsageError for an unknown service, EngineError.
    """
    for name in services:
        project.service(name)
    # What Compose prints passes through line by line: its word on an engine that is away would be one of them.
    engine.client_later()
    options = (*(("--tail", str(tail)) if tail is not None else ()), *(("--follow",) if follows else ()))
    argv = project.compose("logs", "--no-color", *options, *services)
    return command.follow(argv, _print_log_line, cwd=project.root, env=project.environment)


def _print_log_line(stream: command.Stream, text: str) -> None:
    # The output of a container must not move the reader's cursor or clear the screen.
    target = as_is(sys.stdout if stream == "stdout" else sys.stderr)
    target.write(f"{shown(text, target)}\n")
    target.flush()


def _size(usage: Mapping[str, Any] | None) -> int | None:
    # The engine reports -1 for a volume that it has not measured.
    size = int((usage or {}).get("Size", -1))
    return size if size >= 0 else None
