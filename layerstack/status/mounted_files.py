"""Files of this machine that a container sees, and whether it sees the current ones."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path
from typing import Any

PROCESSES = Path("/proc")
# `status` has to be quick: no mounted data set is walked to its end.
MOST_FILES = 20_000
# Folders that no editor writes to and that hold more files than all sources.
PASSED_OVER = {"node_modules", "site-packages", "__pycache__", "venv"}
# The kernel appends it to the root of a mount whose source was removed.
DELETED = "//deleted"


@dataclass(frozen=True)
class BindMount:
    """`source` is on the engine's machine, `target` in the container."""

    source: Path
    target: str

    def shown(self, path: Path) -> str | None:
        """Where the container sees a file of the machine through this mount; None where it does not."""
        if path != self.source and self.source not in path.parents:
            return None
        return normpath(f"{self.target}/{path.relative_to(self.source)}")


@dataclass(frozen=True, order=True)
class WrittenFile:
    """A file of this machine, and when it was written last."""

    epoch_seconds: float
    path: Path


@dataclass(frozen=True)
class _Place:
    """Where a mount leads: a device, and a path from the root of its filesystem."""

    device: str
    root: str
    point: str


def read_binds(data: Mapping[str, Any]) -> tuple[BindMount, ...]:
    """Bind mounts of a container, from what `docker inspect` says about it."""
    mounts = data.get("Mounts") or ()
    return tuple(BindMount(Path(one["Source"]), one["Destination"]) for one in mounts if one["Type"] == "bind")


def declared_binds(definition: Mapping[str, Any]) -> tuple[BindMount, ...]:
    """Bind mounts that a container of this Compose service would have."""
    volumes = definition.get("volumes") or ()
    return tuple(BindMount(Path(one["source"]), one["target"]) for one in volumes if one["type"] == "bind")


def is_seen(path: Path, binds: Iterable[BindMount], places: Set[str] = frozenset()) -> bool:
    """Whether a container with these mounts sees this file of the machine: where its image holds a copy, in its place.

    `places` are the paths of the copies, none where they are not known.
    """
    shown = {one.shown(path) for one in binds} - {None}
    return bool(shown & places if places else shown)


def replaced(binds: Sequence[BindMount], container_id: str, pid: int) -> list[BindMount] | None:
    """The mounts whose source is another file or folder by now: an editor replaced it, or it was created again.

    A mount keeps what was there at the start. None where that cannot be seen: the engine is on another machine,
    or in a virtual one.
    """
    held = _read_mounts(str(pid))
    # Every container has files of its own below a folder named like it: the process is the right one.
    if not any(container_id in place.root for place in held):
        return None
    by_target = {place.point: place for place in held}
    own = _read_mounts("self")
    return [one for one in binds if one.target in by_target and _is_other(by_target[one.target], one.source, own)]


def written_since(binds: Iterable[BindMount], epoch_seconds: float, suffixes: Sequence[str]) -> list[WrittenFile]:
    """Files below the mounts with one of the suffixes that were written after a moment, the newest first."""
    found = []
    for path in _files(binds):
        if path.endswith(tuple(suffixes)):
            try:
                written = os.stat(path).st_mtime  # noqa: PTH116 - many files, no object for each
            except OSError:
                continue
            if written > epoch_seconds:
                found.append(WrittenFile(written, Path(path)))
    return sorted(found, reverse=True)


def _files(binds: Iterable[BindMount]) -> Iterator[str]:
    """Paths of all files below the mounts, at most MOST_FILES."""
    count = 0
    for one in binds:
        if os.path.isfile(one.source):  # noqa: PTH113 - False, too, where nobody may look
            yield str(one.source)
            continue
        for folder, folders, files in os.walk(one.source):
            folders[:] = [name for name in folders if not name.startswith(".") and name not in PASSED_OVER]
            count += len(files)
            if count > MOST_FILES:
                return
            yield from (os.path.join(folder, name) for name in files)  # noqa: PTH118 - as above


def _is_other(held: _Place, source: Path, own: Sequence[_Place]) -> bool:
    now = _place_of(os.path.realpath(source), own)
    return held.root.endswith(DELETED) or (now is not None and now != (held.device, held.root))


def _place_of(path: str, own: Sequence[_Place]) -> tuple[str, str] | None:
    """(device, path in its filesystem) of a path of this machine; a later mount on the same point hides the others."""
    above = [one for one in own if path == one.point or path.startswith(one.point.rstrip("/") + "/")]
    if not above:
        return None
    nearest = max(enumerate(above), key=lambda pair: (len(pair[1].point), pair[0]))[1]
    below = path[len(nearest.point.rstrip("/")) :]
    return nearest.device, (nearest.root.rstrip("/") + below) or "/"


def _read_mounts(pid: str) -> list[_Place]:
    """The mounts that a process sees, which any user may read; empty when it has ended."""
    try:
        lines = (PROCESSES / pid / "mountinfo").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return []
    fields = (line.split(" ") for line in lines)
    return [_Place(one[2], _unescaped(one[3]), _unescaped(one[4])) for one in fields if len(one) > 5]


def _unescaped(text: str) -> str:
    # The kernel writes a blank as `\040`.
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
