"""One file in a container, running or not."""

import io
import os
import tarfile
from contextlib import suppress
from typing import TYPE_CHECKING

from layerstack.errors import EngineError, NotInEngine, RefusedByEngine

if TYPE_CHECKING:
    from layerstack.engine.api import EngineClient


def read_file(client: "EngineClient", container_id: str, path: str, most_bytes: int) -> bytes | None:
    """The content of a file; None where there is none or a larger one.

    Raises RefusedByEngine for a container one of whose bind mounts has no source here, other EngineErrors.
    """
    with suppress(NotInEngine):
        _require_sources(client, container_id)
        chunks, about = client.api.get_archive(container_id, path)
        if about.get("size", 0) > most_bytes:
            return None
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            file = archive.extractfile(archive.getmembers()[0])
            return file.read() if file else None
    return None


def read_head(client: "EngineClient", container_id: str, path: str, most_bytes: int) -> bytes:
    """The first bytes of a file, a link followed; empty where there is none. Raises as `read_file` does."""
    with suppress(NotInEngine):
        _require_sources(client, container_id)
        chunks, about = client.api.get_archive(container_id, path)
        if target := about.get("linkTarget"):
            chunks, _ = client.api.get_archive(container_id, target)
        # The archive has a header of its own first; what follows is not wanted.
        data = b""
        for chunk in chunks:
            data += chunk
            if len(data) >= 4 * tarfile.BLOCKSIZE + most_bytes:
                break
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            first = archive.next()
            most = min(most_bytes, first.size) if first and first.isfile() else 0
            return data[first.offset_data : first.offset_data + most] if first else b""
    return b""


def is_there(client: "EngineClient", container_id: str, path: str) -> bool | None:
    """Is there a file or a folder of this name in a container, running or not? None when it cannot be told."""
    try:
        _require_sources(client, container_id)
        client.api.get_archive(container_id, path)
    except NotInEngine:
        return False
    except EngineError:
        return None
    return True


def _require_sources(client: "EngineClient", container_id: str) -> None:
    # To open a container the engine mounts all that it has, and makes a folder where a source is gone: reading would
    # leave an empty folder in the place of somebody's lost file. (Seen with Docker 28.5.)
    mounts = client.api.inspect_container(container_id).get("Mounts") or ()
    for one in mounts:
        if one["Type"] == "bind" and not os.path.exists(one["Source"]):  # noqa: PTH110 - False, too, where nobody may look
            raise RefusedByEngine(f"{one['Source']}, which {one['Destination']} is mounted from, is not here")
