"""The files of an image, layer by layer, without starting it: of one the engine stores, or of a saved archive."""

import gzip
import json
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from layerstack import command
from layerstack.engine import engine, images
from layerstack.errors import UsageError
from layerstack.temporary_folder import temporary_folder

GZIP_MAGIC = b"\x1f\x8b"
# As the OCI image specification marks deletions: `.wh.NAME` hides NAME of lower layers, the other a whole folder.
WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"


@dataclass(frozen=True)
class StoredFile:
    """A file or link in one layer; `path` has no leading slash, `target` is where a link points, "" for a file."""

    path: str
    layer: int
    size_bytes: int
    target: str
    open: Callable[[], IO[bytes]]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class LayerFacts:
    """What made a layer, and the sum of its files."""

    created_by: str
    size_bytes: int


@dataclass(frozen=True)
class ImageFiles:
    """`files` is what a container sees by path; `buried` lies in lower layers, replaced or deleted later.

    `architecture` is Docker's word for the processor (`amd64`), "" when the image does not tell.
    """

    name: str
    config: Mapping[str, Any]
    layers: tuple[LayerFacts, ...]
    files: Mapping[str, StoredFile]
    buried: tuple[StoredFile, ...]
    architecture: str = ""

    def read(self, path: str) -> bytes | None:
        """The content of a regular file, None when it is not there."""
        file = self.files.get(path)
        if file is None or file.target:
            return None
        with file.open() as stream:
            return stream.read()


# One layer: its files, and the paths it deletes (a path that ends in "/" empties a folder of lower layers).
Layer = tuple[list[StoredFile], set[str]]


@contextmanager
def open_image(reference: str) -> Iterator[ImageFiles]:
    """An image by name, or a file that `docker save` wrote. Raises UsageError when it is neither, CommandFailed."""
    with ExitStack() as resources:
        path = Path(reference)
        if path.is_file():
            yield _from_archive(reference, path, resources)
            return
        facts = images.inspect(engine.client(), reference)
        if facts is None:
            msg = f"There is no image `{reference}` here, and no file of that name."
            raise UsageError(msg, "`invoke images` names this project's.")
        # Read in place, which needs root, an image of 5.4 GB takes 2.2 s, and nothing is copied.
        if folders := _readable_folders(facts):
            layers = [_read_folder(number, folder) for number, folder in enumerate(folders)]
            history = _history(_stored_config(folders[-1], facts["Id"]))
            found = _assemble(reference, facts.get("Config") or {}, history, layers)
            yield replace(found, architecture=str(facts.get("Architecture") or ""))
            return
        folder = resources.enter_context(temporary_folder("audit"))
        archive = folder / "image.tar"
        command.run(("docker", "image", "save", "--output", str(archive), reference)).require()
        yield _from_archive(reference, archive, resources)


def _stored_config(upper: Path, image_id: str) -> dict[str, Any]:
    # Beside the layers: `docker image history` does not tell which instructions made one.
    content = upper.parents[2] / "image" / "overlay2" / "imagedb" / "content" / image_id.replace(":", "/")
    try:
        document: dict[str, Any] = json.loads(content.read_bytes())
    except (OSError, ValueError):
        return {}
    return document


def _history(config: Mapping[str, Any]) -> list[str]:
    """One text a layer, the lowest first."""
    return [one.get("created_by", "") for one in config.get("history") or () if not one.get("empty_layer")]


def _readable_folders(facts: Mapping[str, Any]) -> list[Path]:
    """The layers' folders, lowest first, where this process may read them: root on the engine's own machine."""
    # Engines with containerd's image store name no such folders: their images are read through `docker save`.
    driver = facts.get("GraphDriver") or {}
    data = driver.get("Data") or {}
    if driver.get("Name") != "overlay2" or not data.get("UpperDir"):
        return []
    lower = [part for part in str(data.get("LowerDir") or "").split(":") if part]
    folders = [Path(part) for part in (*reversed(lower), data["UpperDir"])]
    return folders if all(os.access(folder, os.R_OK | os.X_OK) for folder in folders) else []


def _read_folder(number: int, root: Path) -> Layer:
    files: list[StoredFile] = []
    deleted: set[str] = set()
    inodes: set[int] = set()
    for folder, names, entries in os.walk(root):
        inside = os.path.relpath(folder, root)
        prefix = "" if inside == "." else f"{inside}/"
        if prefix and _is_opaque(folder):
            deleted.add(prefix)
        for name in (*entries, *(name for name in names if Path(folder, name).is_symlink())):
            full = Path(folder, name)
            facts = full.lstat()
            # The form of a deletion in overlayfs.
            if stat.S_ISCHR(facts.st_mode) and facts.st_rdev == 0:
                deleted.add(f"{prefix}{name}")
            elif stat.S_ISREG(facts.st_mode) or stat.S_ISLNK(facts.st_mode):
                # Further hard links have no size, as in an archive.
                size = 0 if facts.st_ino in inodes else facts.st_size
                inodes.add(facts.st_ino)
                files.append(_in_folder(number, full, f"{prefix}{name}", size))
    return files, deleted


def _in_folder(number: int, full: Path, path: str, size: int) -> StoredFile:
    if full.is_symlink():
        return StoredFile(path, number, 0, str(full.readlink()), lambda: full.open("rb"))
    return StoredFile(path, number, size, "", lambda: full.open("rb"))


def _is_opaque(folder: str) -> bool:
    try:
        # The kernel shows `trusted` attributes to root only, but nobody else gets this far: Docker closes its folders.
        return os.getxattr(folder, "trusted.overlay.opaque") == b"y"
    except OSError:
        return False


def _from_archive(name: str, path: Path, resources: ExitStack) -> ImageFiles:
    try:
        outer = resources.enter_context(tarfile.open(path))  # noqa: SIM115 - closed by `resources`
        config, blobs = _manifest(outer)
        layers = [_read_tar(number, _layer_stream(outer, blob, resources)) for number, blob in enumerate(blobs)]
    except (tarfile.TarError, KeyError, ValueError, OSError) as error:
        raise UsageError(
            f"{path} is not an image that `docker save` wrote: {error}", "`docker save --output FILE IMAGE` makes one."
        ) from error
    found = _assemble(name, config.get("config") or {}, _history(config), layers)
    return replace(found, architecture=str(config.get("architecture") or ""))


def _manifest(outer: tarfile.TarFile) -> tuple[dict[str, Any], list[str]]:
    """The image's configuration and the names of its layers in the archive, lowest first."""
    # Docker's own table of contents; archives of other tools may have the index of OCI only.
    if "manifest.json" in outer.getnames():
        first = _load(outer, "manifest.json")[0]
        return _load(outer, first["Config"]), list(first["Layers"])
    index = _load(outer, "index.json")
    while "manifests" in index:
        index = _load(outer, _blob(index["manifests"][0]["digest"]))
    return _load(outer, _blob(index["config"]["digest"])), [_blob(layer["digest"]) for layer in index["layers"]]


def _load(outer: tarfile.TarFile, name: str) -> Any:
    stream = outer.extractfile(name)
    if stream is None:
        raise ValueError(f"{name} is not a file in it")
    return json.loads(stream.read())


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _layer_stream(outer: tarfile.TarFile, name: str, resources: ExitStack) -> IO[bytes]:
    stream = outer.extractfile(name)
    if stream is None:
        raise ValueError(f"{name} is not a file in it")
    is_packed = stream.read(2) == GZIP_MAGIC
    stream.seek(0)
    if not is_packed:
        return stream
    # Files are read at random places, and gzip can only go forward.
    unpacked = resources.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed by `resources`
    with gzip.open(stream) as packed:
        shutil.copyfileobj(packed, unpacked, 1 << 20)
    unpacked.seek(0)
    return unpacked


def _read_tar(number: int, stream: IO[bytes]) -> Layer:
    inner = tarfile.open(fileobj=stream)  # noqa: SIM115 - its files are read later; `stream` is what gets closed
    files: list[StoredFile] = []
    deleted: set[str] = set()
    for member in inner:
        # Some tools write `./etc/passwd` or `/etc/passwd`.
        path = os.path.normpath(member.name).lstrip("/")
        folder, _, name = path.rpartition("/")
        if name == OPAQUE:
            deleted.add(f"{folder}/")
        elif name.startswith(WHITEOUT):
            deleted.add(f"{folder}/{name[len(WHITEOUT) :]}".lstrip("/"))
        elif member.issym():
            files.append(StoredFile(path, number, 0, member.linkname, _opener(inner, member)))
        elif member.isreg() or member.islnk():
            files.append(StoredFile(path, number, member.size, "", _opener(inner, member)))
    return files, deleted


def _opener(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    def open_it() -> IO[bytes]:
        stream = archive.extractfile(member)
        if stream is None:
            raise FileNotFoundError(member.name)
        return stream

    return open_it


def _assemble(name: str, config: Mapping[str, Any], history: Sequence[str], layers: Sequence[Layer]) -> ImageFiles:
    seen: dict[str, StoredFile] = {}
    buried: list[StoredFile] = []
    for files, deleted in layers:
        # Before the layer's own files: deletions concern lower layers only.
        for path in _lost(seen, deleted):
            buried.append(seen.pop(path))
        for file in files:
            # What is replaced stays in the image, where everybody who pulls it can read it.
            if old := seen.get(file.path):
                buried.append(old)
            seen[file.path] = file
    # Without a text for each layer it is unknown which text belongs to which.
    texts = history if len(history) == len(layers) else [""] * len(layers)
    facts = tuple(
        LayerFacts(text, sum(file.size_bytes for file in files)) for text, (files, _) in zip(texts, layers, strict=True)
    )
    return ImageFiles(name, config, facts, seen, tuple(buried))


def _lost(seen: Mapping[str, StoredFile], deleted: set[str]) -> list[str]:
    if not deleted:
        return []
    # A deleted path may be a folder, and then everything in it is gone.
    folders = tuple(f"{path.rstrip('/')}/" for path in deleted)
    return [path for path in seen if path in deleted or path.startswith(folders)]
