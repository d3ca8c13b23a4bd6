"""Processes of this machine: which of them run, since when, whose children they are, and in which container."""

import getpass
import os
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def is_running(process_id: int | str) -> bool:
    """Whether a process with this number runs; one that ended and was not collected yet does not."""
    import psutil

    try:
        return psutil.Process(int(process_id)).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.AccessDenied:
        return True
    except (psutil.NoSuchProcess, ValueError, OverflowError):
        return False


def start_time(pid: int) -> float:
    """When it started, in seconds since 1970: a later process with the same number is another one. 0 without one."""
    import psutil

    try:
        return psutil.Process(pid).create_time()
    except (psutil.Error, ValueError, OverflowError):
        return 0.0


def ancestors(pid: int) -> Iterator[int]:
    """The process itself, its parent, and so on; nothing for one that is gone."""
    import psutil

    try:
        process = psutil.Process(pid)
        yield from (pid, *(parent.pid for parent in process.parents()))
    except (psutil.Error, ValueError, OverflowError):
        return


def is_in_container(pid: int, container_id: str) -> bool:
    """Whether a process of this machine runs in that container."""
    try:
        return bool(container_id) and container_id in (PROC / str(pid) / "cgroup").read_text(encoding="utf-8")
    except OSError:
        return False


def user_name() -> str:
    """Who runs this; the number where the user has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
