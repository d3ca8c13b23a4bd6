"""Which files the programs of a container load, when they did, and what it takes to serve a saved one."""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container, read_all
from layerstack.errors import EngineError
from layerstack.project.project import Project
from layerstack.status import mounted_files

# Program → endings of the files that it reads at its start and then keeps. What reads its files on every request, as
# PHP and static servers do, is not here.
LOADED = {
    "python": (".py",),
    "gunicorn": (".py",),
    "uvicorn": (".py",),
    "hypercorn": (".py",),
    "celery": (".py",),
    "flask": (".py",),
    "node": (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx"),
    "deno": (".js", ".mjs", ".ts", ".jsx", ".tsx"),
    "bun": (".js", ".mjs", ".cjs", ".ts", ".jsx", ".tsx"),
    "ruby": (".rb",),
    "puma": (".rb",),
    "java": (".jar", ".class"),
    "perl": (".pl", ".pm"),
    "nginx": (".conf",),
    "httpd": (".conf",),
    "apache2": (".conf",),
    "haproxy": (".cfg",),
    "redis-server": (".conf",),
}
# These start their program again after a save.
_RESTARTS = re.compile(
    r"--watch\b|--reload\b|flask.* --debug\b|manage\.py runserver(?!.*--noreload)|tsx watch|"
    r"(^|[\s/])(nodemon|ts-node-dev|watchfiles|watchmedo|rerun|guard)(\.\w+)?(\s|$)"
)
# `FLASK_DEBUG=1`, `GUNICORN_CMD_ARGS=--reload`
_RESTARTING_VARIABLE = re.compile(
    r"^(FLASK_DEBUG=(1|true)$|UVICORN_RELOAD=|GUNICORN_CMD_ARGS=.*--reload)", re.IGNORECASE
)
# These keep running and read single files again, after a notice of the kernel or by looking at them all the time.
_READS_AGAIN = re.compile(
    r"--hot\b|webpack serve|(next|nuxt|astro) dev|(^|[\s/])(vite|webpack-dev-server)(\.\w+)?(\s|$)"
)
# `CHOKIDAR_USEPOLLING=true`
_POLLING_VARIABLE = re.compile(r"^(CHOKIDAR_USEPOLLING|WATCHPACK_POLLING)=(?!0$|false$|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Process:
    """One program of a container; `started` in seconds since the epoch, None where the engine cannot tell."""

    command: str
    started: float | None = None


@dataclass(frozen=True)
class Processes:
    """Everything that runs for a container's first process, and its environment as `NAME=value` lines."""

    running: tuple[Process, ...]
    environment: tuple[str, ...] = ()

    @property
    def restart(self) -> bool:
        """Whether something here starts its program again after a save."""
        return self._has(_RESTARTS) or any(_RESTARTING_VARIABLE.match(one) for one in self.environment)

    @property
    def read_again(self) -> bool:
        """Whether something here reads changed files while it runs."""
        return self._has(_READS_AGAIN)

    @property
    def poll(self) -> bool:
        return any(_POLLING_VARIABLE.match(one) for one in self.environment)

    @property
    def loaded(self) -> tuple[str, ...]:
        """Endings of the files that the programs here load."""
        return tuple(sorted({ending for one in self.running for ending in _endings(one.command)}))

    @property
    def newest_start(self) -> float | None:
        """When the youngest program that loads files began: after each save, where something restarts it."""
        started = [one.started for one in self.running if _endings(one.command) and one.started is not None]
        return max(started, default=None)

    def _has(self, pattern: re.Pattern[str]) -> bool:
        return any(pattern.search(one.command) for one in self.running)


def read_processes(client: EngineClient, container_id: str, pid: int, environment: Iterable[str]) -> Processes:
    """What runs below a container's first process, so no health check; nothing when the engine cannot tell."""
    # Not every engine's ps knows the seconds.
    for options in ("-o pid,ppid,etimes,args", "-o pid,ppid,args"):
        try:
            table = client.api.top(container_id, ps_args=options)
        except EngineError:
            continue
        rows: Sequence[Sequence[str]] = table.get("Processes") or ()
        return Processes(tuple(_below(pid, rows, time.time())), tuple(environment))
    return Processes(())


def _below(pid: int, rows: Sequence[Sequence[str]], now: float) -> Iterable[Process]:
    """The process and its descendants, from rows of pid, parent, seconds if known, and command line."""
    parents = {row[0]: row[1] for row in rows}
    for row in rows:
        above = row[0]
        # The engine starts health checks and `exec` outside of the first process, so that they are not below it.
        while above in parents and above != str(pid):
            above = parents[above]
        if above == str(pid):
            yield Process(row[-1], now - int(row[2]) if len(row) > 3 else None)


def _endings(command: str) -> Sequence[str]:
    # A script's interpreter and the script are the first two words: `python3.9 /opt/venv/bin/gunicorn`.
    names = (PurePosixPath(word.rstrip(":")).name for word in command.split()[:2])
    programs = (re.sub(r"[\d.]+$", "", name) for name in names)
    return [ending for program in programs for ending in LOADED.get(program, ())]


def forecast(client: EngineClient, project: Project) -> Iterator[str]:
    """What it takes to serve a saved file, nothing, a restart or a build: a line each, about the running services."""
    found = read_all(client, project.name)
    ways: dict[str, list[str]] = {"reload": [], "restart": [], "watch": [], "build": []}
    for name, service in project.services.items():
        if running := [one for one in found.get(name, ()) if one.is_running]:
            with suppress(EngineError):  # it ended a moment ago
                way = _way(client, running[0], service.is_built)
                is_watched = way == "build" and (service.definition.get("develop") or {}).get("watch")
                ways.get("watch" if is_watched else way, []).append(name)
    if ways["reload"]:
        yield f"reloads after a save: {', '.join(ways['reload'])}"
    if ways["restart"]:
        yield f"sees a save after `invoke restart {' '.join(ways['restart'])}`"
    if ways["watch"]:
        yield f"takes a save while `docker compose watch {' '.join(ways['watch'])}` runs"
    for name in ways["build"]:
        image = project.image_of(project.services[name])
        yield f"has its sources in its image: `invoke build {image.name if image else name} up {name}` after a save"


def _way(client: EngineClient, container: Container, is_built: bool) -> str:
    data = client.api.inspect_container(container.id)
    pid, environment = int(data["State"].get("Pid") or 0), data["Config"].get("Env") or ()
    processes = read_processes(client, container.id, pid, environment)
    binds = mounted_files.read_binds(data)
    # From the epoch on: the question is whether there are such files at all.
    if any(mounted_files.written_since(binds, 0, (ending,)) for ending in processes.loaded):
        return "reload" if processes.restart or processes.read_again else "restart"
    return "build" if is_built else ""
