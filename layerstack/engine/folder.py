"""Whether the engine sees this machine's folders: only then can it mount them into a container."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from layerstack.engine.endpoint import find_endpoint
from layerstack.engine.place import find_place
from layerstack.errors import EngineError
from layerstack.state_folder import state_folder, write_atomically

if TYPE_CHECKING:
    from layerstack.engine.api import EngineClient

NO_SOURCE = "bind source path does not exist"


def sees_folder(client: "EngineClient", root: Path, sources: Sequence[Path], image: str) -> bool:
    """Whether a container of the engine would get these files of a project; `image` is any that the engine has.

    Asked only where a variable or a context names the engine. Another machine may have a folder of the same name, with
    other files: there a file that only this machine has must be seen, too.
    """
    if not find_endpoint().is_chosen:
        return True
    if not _can_mount(client, sources, image):
        return False
    if not find_place().is_remote:
        return True
    probe = state_folder(root) / f"seen-{uuid.uuid4().hex}"
    if not write_atomically(probe, ""):
        return False
    try:
        return _can_mount(client, [probe], image)
    finally:
        with suppress(OSError):
            probe.unlink()


def _can_mount(client: "EngineClient", paths: Sequence[Path], image: str) -> bool:
    """By a container that is made and never started: the engine looks for the sources then, and makes none."""
    from docker.types import Mount

    mounts = [
        Mount(f"/layerstack/{number}", str(path), type="bind", read_only=True) for number, path in enumerate(paths)
    ]
    try:
        made = client.api.create_container(image, ["true"], host_config=client.api.create_host_config(mounts=mounts))
    except EngineError as error:
        if NO_SOURCE in str(error):
            return False
        raise
    client.api.remove_container(made["Id"], v=True)
    return True
