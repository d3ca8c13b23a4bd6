"""What the mounts of a running container make stale: something else stands there, or its programs do not look again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from layerstack.engine.container import Container
from layerstack.moment import epoch_seconds
from layerstack.status import mounted_files, reloading
from layerstack.status.input_changes import listed
from layerstack.status.mounted_files import BindMount
from layerstack.status.staleness import Stale

UNSEEN = "whether its mounts match this folder: the engine is on another machine"


def find(client: Any, container: Container, data: Mapping[str, Any]) -> tuple[list[Stale], list[str]]:
    """Reasons, and what is not known, from what `docker inspect` says about a container."""
    binds = mounted_files.read_binds(data)
    if not binds:
        return [], []
    replaced = mounted_files.replaced(binds, container.id, int(data["State"].get("Pid") or 0))
    found = [_of_mount(one) for one in replaced or ()]
    kept = [one for one in binds if one not in (replaced or ())]
    return [*found, *_not_reloaded(client, container, data, kept)], [UNSEEN] if replaced is None else []


def _of_mount(one: BindMount) -> Stale:
    if not one.source.exists():
        detail = f"{one.source} no longer exists, and the container keeps using it: restore it first"
        return Stale("mount-gone", detail, "restart")
    detail = f"{one.source} was replaced; the container still uses the old one at {one.target}"
    return Stale("mount-replaced", detail, "restart")


def _not_reloaded(
    client: Any, container: Container, data: Mapping[str, Any], binds: Sequence[BindMount]
) -> Iterator[Stale]:
    every = tuple({ending for endings in reloading.LOADED_ONCE.values() for ending in endings})
    written = mounted_files.written_since(binds, epoch_seconds(container.started_at), every)
    if not written:
        return
    processes = reloading.read_processes(client, container.id, data["Config"].get("Env") or ())
    names = [str(path) for path in written if path.name.endswith(processes.loaded_once or ("\0",))]
    if names:
        detail = f"{listed(names)} changed after the container started, and nothing reloads it: it may run old code"
        yield Stale("not-reloaded", detail, "restart", is_certain=False)
