"""Files of a container, running or not, read from the archive in which the engine sends them."""

import io
import math
import os
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from layerstack.engine.client import EngineClient
from layerstack.errors import EngineError, NotInEngine, RefusedByEngine

# The engine sends small chunks.
BUFFER_BYTES = 1 << 20


@contextmanager
def opened(client: EngineClient, container_id: str, path: str, deadline: float = math.inf) -> Iterator[tarfile.TarFile]:
    """The archive of a file or folder, a link followed, to be read forwards; the rest of it is never sent.

    `deadline` is a moment of time.monotonic(). Raises NotInEngine, TimeoutError while it is read, EngineError where it
    ends early.
    """
    # The SDK's default chunk size halves the speed.
    chunks, facts = client.api.get_archive(container_id, path, chunk_size=None)
    # The engine sends a link itself, not what it points to.
    while target := facts.get("linkTarget"):
        chunks, facts = client.api.get_archive(container_id, target, chunk_size=None)
    file = io.BufferedReader(_Stream(iter(chunks), deadline), BUFFER_BYTES)
    try:
        with tarfile.open(fileobj=file, mode="r|") as archive:
            yield archive
    except tarfile.TarError as error:
        raise EngineError(f"The engine sent half of {path} only: {error}") from error


def read_file(client: EngineClient, container_id: str, path: str, most_bytes: float = math.inf) -> bytes | None:
    """The content of a file; None where there is none or a larger one.

    Raises RefusedByEngine for a container one of whose bind mounts has no source here, other EngineErrors.
    """
    content = read_head(client, container_id, path, most_bytes + 1)
    return content if content is not None and len(content) <= most_bytes else None


def read_head(client: EngineClient, container_id: str, path: str, most_bytes: float) -> bytes | None:
    """The first bytes of a file; None where there is none. Raises as `read_file` does."""
    with suppress(NotInEngine):
        _require_sources(client, container_id)
        with opened(client, container_id, path) as archive:
            first = archive.next()
            file = archive.extractfile(first) if first and first.isfile() else None
            return file.read(-1 if math.isinf(most_bytes) else int(most_bytes)) if file else None
    return None


def is_there(client: EngineClient, container_id: str, path: str) -> bool | None:
    """Whether a container, running or not, has a file or folder of this name; None when that cannot be known."""
    try:
        _require_sources(client, container_id)
        # The SDK has no call for the metadata alone; the content is not read.
        _, facts = client.api.get_archive(container_id, path)
        # The engine finds a link that leads nowhere, too.
        while target := facts.get("linkTarget"):
            _, facts = client.api.get_archive(container_id, target)
    except NotInEngine:
        return False
    except EngineError:
        return None
    return True


def require_time(deadline: float) -> None:
    """Raises TimeoutError after that moment of time.monotonic()."""
    if time.monotonic() > deadline:
        raise TimeoutError("there are too many files to look at in time")


def _require_sources(client: EngineClient, container_id: str) -> None:
    # To open a container the engine mounts all that it has, and makes a folder where a source is gone: reading would
    # leave an empty folder in the place of somebody's lost file. (Seen with Docker 28.5.)
    mounts = client.api.inspect_container(container_id).get("Mounts") or ()
    for one in mounts:
        if one["Type"] == "bind" and not os.path.exists(one["Source"]):  # noqa: PTH110 - False, too, where nobody may look
            raise RefusedByEngine(f"{one['Source']}, which {one['Destination']} is mounted from, is not here")


class _Stream(io.RawIOBase):
    """The chunks of a response as a file."""

    def __init__(self, chunks: Iterator[bytes], deadline: float) -> None:
        self._chunks = chunks
        self._deadline = deadline
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            require_time(self._deadline)
            try:
                chunk = next(self._chunks, None)
            # The kinds of `requests`: the connection broke.
            except OSError as error:
                raise EngineError(f"The engine stopped sending: {error}") from error
            if chunk is None:
                return 0
            self._rest = chunk
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
