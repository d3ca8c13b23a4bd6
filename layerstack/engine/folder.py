"""Whether the engine sees this machine's folders, so that it can mount them."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from layerstack.engine.client import EngineClient
from layerstack.engine.endpoint import find_endpoint
from layerstack.engine.place import find_place
from layerstack.errors import EngineError
from layerstack.state_folder import state_folder, write_atomically

NO_SOURCE = "bind source path does not exist"


def sees_folder(client: EngineClient, root: Path, sources: Sequence[Path], image: str) -> bool:
    """Whether a container could mount these files of a project; `image` is any image of the engine.

    Only an engine chosen by a variable or a context is asked. A remote machine may have a folder of the same name with
    other files, so there a new file of this machine must be visible too.
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


def _can_mount(client: EngineClient, paths: Sequence[Path], image: str) -> bool:
    # The container is never started: the engine checks the sources when it creates one, and makes no folders then.
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
