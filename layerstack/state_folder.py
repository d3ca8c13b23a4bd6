"""The records of a project, kept outside its tree so that no build context contains them.

`$XDG_STATE_HOME/layerstack/NAME-DIGEST/`, readable by the user only. Links are not followed. A failure to read or write
costs the record and one warning, never the task.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from layerstack import old_state, private_file
from layerstack.report import say

# Used without a usable folder: nothing exists or can be written below it.
NOWHERE = Path(os.devnull, "layerstack")
_warned: list[str] = []


def state_folder(root: Path) -> Path:
    """The folder of one project, created by the first write; an old `.layerstack` in the tree is moved there."""
    folder = shared_folder() / project_mark(root)
    if refused := private_file.refusal(folder) if NOWHERE not in folder.parents else "":
        _warn(folder, refused)
        return NOWHERE
    with suppress(OSError):
        if moved := old_state.move(root, folder):
            say(f"Moved {moved} records from {root / old_state.OLD_FOLDER} to {folder}")
    return folder


def shared_folder() -> Path:
    """The folder for records that belong to no single project."""
    base = _state_home()
    if base is None:
        _warn(Path("~/.local/state"), "this user has no home folder")
        return NOWHERE
    folder = base / "layerstack"
    if refused := private_file.refusal(folder) or _foreign_home(base):
        _warn(folder, refused)
        return NOWHERE
    return folder


def project_mark(root: Path) -> str:
    """NAME-DIGEST of a project's real path: readable, and unique for each checkout."""
    # A link to a checkout leads to the records of the checkout.
    real = os.path.realpath(root)
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", os.path.basename(real))[:40]  # noqa: PTH119 - realpath gives a str
    return f"{name}-{sha256(os.fsencode(real)).hexdigest()[:12]}"


def read_text(path: Path) -> str | None:
    """The content of a record; None when there is none or it cannot be read."""
    try:
        return private_file.read(path).decode("utf-8", errors="replace")
    # Below NOWHERE nothing is a folder: a warning was printed where that was chosen.
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        _warn(path, error.strerror or str(error))
        return None


def write_atomically(path: Path, text: str) -> bool:
    """Replace a record atomically. False when it cannot be written."""
    try:
        private_file.replace(path, text.encode("utf-8", errors="replace"))
    except OSError as error:
        _warn(path, error.strerror or str(error))
        return False
    return True


def append_line(path: Path, line: str, most_bytes: int) -> None:
    """Append a line to a record; one that grows beyond `most_bytes` loses its older half."""
    try:
        private_file.append(path, line.encode("utf-8", errors="replace"), most_bytes)
    except OSError as error:
        _warn(path, error.strerror or str(error))


def read_json(path: Path) -> dict[str, Any]:
    """A small JSON object; {} without one. Anything else is set aside with a warning."""
    text = read_text(path)
    if text is None:
        return {}
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        set_aside(path, str(error))
        return {}
    if not isinstance(document, dict):
        set_aside(path, "it is not a JSON object")
        return {}
    return document


def write_json(path: Path, document: Mapping[str, Any], most_kept: int | None = None) -> bool:
    """Write a small JSON object; only the last `most_kept` entries are kept."""
    entries = list(document.items())
    return write_atomically(path, json.dumps(dict(entries[-most_kept:] if most_kept else entries)))


def update_json(
    path: Path, change: Callable[[dict[str, Any]], Mapping[str, Any]], most_kept: int | None = None
) -> None:
    """Replace a small JSON object by what `change` makes of it; threads and processes take turns.

    Without turns, of two that read at once the second would undo the change of the first.
    """
    try:
        with private_file.turn(path):
            write_json(path, change(read_json(path)), most_kept)
    except OSError as error:
        _warn(path, error.strerror or str(error))


def set_aside(path: Path, reason: str) -> None:
    """Rename an unreadable record to NAME.damaged, replacing an earlier one."""
    kept = path.with_name(f"{path.name}.damaged")
    with suppress(OSError):
        # Kept, as something in it may still be needed; the next write begins a new file.
        path.replace(kept)
        _warn(path, f"{reason}; it is kept as {kept.name}")


def keep_newest(folder: Path, most_kept: int) -> None:
    """Remove all but the newest records of a folder."""
    with suppress(OSError):
        files = sorted(folder.iterdir(), key=lambda file: file.lstat().st_mtime)
        for file in files[:-most_kept]:
            file.unlink(missing_ok=True)


def _state_home() -> Path | None:
    """As the XDG specification defines it; None for a user without a home folder."""
    from platformdirs import user_state_path

    # A user without HOME and without an entry in the password file: it raises, or leaves the "~" as it is.
    try:
        base = Path(user_state_path())
    except RuntimeError:
        return None
    return base if base.is_absolute() and os.environ.get("HOME") != "" else None


def _foreign_home(base: Path) -> str:
    # Under sudo with the user's HOME, root's files would lock the user out of their own records.
    if os.geteuid() != 0:
        return ""
    nearest = next((folder for folder in (base, *base.parents) if folder.exists()), base)
    return "its home belongs to another user" if nearest.exists() and nearest.stat().st_uid != 0 else ""


def _warn(path: Path, reason: str) -> None:
    # One line per process: a place that fails once fails for every record.
    if not _warned:
        _warned.append(reason)
        say(f"warning: no record is kept in {path}: {reason}; the task continues without it")
