"""Files of a container, running or not, as the engine copies them out."""

import os
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from typing import Any

from layerstack.engine.client import EngineClient
from layerstack.errors import NotInEngine, RefusedByEngine


def read_file(client: EngineClient, container_id: str, path: str, most_bytes: int | None = None) -> bytes | None:
    """The content of a file, behind a link too; None where there is none or a larger one.

    Raises RefusedByEngine for a container one of whose bind mounts has no source here, other EngineErrors.
    """
    with suppress(NotInEngine):
        _require_sources(client, container_id)
        chunks, facts = copied_out(client, container_id, path)
        if most_bytes is not None and facts.get("size", 0) > most_bytes:
            return None
        with tarfile.open(fileobj=BytesIO(b"".join(chunks))) as archive:
            file = archive.extractfile(archive.getmembers()[0])
            return file.read() if file else None
    return None


def copied_out(client: EngineClient, container_id: str, path: str) -> tuple[Iterator[bytes], dict[str, Any]]:
    """The chunks of a tar archive of a path, behind a link too, and the engine's facts about it. Raises NotInEngine."""
    # The SDK's default chunk size halves the speed.
    chunks, facts = client.api.get_archive(container_id, path, chunk_size=None)
    if not facts.get("linkTarget"):
        return chunks, facts
    chunks.close()
    return copied_out(client, container_id, facts["linkTarget"])


def _require_sources(client: EngineClient, container_id: str) -> None:
    # To open a container the engine mounts everything it has, and creates a folder where a source is gone: reading
    # would leave an empty folder in place of the user's lost file. (Seen with Docker 28.5.)
    mounts = client.api.inspect_container(container_id).get("Mounts") or ()
    for one in mounts:
        if one["Type"] == "bind" and not os.path.exists(one["Source"]):  # noqa: PTH110 - False, too, where nobody may look
            raise RefusedByEngine(f"{one['Source']}, which {one['Destination']} is mounted from, is not here")
