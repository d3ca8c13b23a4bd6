"""Hashes of files that were looked at once, so that gigabytes are not read again at every start."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Optional

NAME = ".weights.json"
BLOCK_BYTES = 1 << 20


class Ledger:
    """Kept in the model folder. A file counts as the same while its size, its time and its inode are.

    `accepted` is what a file was when it was fetched or installed: where nobody published a hash, it must stay that.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._folder = folder
        self._entries = _read(self._path)

    def sha256(self, path: Path) -> str:
        """The hash of a file below the folder, read only when it is another file than the last time."""
        entry = self._entries.get(self._key(path), {})
        if entry.get("file") == _identity(path):
            return str(entry["sha256"])
        found = hash_file(path)
        self._store(path, {**entry, "file": _identity(path), "sha256": found})
        return found

    def accepted(self, path: Path) -> Optional[str]:
        """The hash that this file had when it was installed, None for one that nobody installed."""
        return self._entries.get(self._key(path), {}).get("accepted")

    def accept(self, path: Path) -> None:
        """From now on this is what the file must be."""
        found = self.sha256(path)
        self._store(path, {**self._entries[self._key(path)], "accepted": found})

    def _key(self, path: Path) -> str:
        return str(path.relative_to(self._folder))

    def _store(self, path: Path, entry: dict[str, Any]) -> None:
        self._entries[self._key(path)] = entry
        # The folder may be mounted read-only: then every start reads the files anew.
        with contextlib.suppress(OSError):
            write_atomically(self._path, json.dumps(self._entries, indent=1).encode())


def hash_file(path: Path) -> str:
    """SHA-256, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """The whole file or none of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


def _identity(path: Path) -> list[int]:
    state = path.stat()
    return [state.st_size, state.st_mtime_ns, state.st_ino]


def _read(path: Path) -> dict[str, dict[str, Any]]:
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(path.read_text())
        if isinstance(found, dict):
            return {key: value for key, value in found.items() if isinstance(value, dict)}
    return {}
