"""Is a process still the one it was, and whose is it: pid and start time, ancestors, container."""

import getpass
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
STATE_FIELD, PARENT_FIELD, START_FIELD = 0, 1, 19


@dataclass(frozen=True)
class ProcessLife:
    """One life of a process on this machine: a later process with the same number is another one."""

    pid: int
    start_ticks: int
    boot: str

    @property
    def is_over(self) -> bool:
        """Ended, also when nobody has collected it yet. A process that may not be looked at counts as alive."""
        if self.boot != boot_id():
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        fields = _stat(self.pid)
        return bool(fields) and (fields[STATE_FIELD] in "ZX" or int(fields[START_FIELD]) != self.start_ticks)


def life_of(pid: int) -> ProcessLife:
    """The present life of a process; `start_ticks` is 0 when there is none."""
    return ProcessLife(pid, start_ticks(pid), boot_id())


def start_ticks(pid: int) -> int:
    """When it started, in clock ticks since boot; 0 without such a process."""
    fields = _stat(pid)
    return int(fields[START_FIELD]) if fields else 0


def boot_id() -> str:
    """Another word after each boot of the machine; "" where the system does not tell."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def ancestors(pid: int) -> Iterator[int]:
    """The process itself, its parent, and so on."""
    while pid > 0:
        yield pid
        fields = _stat(pid)
        pid = int(fields[PARENT_FIELD]) if fields else 0


def is_in_container(pid: int, container_id: str) -> bool:
    """Whether a process of this machine runs in that container."""
    try:
        return bool(container_id) and container_id in (PROC / str(pid) / "cgroup").read_text()
    except OSError:
        return False


def is_container_alive(container_id: str) -> bool:
    """Whether any process of this machine runs in that container."""
    return bool(container_id) and any(
        is_in_container(int(entry.name), container_id) for entry in PROC.iterdir() if entry.name.isdigit()
    )


def user_name() -> str:
    """Who runs this; the number where the user has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _stat(pid: int) -> list[str]:
    """The fields after the program's name, which may hold spaces and brackets."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def is_running(process_id: str) -> bool:
    """Whether a process with this id exists."""
    if not process_id.isdigit():
        return False
    try:
        os.kill(int(process_id), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
