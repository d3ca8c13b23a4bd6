"""A backup on disk: a ZIP file with one member per service, and a table of contents that is written last.

A file without the table was cut off; its sizes and digests are compared before anything is restored.
"""

import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec

from layerstack.errors import UsageError
from layerstack.owner import is_abandoned, own_mark

CONTENTS = "contents.json"
CHUNK_BYTES = 1 << 20


class Dump(msgspec.Struct, frozen=True, kw_only=True):
    """The dump of one service: its uncompressed size, and its SHA-256 in hex."""

    service: str
    size_bytes: int
    sha256: str


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """`made_at` is seconds since the epoch."""

    project: str
    made_at: float
    dumps: tuple[Dump, ...]
    format: int = 1


@contextmanager
def new_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A file that replaces `path` when the block succeeds; otherwise nothing is left behind.

    Raises UsageError when it cannot be made there.
    """
    _remove_abandoned(path)
    try:
        # In the same folder: a file can be replaced atomically only within one file system. The mark in its name tells
        # the next backup whether this one was killed.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.{own_mark()}-")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as made:
            yield made
        Path(name).replace(path)
    # Also after Ctrl-C.
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def write_dump(archive: zipfile.ZipFile, service: str, fill: Callable[[Callable[[bytes], None]], None]) -> Dump:
    """Add a member with everything that `fill` passes to its argument."""
    digest, size = hashlib.sha256(), 0
    # The size is known only at the end, and a member without ZIP64 ends at 2 GiB.
    with archive.open(service, "w", force_zip64=True) as member:

        def take(data: bytes) -> None:
            nonlocal size
            size += len(data)
            digest.update(data)
            member.write(data)

        fill(take)
    return Dump(service=service, size_bytes=size, sha256=digest.hexdigest())


def write_contents(archive: zipfile.ZipFile, contents: Contents) -> None:
    archive.writestr(CONTENTS, msgspec.json.encode(contents))


@contextmanager
def open_archive(path: Path) -> Iterator[tuple[zipfile.ZipFile, Contents]]:
    """A complete backup. Raises UsageError that says what is missing or damaged."""
    with ExitStack() as opened:
        # Not around the caller's block, whose errors are none of the file.
        try:
            archive = opened.enter_context(zipfile.ZipFile(path))
            contents = _read_contents(archive, path)
            for dump in contents.dumps:
                _require_whole(archive, dump, path)
        except (OSError, zipfile.BadZipFile) as error:
            raise UsageError(f"{path} cannot be read as a backup: {error}.") from error
        yield archive, contents


def chunks(member: IO[bytes]) -> Iterator[bytes]:
    while data := member.read(CHUNK_BYTES):
        yield data


def _read_contents(archive: zipfile.ZipFile, path: Path) -> Contents:
    try:
        return msgspec.json.decode(archive.read(CONTENTS), type=Contents)
    except KeyError:
        raise UsageError(f"{path} is no backup, or was cut off: it has no table of contents.") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, zlib.error) as error:
        raise UsageError(f"{path}: its table of contents cannot be read: {error}.") from error


def _require_whole(archive: zipfile.ZipFile, dump: Dump, path: Path) -> None:
    digest, size = hashlib.sha256(), 0
    try:
        with archive.open(dump.service) as member:
            for data in chunks(member):
                digest.update(data)
                size += len(data)
    except (KeyError, zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise UsageError(f"{path} is damaged: the dump of {dump.service} cannot be read: {error}.") from error
    if (size, digest.hexdigest()) != (dump.size_bytes, dump.sha256):
        raise UsageError(f"{path} is damaged: the dump of {dump.service} does not match its digest.")


def _remove_abandoned(path: Path) -> None:
    # By prefix: a glob pattern would interpret characters of the name.
    prefix = f".{path.name}."
    with suppress(OSError):
        for one in path.parent.iterdir():
            if one.name.startswith(prefix) and is_abandoned(one.name[len(prefix) :]):
                one.unlink(missing_ok=True)
