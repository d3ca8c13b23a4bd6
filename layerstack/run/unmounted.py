"""A stack on an engine that does not have the project's folder: it runs the code that is in its images."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from layerstack.engine.client import EngineClient
from layerstack.engine.endpoint import find_endpoint
from layerstack.engine.images import is_stored
from layerstack.engine.place import find_place
from layerstack.errors import EngineError, StartFailed
from layerstack.presence import is_present
from layerstack.project.project import Project, Service, with_overlay
from layerstack.report import Say
from layerstack.state_folder import state_folder, write_atomically

FILE = "without-mounts.yml"
NO_SOURCE = "bind source path does not exist"


def for_engine(client: EngineClient, project: Project, say: Say) -> Project:
    """The project as this engine can run it: without the mounts of its own folder where the engine does not have it.

    The images are there already. Raises StartFailed when the Compose file for it cannot be written.
    """
    if not _is_elsewhere(client, project):
        return project
    path = overlay_path(project)
    if not write_atomically(path, _overlay(project)):
        raise StartFailed(f"{path} cannot be written: it would leave out the mounts that the engine lacks.")
    count = sum(len(_own_mounts(project.root, service)) for service in project.services.values())
    say(
        f"{where()} does not have this folder: {count} mounts of it are left out, what is in the images runs; "
        "after a change `invoke build && invoke up`"
    )
    return with_overlay(project, project.name, path)


def require_mounts(client: EngineClient, project: Project) -> None:
    """Raises StartFailed where a saved file cannot reach its container."""
    if _is_elsewhere(client, project):
        msg = f"dev mounts your files into the containers, and {where()} does not have this folder."
        raise StartFailed(msg, "`invoke build && invoke up` after each change.")


def overlay_path(project: Project) -> Path:
    """The Compose file that leaves the mounts out; it counts for a stack that was started with it."""
    return state_folder(project.root) / FILE


def where() -> str:
    """`the engine on 10.0.0.5`."""
    place = find_place()
    return f"the engine on {place.host}" if place.is_remote else "this engine"


def _is_elsewhere(client: EngineClient, project: Project) -> bool:
    mounting = [one for one in project.services.values() if _own_mounts(project.root, one)]
    sources = {Path(mount["source"]) for one in mounting for mount in _own_mounts(project.root, one)}
    # A source that is missing here as well proves nothing about the engine.
    there, images = sorted(filter(is_present, sources)), [one.image for one in project.services.values()]
    return bool(there) and not sees_folder(client, project.root, there, images)


def _overlay(project: Project) -> str:
    lines = ["services:"]
    for service in project.services.values():
        left_out = _own_mounts(project.root, service)
        if left_out:
            kept = [one for one in service.definition["volumes"] if one not in left_out]
            lines.append(f"  {json.dumps(service.name)}:")
            lines.append(f"    volumes: !override {json.dumps(kept)}" if kept else "    volumes: !reset []")
    return "\n".join(lines) + "\n"


def is_own_mount(root: Path, mount: Mapping[str, Any]) -> bool:
    """Whether a resolved entry of `volumes:` mounts the project's folder, or something in it."""
    return mount["type"] == "bind" and Path(mount.get("source") or "/").resolve().is_relative_to(root.resolve())


def _own_mounts(root: Path, service: Service) -> list[dict[str, Any]]:
    return [mount for mount in service.definition.get("volumes") or () if is_own_mount(root, mount)]


def sees_folder(client: EngineClient, root: Path, sources: Sequence[Path], images: Iterable[str]) -> bool:
    """Whether a container could mount these files of a project; `images` are asked with as far as the engine has them.

    Only an engine chosen by a variable or a context is asked. A remote machine may have a folder of the same name with
    other files, so there a new file of this machine must be visible too.
    """
    if not find_endpoint().is_chosen:
        return True
    image = _any_image(client, images)
    # There is nothing to ask with: a remote machine has no folder of this one.
    if not image:
        return not find_place().is_remote
    if not _can_mount(client, sources, image):
        return False
    if not find_place().is_remote:
        return True
    probe = state_folder(root) / f"seen-{uuid.uuid4().hex}"
    # Without a proof the folder counts as absent: the code in the images runs at least.
    if not write_atomically(probe, ""):
        return False
    try:
        return _can_mount(client, [probe], image)
    finally:
        with suppress(OSError):
            probe.unlink()


def _any_image(client: EngineClient, names: Iterable[str]) -> str:
    """One of these that the engine has, else any that it has, "" for none: Compose pulls the others later."""
    stored = (name for name in names if name and is_stored(client, name))
    return next(stored, "") or next((str(one["Id"]) for one in client.api.images()), "")


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
