"""Digests of file contents, remembered between runs by size, times and inode."""

import hashlib
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from layerstack.dockerfile.context import Entry
from layerstack.errors import UsageError

HASH_CHUNK_BYTES = 1 << 20
# The coarsest clock of a file system: within it a file can change twice and keep its time.
SETTLED_NS = 2_000_000_000
MOST_KEPT = 200_000


class FileDigests:
    """`known` is what an earlier run kept: path → [mark, identity]. `saved` are files that changed after the walk."""

    def __init__(self, known: Mapping[str, Any] | None = None) -> None:
        self._known = dict(known or {})
        self._used: dict[str, Any] = {}
        self.saved: set[str] = set()

    def of(self, path: Path, entry: Entry) -> str:
        """`dir`, `link TARGET`, `node TYPE NUMBER` of a pipe or a device, or the sha256 of the content.

        Raises UsageError when the file cannot be read."""
        if entry.is_folder:
            return "dir"
        try:
            if entry.is_link:
                return f"link {path.readlink()}"
            if entry.is_socket:
                return hashlib.sha256().hexdigest()  # BuildKit's client sends it as an empty file
            if not entry.is_file:
                return f"node {stat.S_IFMT(entry.mode):o} {entry.device}"
            return self._of_file(str(path), entry)
        except OSError as error:
            raise UsageError(f"A file of the build context cannot be read: {path}: {error.strerror}.") from error

    @property
    def is_changed(self) -> bool:
        return any(self._known.get(path) != value for path, value in self._used.items())

    def kept(self) -> dict[str, Any]:
        """What to remember: everything known, with what was read now on top; forgotten when it grows too large."""
        merged = {**self._known, **self._used}
        return merged if len(merged) <= MOST_KEPT else dict(self._used)

    def _of_file(self, path: str, entry: Entry) -> str:
        # The time of change and the inode show a file that was replaced by one of the same size and time, as with
        # `cp -p` and `mv`.
        mark = [entry.size, entry.mtime_ns, entry.changed_ns, entry.inode]
        known = self._known.get(path)
        if isinstance(known, list) and len(known) == 2 and known[0] == mark:
            self._used[path] = known
            return str(known[1])
        identity = _sha256(path) + _attributes(path)
        # The mark is of the walk through the folder, and in a large one it may be long past.
        if os.stat(path, follow_symlinks=False).st_ctime_ns != entry.changed_ns:  # noqa: PTH116 - as above
            self.saved.add(path)
            return identity
        # A file changed a moment ago may change again without its times moving on: it is read again next time.
        if time.time_ns() - entry.changed_ns > SETTLED_NS:
            self._used[path] = [mark, identity]
        return identity


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - half the time of Path.open on many small files
        while chunk := file.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _attributes(path: str) -> str:
    """Extended attributes, which BuildKit copies and compares too; empty where there are none."""
    # Python has it on Linux only.
    if not hasattr(os, "listxattr"):
        return ""
    names = sorted(os.listxattr(path, follow_symlinks=False))
    return "".join(f" {name}={os.getxattr(path, name, follow_symlinks=False).hex()}" for name in names)
