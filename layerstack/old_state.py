"""Moves the records that earlier versions kept in `.layerstack`, inside the project's tree.

The folder may have come with a clone: only plain files with layerstack's own names are taken, and no link is followed.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

from layerstack import private_file

OLD_FOLDER = ".layerstack"
# Moved as they are. The others are removed: they can be derived again, or hold passwords (answers.json).
_RECORDS = ("history.jsonl", "image-sizes.json", "images/*.json", "audit/*.json")
_DERIVED = (
    "answers.json",
    "files.json",
    "certificates.json",
    "history.lock",
    "found-images-*.json",
    "image-trees/*.json",
    "images/*.damaged-*",
    ".gitignore",
)
_MARK = b"*\n"


def move(root: Path, folder: Path) -> int:
    """Move the records of an old folder to `folder`; returns how many. Raises OSError."""
    old = root / OLD_FOLDER
    if not _is_ours(old):
        return 0
    moved = sum(_take(path, folder / path.relative_to(old)) for pattern in _RECORDS for path in old.glob(pattern))
    for pattern in _DERIVED:
        for path in old.glob(pattern):
            if _is_plain(path):
                path.unlink(missing_ok=True)
    for name in ("images", "audit", "image-trees", "."):
        with suppress(OSError):  # it contains other files
            (old / name).rmdir()
    return moved


def _is_ours(old: Path) -> bool:
    """Whether an earlier version created it: a real folder of this user with the ignore file that it wrote."""
    try:
        status, ignore = old.lstat(), old / ".gitignore"
        return (
            stat.S_ISDIR(status.st_mode)
            and status.st_uid == os.geteuid()
            and _is_plain(ignore)
            and ignore.read_bytes() == _MARK
        )
    except OSError:
        return False


def _is_plain(path: Path) -> bool:
    """Whether it is a regular file of this user without further hard links, in a folder that is not a link."""
    try:
        status = path.lstat()
    except OSError:
        return False
    is_own = status.st_uid == os.geteuid() and status.st_nlink == 1
    return is_own and stat.S_ISREG(status.st_mode) and not path.parent.is_symlink()


def _take(path: Path, target: Path) -> bool:
    if not _is_plain(path):
        return False
    # A record that was written since then is newer than the old one.
    is_new = not os.path.lexists(target)
    if is_new:
        private_file.replace(target, path.read_bytes())
    path.unlink(missing_ok=True)
    return is_new
