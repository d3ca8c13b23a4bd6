"""One file in a container, running or not."""

import io
import tarfile
from contextlib import suppress
from typing import Any


def read_file(client: Any, container_id: str, path: str, most_bytes: int) -> bytes | None:
    """The content of a file; None where there is none or a larger one. Raises DockerException."""
    from docker.errors import NotFound

    with suppress(NotFound):
        chunks, about = client.api.get_archive(container_id, path)
        if about.get("size", 0) > most_bytes:
            return None
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            file = archive.extractfile(archive.getmembers()[0])
            return file.read() if file else None
    return None
