"""Mounts that hide what an image installed, found by comparing them with the image's files."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerstack.doctor.mounts import ServiceMount, Volumes, mounts_of, read_volumes
from layerstack.doctor.start_files import start_files
from layerstack.engine import image_tree
from layerstack.engine.client import EngineClient
from layerstack.engine.image_tree import Tree
from layerstack.errors import NotInEngine
from layerstack.finding import Finding, error, ok, warning
from layerstack.project.compose_source import ComposeSource
from layerstack.project.project import Project, Service
from layerstack.status.lost_files import (
    EDITABLE,
    NODE,
    START,
    Installed,
    Loss,
    editable_roots,
    find_losses,
    find_older,
)
from layerstack.wording import listed

CHECK = "mount-shadow"
PACKAGE_FILES = ("package.json", "METADATA")
# Longer than other checks: whole folders are read from images.
LOOK_SECONDS = 60.0
WORKERS = 4


@dataclass(frozen=True)
class Look:
    """What the check of one project needs; `deadline` is a moment of time.monotonic()."""

    client: EngineClient
    project: Project
    source: ComposeSource
    volumes: Volumes
    is_local: bool
    deadline: float


def check_mounts(
    client: EngineClient, project: Project, source: ComposeSource, is_local: bool, seconds: float = LOOK_SECONDS
) -> Iterator[Finding]:
    """A finding for every mount that hides something; services without a stored image are skipped.

    `is_local`: the engine is on this machine, so that bind mounts are folders of this machine. Raises EngineError.
    """
    # Images are read through containers, which a doctor that was killed has left.
    image_tree.remove_containers(client, image_tree.find_abandoned(client))
    look = Look(client, project, source, read_volumes(client, project), is_local, time.monotonic() + seconds)
    with ThreadPoolExecutor(WORKERS) as pool:
        every = pool.map(lambda one: _look_at(look, one), project.services.values())
        looked = dict(zip(project.services, every, strict=True))
    found = [finding for each in looked.values() for finding in each or ()]
    yield from found
    absent = [name for name, each in looked.items() if each is None]
    if not found:
        unknown = f"; the images of {listed(absent)} do not exist yet" if absent else ""
        yield ok(CHECK, f"no mount hides what an image installed{unknown}")


def _look_at(look: Look, service: Service) -> list[Finding] | None:
    """None when the image of the service is not stored here."""
    try:
        facts = look.client.api.inspect_image(service.image)
        return list(_service_findings(look, service, facts))
    except NotInEngine:
        return None
    except TimeoutError as late:
        return [warning(CHECK, f"{service.name} was not checked: {late}", "Run `invoke doctor` again.", service.name)]


def _service_findings(look: Look, service: Service, facts: Mapping[str, Any]) -> Iterator[Finding]:
    config = facts.get("Config") or {}
    mounts = mounts_of(service, config.get("Volumes") or (), look.volumes, look.source)
    mounts = tuple(one for one in mounts if look.is_local or one.kind != "bind")
    if not mounts:
        return
    paths = [one.target for one in mounts]
    trees = image_tree.read_image_trees(look.client, look.project.root, facts["Id"], paths, look.deadline)
    roots = _editable(look.client, facts["Id"]) if any(trees.values()) else ()
    starts = start_files(config, service.definition)
    for mount in mounts:
        installed = Installed(mount.target, _own(trees[mount.target], mount, mounts), roots, starts)
        if installed.tree:
            yield from _compare(look, service, mount, installed, facts["Id"])


def _editable(client: EngineClient, image_id: str) -> tuple[str, ...]:
    history = client.api.history(image_id)
    # The engine lists the newest step first.
    return editable_roots(str(entry.get("CreatedBy") or "") for entry in reversed(history))


def _own(tree: Tree, mount: ServiceMount, mounts: Sequence[ServiceMount]) -> Tree:
    """Without the files below a deeper mount, which is checked separately."""
    deeper = [one for one in mounts if one != mount and mount.covers(one.target)]
    return {
        inside: mark
        for inside, mark in tree.items()
        if not any(one.covers(f"{mount.target.rstrip('/')}/{inside}") for one in deeper)
    }


def _compare(look: Look, service: Service, mount: ServiceMount, image: Installed, image_id: str) -> Iterator[Finding]:
    if mount.kind in ("volume", "anonymous"):
        provided = image_tree.read_volume(look.client, image_id, mount.source, look.deadline) if mount.source else {}
        if not provided and mount.is_filled:
            return  # the engine fills a new or empty volume from the image
        losses = [*find_losses(image, provided), *find_older(image, provided)]
    else:
        losses = find_losses(image, _provided(mount, image.tree))
    if not losses and mount.kind == "bind" and _is_empty(Path(mount.source)):
        losses = [Loss("all files", tuple(map(image.absolute, image.tree)))]
    if losses:
        yield _finding(look, service, mount, losses)


def _provided(mount: ServiceMount, tree: Tree) -> Tree:
    """The image's files that a bind mount has too, whatever their content; tmpfs has none."""
    place = Path(mount.source)
    if mount.source and place.is_dir() and not os.access(place, os.X_OK):
        return tree  # unreadable for this user, which does not mean missing
    # A link that leads nowhere here may lead somewhere in the container.
    return {inside: mark for inside, mark in tree.items() if mount.source and os.path.lexists(place / inside)}


def _is_empty(folder: Path) -> bool:
    """Also for a missing folder, which the engine creates empty."""
    if not folder.is_dir():
        return not os.path.lexists(folder)
    return os.access(folder, os.R_OK) and not any(folder.iterdir())


def _finding(look: Look, service: Service, mount: ServiceMount, losses: Sequence[Loss]) -> Finding:
    is_fatal = any(loss.kind == START and not loss.is_older for loss in losses)
    detail = f"{service.name}: {_words(look, mount)} hides {' and '.join(_text(loss) for loss in losses)}"
    report = error if is_fatal else warning
    return report(CHECK, detail, _remedy(service, mount, losses), service.name, mount.place)


def _words(look: Look, mount: ServiceMount) -> str:
    """The mount, with a folder of the project as `./folder`."""
    folder = f"{look.project.root.resolve()}/"
    return mount.words.replace(f" {folder}", " ./") if mount.kind == "bind" else mount.words


def _text(loss: Loss) -> str:
    # The manifest of a package is the clearest example.
    example = min(loss.paths, key=lambda path: (not path.endswith(PACKAGE_FILES), path.count("/"), path))
    count = f"{len(loss.paths)} files, such as {example}" if len(loss.paths) > 1 else example
    return f"{'a newer version of ' if loss.is_older else ''}{loss.kind} ({count})"


def _remedy(service: Service, mount: ServiceMount, losses: Sequence[Loss]) -> str:
    if mount.kind == "anonymous":
        # Compose gives the anonymous volumes of a container to the one that replaces it.
        return f"docker compose up --detach --renew-anon-volumes {service.name}"
    if mount.kind == "volume" and mount.source:
        return (
            f"docker compose rm --stop --force {service.name} && docker volume rm {mount.source}: the next start fills "
            "it from the image; what was written into it is lost"
        )
    if mount.kind == "bind" and _is_empty(Path(mount.source)):
        return f"Put the files into {mount.source}, which is empty or not there; or remove the mount."
    folders = {path.partition("/node_modules/")[0] for loss in losses for path in loss.paths}
    if mount.kind == "bind" and len(folders) == 1 and all(loss.kind in (NODE, START) for loss in losses):
        return f"Add a volume of its own below it: `- {folders.pop()}/node_modules`."
    if any(loss.kind == EDITABLE for loss in losses):
        return "Install the package without -e in the image, or mount only the folder of its sources."
    return "Mount only the folders that you edit, or put what is hidden elsewhere in the image."
