"""One file in a container, running or not."""

import io
import tarfile
from contextlib import suppress
from typing import TYPE_CHECKING

from layerstack.errors import NotInEngine

if TYPE_CHECKING:
    from docker import DockerClient


def read_file(client: "DockerClient", container_id: str, path: str, most_bytes: int) -> bytes | None:
    """The content of a file; None where there is none or a larger one. Raises EngineError."""
    with suppress(NotInEngine):
        chunks, about = client.api.get_archive(container_id, path)
        if about.get("size", 0) > most_bytes:
            return None
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            file = archive.extractfile(archive.getmembers()[0])
            return file.read() if file else None
    return None
