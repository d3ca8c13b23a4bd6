"""The content of a stored image's layers, file by file, for comparisons: digests of layers also cover times."""

import hashlib
import json
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from layerstack import command
from layerstack.temporary_folder import temporary_folder

MOST_CONFIG_BYTES = 1 << 20
CHUNK_BYTES = 1 << 20


@dataclass
class ImageContent:
    """`layers` maps a layer's id to path → what stands there; `history` has one created-by text a layer, in order."""

    layers: dict[str, dict[str, str]] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)


def read_content(reference: str, layers: Iterable[str]) -> ImageContent:
    """Read the wanted layers (`sha256:…`) of an image, through a temporary archive of all of it.

    Raises CommandFailed when the engine does not give the image out.
    """
    wanted = {layer.partition(":")[2]: layer for layer in layers}
    found = ImageContent()
    with temporary_folder("audit") as folder:
        path = folder / "image.tar"
        command.run(("docker", "image", "save", "--output", str(path), reference)).require()
        with tarfile.open(path) as archive:
            for member in archive:
                # Every blob is named by its digest; the configuration, which has the history, is a small one.
                name = member.name.rpartition("/")[2]
                file = archive.extractfile(member) if member.isfile() else None
                if file and name in wanted:
                    found.layers[wanted[name]] = dict(_entries(file))
                elif file and member.size < MOST_CONFIG_BYTES:
                    found.history = found.history or _history(file.read())
    return found


def _entries(stream: IO[bytes]) -> Iterator[tuple[str, str]]:
    """(path, kind, mode, owner and content) of every entry of a layer, without times."""
    # The layer is read inside the archive: extracting it would write it to the disk once more.
    with tarfile.open(fileobj=stream) as layer:
        for member in layer:
            file = layer.extractfile(member) if member.isfile() else None
            content = _sha256(file) if file else member.linkname
            yield member.name, f"{member.type.decode()} {member.mode:04o} {member.uid}:{member.gid} {content}"


def _sha256(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _history(text: bytes) -> list[str]:
    """The instruction of each layer, when this is the image's configuration."""
    try:
        document: Any = json.loads(text)
    except ValueError:
        return []
    entries = document.get("history") if isinstance(document, dict) else None
    return [one.get("created_by", "") for one in entries or () if not one.get("empty_layer")]
