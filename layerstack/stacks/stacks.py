"""The stacks of this engine: where each was started, what it holds, whether its folder still exists."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerstack.engine import engine
from layerstack.engine.client import EngineClient
from layerstack.engine.container import FOLDER_LABEL, ONE_OFF_LABEL, PROJECT_LABEL, Container, read_all
from layerstack.engine.disk_use import read_disk_use
from layerstack.engine.place import find_place
from layerstack.errors import UsageError
from layerstack.gpu.card_lock import Holder
from layerstack.gpu.lease import read_leases
from layerstack.gpu.nvml import Card, ask_host, cards_of
from layerstack.gpu.nvml_library import NvmlRefused
from layerstack.moment import epoch_seconds
from layerstack.presence import is_present
from layerstack.project.worktree import branch_of
from layerstack.wording import did_you_mean


@dataclass(frozen=True)
class Stack:
    """One Compose project. `folder` is "" when no container is left to name it.

    `is_there`: this machine has the folder; None when the engine is on another machine, or where this user may not
    look. `disk_bytes` is the sum of its volumes, writable layers, and layers that its images do not share.
    """

    name: str
    folder: str = ""
    is_there: bool | None = None
    branch: str = ""
    containers: tuple[Container, ...] = ()
    disk_bytes: int = 0
    leases: tuple[tuple[Card, Holder], ...] = ()

    @property
    def is_dead(self) -> bool:
        """Whether its folder is gone, so that `down` cannot be run in it."""
        return bool(self.folder) and self.is_there is False

    @property
    def running(self) -> tuple[Container, ...]:
        return tuple(one for one in self.containers if one.is_running)

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(sorted({port.published for one in self.running for port in one.ports}))

    @property
    def since(self) -> str:
        """Start of the running container that was started first, "" for none."""
        first = min(self.running, key=lambda one: epoch_seconds(one.started_at), default=None)
        return first.started_at if first else ""

    @property
    def gpu_services(self) -> tuple[str, ...]:
        return tuple(sorted({one.service for one in self.running if one.has_gpu}))

    def to_json(self) -> dict[str, Any]:
        return {
            "project": self.name,
            "folder": self.folder or None,
            "folder_exists": self.is_there,
            "branch": self.branch or None,
            "running": len(self.running),
            "containers": len(self.containers),
            "ports": list(self.ports),
            "since": self.since or None,
            "disk_bytes": self.disk_bytes,
            "gpu_services": list(self.gpu_services),
            "gpu_leases": [{"card": card.uuid, "owner": held.owner, "pid": held.pid} for card, held in self.leases],
        }


@dataclass
class _Found:
    """What the engine lists of one project."""

    folder: str = ""
    size_bytes: int = 0
    has_containers: bool = False


def read_stacks() -> tuple[Stack, ...]:
    """Every Compose project that has containers or volumes, in the order of their names. Raises EngineError."""
    client = engine.client()
    found = _read_found()
    leases = _read_leases()
    return tuple(_stack(client, name, one, leases) for name, one in sorted(found.items()))


def require_stack(name: str) -> None:
    """Raises UsageError with the nearest name where the engine holds nothing of such a stack."""
    names = sorted(_read_found())
    if name not in names:
        advice = did_you_mean(name, names, "`invoke stacks` lists them.")
        raise UsageError(f"There is no stack `{name}` on this engine.", advice)


def _stack(client: EngineClient, name: str, listed: _Found, leases: Iterable[tuple[Card, Holder]]) -> Stack:
    folder = Path(listed.folder)
    # The folder may be on the engine's machine, where nobody can look from here.
    there = is_present(listed.folder) if listed.folder else None
    there = None if not there and find_place().is_remote else there
    containers = read_all(client, name) if listed.has_containers else {}
    return Stack(
        name,
        listed.folder,
        there,
        branch_of(folder) if there else "",
        tuple(container for service in containers.values() for container in service),
        listed.size_bytes,
        # Leases of `up` are named `SERVICE of PROJECT`.
        tuple((card, holder) for card, holder in leases if holder.owner.endswith(f" of {name}")),
    )


def _read_found() -> dict[str, _Found]:
    use = read_disk_use("container", "image", "volume")
    found: dict[str, _Found] = {}
    for entry in (*use["container"], *use["volume"]):
        labels = entry.get("Labels") or {}
        # Containers of `docker compose run` are no part of the stack.
        if labels.get(PROJECT_LABEL) and labels.get(ONE_OFF_LABEL) != "True":
            one = found.setdefault(labels[PROJECT_LABEL], _Found())
            # Volumes have no image.
            one.has_containers |= "Image" in entry
            # Volumes have no such label: the folder of a stack without containers is unknown.
            one.folder = one.folder or labels.get(FOLDER_LABEL, "")
            one.size_bytes += _size(entry)
    for entry in use["image"]:
        name = (entry.get("Labels") or {}).get(PROJECT_LABEL, "")
        # Images alone make no stack: it has containers or volumes.
        if name in found:
            # Shared layers stay when the image goes; the engine says -1 where it has not counted.
            found[name].size_bytes += max(0, int(entry.get("Size") or 0) - max(0, int(entry.get("SharedSize") or 0)))
    return found


def _size(entry: Mapping[str, Any]) -> int:
    # The writable layer of a container, or a volume; -1 means that the engine did not measure it.
    return max(0, int(entry.get("SizeRw") or (entry.get("UsageData") or {}).get("Size") or 0))


def _read_leases() -> tuple[tuple[Card, Holder], ...]:
    try:
        return tuple(read_leases(cards_of(ask_host())))
    except NvmlRefused:
        return ()
