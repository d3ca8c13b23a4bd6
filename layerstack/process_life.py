"""Processes of this machine: alive or not, ancestors, container."""

import getpass
import os
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def is_running(process_id: int | str) -> bool:
    """Whether the process runs; a zombie does not."""
    import psutil

    try:
        return psutil.Process(int(process_id)).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    # It exists, but belongs to another user.
    except psutil.AccessDenied:
        return True
    except (psutil.NoSuchProcess, ValueError, OverflowError):
        return False


def read_pid(file: Path) -> int | None:
    """The number in a pid file; None without a readable one."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def ancestors(pid: int) -> Iterator[int]:
    """The process itself, its parent, and so on; nothing when it has ended."""
    import psutil

    try:
        process = psutil.Process(pid)
        yield from (pid, *(parent.pid for parent in process.parents()))
    except (psutil.Error, ValueError, OverflowError):
        return


def is_in_container(pid: int, container_id: str) -> bool:
    """Whether the process runs in that container."""
    try:
        # The path of a container's control group contains its id.
        return bool(container_id) and container_id in (PROC / str(pid) / "cgroup").read_text(encoding="utf-8")
    except OSError:
        return False


def user_name() -> str:
    """The name of the current user, or the uid without one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
