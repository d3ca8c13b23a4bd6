"""Files that only their owner can read: opened without following a link, replaced in one step.

Every function raises OSError where a folder or file is a link, belongs to another user or is no plain file.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from layerstack.wait import wait_until

FOLDER_MODE, FILE_MODE = 0o700, 0o600
# Writers hold the lock for milliseconds; one that is stopped must not stop all others.
LOCK_SECONDS = 5.0


def read(path: Path) -> bytes:
    """The whole content. Raises FileNotFoundError when there is none."""
    with _folder(path.parent) as folder, _file(folder, path.name, os.O_RDONLY) as file:
        return file.read()


def replace(path: Path, content: bytes) -> None:
    """Replace a file atomically; missing folders are created."""
    make_folder(path.parent)
    with _folder(path.parent) as folder:
        _replace(folder, path.name, content)


def append(path: Path, line: bytes, most_bytes: int) -> None:
    """Append a line; a file that grows beyond `most_bytes` loses its older half. Writers take turns."""
    make_folder(path.parent)
    # The lock is a file of its own: the record is replaced when it is shortened, and a lock on the old one would mean
    # nothing.
    with _folder(path.parent) as folder, _lock(folder, f"{path.stem}.lock"):
        with _file(folder, path.name, os.O_RDWR | os.O_CREAT | os.O_APPEND) as file:
            # After a write that was cut off, the new line must not become part of the old one.
            file.write((line if _ends_a_line(file) else b"\n" + line) + b"\n")
            file.flush()
            if file.tell() <= most_bytes:
                return
            file.seek(-most_bytes // 2, os.SEEK_END)
            newer = file.read().partition(b"\n")[2]
        _replace(folder, path.name, newer)


@contextmanager
def turn(path: Path) -> Iterator[None]:
    """The turn to read a file and replace it by what follows from it. Raises TimeoutError after LOCK_SECONDS."""
    make_folder(path.parent)
    with _folder(path.parent) as folder, _lock(folder, f"{path.stem}.lock"):
        yield


def take_lock(path: Path, text: bytes) -> IO[bytes] | None:
    """A lock with a text about its owner, held until the file is closed or this process ends.

    None while another process holds it.
    """
    make_folder(path.parent)
    with _folder(path.parent) as folder:
        file = _open(folder, path.name, os.O_WRONLY | os.O_CREAT)
    if not _try_flock(file):
        file.close()
        return None
    # Only with the lock: until then the text is that of its holder.
    os.ftruncate(file.fileno(), 0)
    os.write(file.fileno(), text)
    return file


def read_lock(path: Path) -> bytes:
    """The text of the process that holds a lock; empty when it is free."""
    try:
        with _folder(path.parent) as folder, _file(folder, path.name, os.O_RDONLY) as file:
            # Shared, so that two readers do not take each other for the holder.
            return b"" if _try_flock(file, fcntl.LOCK_SH) else file.read()
    except FileNotFoundError:
        return b""


def make_folder(path: Path) -> None:
    """Create a folder and its missing parents, accessible only to the owner from the start."""
    if path.is_dir():
        return
    make_folder(path.parent)
    # One by one, as `mkdir(parents=True)` gives parents the usual mode. Another process may create the folder
    # meanwhile.
    with suppress(FileExistsError):
        path.mkdir(mode=FOLDER_MODE)


def refusal(path: Path) -> str:
    """Why a folder must not hold records; "" for one that may, or that does not exist yet."""
    try:
        status = path.lstat()
    except OSError as error:
        return "" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
    if stat.S_ISLNK(status.st_mode):
        return "it is a link"
    if not stat.S_ISDIR(status.st_mode):
        return "it is not a folder"
    return "" if status.st_uid == os.geteuid() else "it belongs to another user"


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    # Files are opened relative to this descriptor: the folder cannot be exchanged for a link in between.
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = _require_own(descriptor, path.name)
        # The folder may be older than the rule, or restored with other rights.
        if status.st_mode & 0o077:
            os.fchmod(descriptor, FOLDER_MODE)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _file(folder: int, name: str, flags: int) -> Iterator[IO[bytes]]:
    with _open(folder, name, flags) as file:
        yield file


def _open(folder: int, name: str, flags: int) -> IO[bytes]:
    # O_NONBLOCK: opening a FIFO would wait for its other end.
    safe = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(name, flags | safe, FILE_MODE, dir_fd=folder)
    # `wb` truncates nothing here: the flags of os.open decide that.
    file = os.fdopen(descriptor, "rb" if flags == os.O_RDONLY else "a+b" if flags & os.O_APPEND else "wb")
    try:
        if not stat.S_ISREG(_require_own(descriptor, name).st_mode):
            raise OSError(errno.EINVAL, "it is not a plain file", name)
    except OSError:
        file.close()
        raise
    return file


def _require_own(descriptor: int, name: str) -> os.stat_result:
    status = os.fstat(descriptor)
    if status.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "it belongs to another user", name)
    return status


def _replace(folder: int, name: str, content: bytes) -> None:
    temporary = f".{name}.{os.urandom(6).hex()}"
    try:
        with _file(folder, temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as file:
            file.write(content)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


@contextmanager
def _lock(folder: int, name: str) -> Iterator[None]:
    """An exclusive lock, released with the file. Raises TimeoutError (an OSError) after LOCK_SECONDS."""
    with _file(folder, name, os.O_WRONLY | os.O_CREAT) as file:
        if not wait_until(lambda: _try_flock(file), LOCK_SECONDS, interval_seconds=0.01):
            raise TimeoutError(errno.ETIMEDOUT, "another process holds its lock", name)
        yield


def _try_flock(file: IO[bytes], kind: int = fcntl.LOCK_EX) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, kind | fcntl.LOCK_NB)
        return True
    return False


def _ends_a_line(file: IO[bytes]) -> bool:
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
