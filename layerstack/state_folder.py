"""Where a project's records are kept, and how a file there is replaced."""

import os
import threading
from pathlib import Path

STATE_FOLDER = ".layerstack"


def state_folder(root: Path) -> Path:
    """The project's git-ignored state folder, made when needed."""
    folder = root / STATE_FOLDER
    # What bake and Compose said is kept there too, with the passwords of the environment in it.
    folder.mkdir(mode=0o700, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    return folder


def write_atomically(path: Path, text: str) -> None:
    """Replace a file so that a reader sees the old or the new text, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    temporary.write_text(text)
    temporary.replace(path)
