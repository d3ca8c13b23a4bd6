"""The files below paths of an image or a volume, read without starting anything and cached by image id."""

import hashlib
import os
import stat
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from layerstack.engine.client import EngineClient
from layerstack.engine.files import opened, read_file, require_time
from layerstack.engine.place import find_place
from layerstack.errors import NotInEngine
from layerstack.owner import is_abandoned, own_mark
from layerstack.state_folder import keep_newest, read_json, state_folder, write_json

if TYPE_CHECKING:
    from docker.types import Mount


# Relative path → `SIZE DIGEST` of a file, `-> TARGET` of a link. The path itself is "".
Tree = Mapping[str, str]

FOLDER = "image-trees"
# To be raised when the form of a mark changes.
CACHE_VERSION = 1
MOST_KEPT = 40
# Larger files are compared by size alone.
HASHED_BYTES = 1 << 20
LOOK_LABEL = "layerstack.look"
# The engine creates no container without a command; this one never runs.
NO_COMMAND = ("/layerstack-never-runs",)
VOLUME_TARGET = "/layerstack-volume"


def read_image_trees(
    client: EngineClient, root: Path, image_id: str, paths: Iterable[str], deadline: float
) -> dict[str, Tree]:
    """The files below each path, {} where the image has nothing.

    `deadline` is a moment of time.monotonic(). Raises TimeoutError, EngineError.
    """
    cached = _recall(root, image_id)
    missing = [path for path in paths if path not in cached]
    if missing:
        with closed_container(client, image_id) as container_id:
            found = {path: read_container(client, container_id, path, deadline) for path in missing}
        cached = {**_recall(root, image_id), **found}
        _keep(root, image_id, cached)
    return {path: cached[path] for path in paths}


def read_volume(client: EngineClient, image_id: str, name: str, deadline: float) -> Tree:
    """The current content of a volume. Any image will do: a volume can only be read through a container.

    Raises TimeoutError, EngineError.
    """
    place = Path(client.api.inspect_volume(name).get("Mountpoint") or "/nowhere")
    # Root on the engine's machine can read it in place.
    if not find_place().is_remote and os.access(place, os.R_OK | os.X_OK):
        return read_folder(place, deadline)
    with closed_container(client, image_id, name) as container_id:
        return read_container(client, container_id, VOLUME_TARGET, deadline)


def read_folder(top: Path, deadline: float) -> Tree:
    """The files of a folder on this machine."""
    found: dict[str, str] = {}
    for folder, folders, files in os.walk(top):
        require_time(deadline)
        inside = os.path.relpath(folder, top)
        prefix = "" if inside == "." else f"{inside}/"
        links = [name for name in folders if Path(folder, name).is_symlink()]
        # As in an archive: a pipe or a socket is no file, and to read it would wait for ever.
        own = [name for name in files if not _is_special(Path(folder, name))]
        found |= {f"{prefix}{name}": _file_mark(Path(folder, name)) for name in (*own, *links)}
    return found


def read_container(client: EngineClient, container_id: str, path: str, deadline: float) -> Tree:
    """The files below a path of a container, running or not."""
    try:
        with opened(client, container_id, path, deadline) as archive:
            return dict(_entries(archive))
    except NotInEngine:
        return {}


def read_image_file(client: EngineClient, image_id: str, paths: Iterable[str]) -> bytes | None:
    """The content of the first of these files that the image has. Raises EngineError."""
    with closed_container(client, image_id) as container_id:
        contents = (read_file(client, container_id, path) for path in paths)
        return next((content for content in contents if content is not None), None)


def _entries(archive: tarfile.TarFile) -> Iterator[tuple[str, str]]:
    marks: dict[str, str] = {}
    for member in archive:
        inside = member.name.partition("/")[2]
        if member.issym():
            yield inside, f"-> {member.linkname}"
        elif member.islnk():
            # The archive has the content of a hard link under the first of its names.
            yield inside, marks.get(member.linkname, "0")
        elif member.isfile():
            file = archive.extractfile(member)
            content = file.read() if file and member.size <= HASHED_BYTES else b""
            marks[member.name] = _mark(member.size, content)
            yield inside, marks[member.name]


def _is_special(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISLNK(mode))


def _file_mark(path: Path) -> str:
    try:
        if path.is_symlink():
            return f"-> {path.readlink()}"
        size = path.stat().st_size
        return _mark(size, path.read_bytes() if size <= HASHED_BYTES else b"")
    except OSError:
        return "0"


def _mark(size: int, content: bytes) -> str:
    digest = hashlib.blake2b(content, digest_size=8).hexdigest() if size <= HASHED_BYTES else ""
    return f"{size} {digest}".strip()


def _untouched(volume: str) -> "Mount":
    # Without no_copy the engine would fill an empty volume from the image.
    from docker.types import Mount

    return Mount(VOLUME_TARGET, volume, type="volume", read_only=True, no_copy=True)


@contextmanager
def closed_container(client: EngineClient, image_id: str, volume: str = "") -> Iterator[str]:
    """A container that is never started, and gone afterwards with the volumes that the image asks for.

    It has the volume of that name at VOLUME_TARGET.
    """
    mounts = [_untouched(volume)] if volume else []
    host = client.api.create_host_config(mounts=mounts, network_mode="none")
    made = client.api.create_container(
        image_id, command=list(NO_COMMAND), host_config=host, labels={LOOK_LABEL: own_mark()}
    )
    try:
        yield made["Id"]
    finally:
        # A container that could not be removed has its owner in a label, and a later task removes it.
        with suppress(Exception):
            client.api.remove_container(made["Id"], v=True, force=True)


def find_abandoned(client: EngineClient) -> list[str]:
    """Ids of containers that a killed process created to read an image."""
    found = client.api.containers(all=True, filters={"label": LOOK_LABEL})
    return [str(one["Id"]) for one in found if is_abandoned(str((one.get("Labels") or {}).get(LOOK_LABEL)))]


def remove_containers(client: EngineClient, ids: Iterable[str]) -> None:
    """Remove containers and the volumes that their images declare."""
    for container_id in ids:
        with suppress(Exception):
            client.api.remove_container(container_id, v=True, force=True)


def _recall(root: Path, image_id: str) -> dict[str, Tree]:
    try:
        document = read_json(_path(root, image_id))
        trees = document["trees"] if document.get("version") == CACHE_VERSION else {}
        return {str(path): {str(name): str(mark) for name, mark in tree.items()} for path, tree in trees.items()}
    except (KeyError, TypeError, AttributeError):
        return {}


def _keep(root: Path, image_id: str, trees: Mapping[str, Tree]) -> None:
    path = _path(root, image_id)
    if write_json(path, {"version": CACHE_VERSION, "trees": trees}):
        keep_newest(path.parent, MOST_KEPT)


def _path(root: Path, image_id: str) -> Path:
    return state_folder(root) / FOLDER / f"{image_id.removeprefix('sha256:')[:32]}.json"
