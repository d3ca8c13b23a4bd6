"""Stale mounts of a running container: the source was replaced, or its programs do not read it again."""

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container
from layerstack.engine.inside import run_inside
from layerstack.errors import StackError
from layerstack.moment import epoch_seconds
from layerstack.presence import is_present
from layerstack.status import mounted_files, reloading
from layerstack.status.mounted_files import BindMount, WrittenFile
from layerstack.status.reloading import Processes
from layerstack.status.staleness import Stale
from layerstack.wait import wait_until
from layerstack.wording import listed

# From a save until a watcher has stopped the old program and started the new one.
RESTART_SECONDS = 6.0
# The engine gives the age of a process in whole seconds.
ROUNDING_SECONDS = 1.0
UNSEEN = "whether its mounts match this folder: the engine is on another machine"
ASK_SECONDS = 5.0
# One line a watch: `inotify wd:1 ino:2c4a1 sdev:fe00000 mask:…`, numbers in hexadecimal.
# Without a match grep fails, while having no watch is a valid answer: hence `|| true`.
READ = ("sh", "-c", "cat /proc/[0-9]*/fdinfo/* 2>/dev/null | grep ^inotify || true")
WATCH = re.compile(r"^inotify .*\bino:([0-9a-f]+)", re.MULTILINE)


def find(client: EngineClient, container: Container, data: Mapping[str, Any]) -> tuple[list[Stale], list[str]]:
    """Reasons, and what is not known, from what `docker inspect` says about a container."""
    binds = mounted_files.read_binds(data)
    if not binds:
        return [], []
    replaced = mounted_files.replaced(binds, container.id, int(data["State"].get("Pid") or 0))
    found = [_of_mount(one) for one in replaced or ()]
    kept = [one for one in binds if one not in (replaced or ())]
    unread, unknown = _unread(client, container, data, kept)
    return [*found, *unread], [*unknown, *([UNSEEN] if replaced is None else [])]


def _of_mount(mount: BindMount) -> Stale:
    if is_present(mount.source) is False:
        detail = f"{mount.source} no longer exists, and the container keeps using it: restore it first"
        return Stale("mount-gone", detail, "restart")
    detail = f"{mount.source} was replaced; the container still uses the old one at {mount.target}"
    return Stale("mount-replaced", detail, "restart")


def _unread(
    client: EngineClient, container: Container, data: Mapping[str, Any], binds: Sequence[BindMount]
) -> tuple[list[Stale], list[str]]:
    """Files that the programs have not loaded since they were written, and those where that is unknown."""
    every = tuple({ending for endings in reloading.LOADED.values() for ending in endings})
    written = mounted_files.written_since(binds, epoch_seconds(container.started_at), every)
    if not written:
        return [], []
    environment, pid = data["Config"].get("Env") or (), int(data["State"].get("Pid") or 0)

    def read() -> Processes:
        return reloading.read_processes(client, container.id, pid, environment)

    processes = read()
    # No name ends in a null byte: where no program is known, nothing counts as loaded.
    files = [one for one in written if one.path.name.endswith(processes.loaded or ("\0",))]
    if not files:
        return [], []
    if processes.read_again:
        missed = [] if processes.poll else find_missed(client, container.id, files)
        return [], [f"whether it has read {_names(missed)} again, saved after its start"] if missed else []
    if processes.restart:
        return _not_restarted(files, read)
    detail = f"{_names(files)} changed after the container started, and nothing reloads it: it may run old code"
    return [Stale("not-reloaded", detail, "restart", is_certain=False)], []


def _not_restarted(files: Sequence[WrittenFile], read: Callable[[], Processes]) -> tuple[list[Stale], list[str]]:
    """Files saved after the last start of the program; a pending restart gets its time."""

    def unread() -> list[WrittenFile] | None:
        start = read().newest_start
        return None if start is None else [one for one in files if one.epoch_seconds > start + ROUNDING_SECONDS]

    left_seconds = files[0].epoch_seconds + RESTART_SECONDS - time.time()
    wait_until(lambda: not unread(), max(0.0, left_seconds), 0.5)
    if (late := unread()) is None:
        return [], [f"whether its program was started again since {_names(files)} was saved"]
    detail = f"{_names(late)} changed after the last start of its program: it may run old code"
    return [Stale("not-reloaded", detail, "restart", is_certain=False)] if late else [], []


def _names(files: Sequence[WrittenFile]) -> str:
    return listed([str(one.path) for one in files])


def find_missed(client: EngineClient, container_id: str, files: Sequence[WrittenFile]) -> list[WrittenFile]:
    """Those of the files that no program of the container is given notice of: neither of the file nor of its folder.

    All of them where the container does not answer.
    """
    try:
        output = run_inside(client, container_id, READ, ASK_SECONDS).output
    except (StackError, TimeoutError, OSError):
        return list(files)
    # A bind mount shows the inodes of this machine. A watch of the folder also reports files that are replaced in it.
    watched = {int(number, 16) for number in WATCH.findall(output)}
    return [one for one in files if not watched & set(_inodes((one.path, one.path.parent)))]


def _inodes(paths: Iterable[Path]) -> Iterable[int]:
    for path in paths:
        try:
            yield path.stat().st_ino
        except OSError:
            continue
