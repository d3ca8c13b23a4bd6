"""Temporary folders of a task, removed later even when the task is killed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layerstack.owner import is_abandoned, own_mark

PREFIX = "layerstack-"


@contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """A folder of this process, removed at the end. Leftovers of killed processes are removed first."""
    remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}-{own_mark()}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def abandoned_folders() -> list[Path]:
    """Folders whose owner was killed before it could remove them."""
    found = Path(tempfile.gettempdir()).glob(f"{PREFIX}*")
    # Anybody can create names in the common temporary folder: no link is followed.
    return sorted(one for one in found if is_abandoned(one.name) and one.is_dir() and not one.is_symlink())


def remove_abandoned() -> None:
    """Remove those folders, except those of other users."""
    for folder in abandoned_folders():
        shutil.rmtree(folder, ignore_errors=True)
