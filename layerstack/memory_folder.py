"""Where an answer may be kept that can hold passwords: in memory, never on a disk, for this user alone."""

import os
from pathlib import Path

from layerstack import private_file
from layerstack.state_folder import project_mark

MOUNTS = Path("/proc/self/mountinfo")
SHARED_MEMORY = Path("/dev/shm")


def memory_folder(root: Path) -> Path | None:
    """A project's folder on a tmpfs, gone with the next boot; None on a machine without one."""
    own = f"layerstack-{os.geteuid()}"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    # /dev/shm where nobody logged in: in a container, under CI.
    for place in (Path(runtime) if runtime.startswith("/") else None, SHARED_MEMORY):
        if place and place.is_dir() and _is_in_memory(place) and not private_file.refusal(place / own):
            return place / own / project_mark(root)
    return None


def _is_in_memory(place: Path) -> bool:
    """Whether a folder lies on a tmpfs: the specification of XDG_RUNTIME_DIR does not promise it."""
    try:
        device = place.stat().st_dev
        mark = f"{os.major(device)}:{os.minor(device)}"
        mounts = [line.split() for line in MOUNTS.read_text(errors="replace").splitlines()]
    except OSError:
        return False
    return any(fields[2] == mark and fields[fields.index("-") + 1] == "tmpfs" for fields in mounts if "-" in fields)
