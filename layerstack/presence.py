"""Whether a path is there, also below folders that this user may not enter."""

from pathlib import Path


def is_present(path: Path | str) -> bool | None:
    """Whether this machine has it; None where this user may not look."""
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return None
    return True
