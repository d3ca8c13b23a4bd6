"""Owner marks of temporary things: after a kill they show whether the owner is still alive."""

import os
import re
import socket
from functools import cache
from hashlib import sha256
from pathlib import Path

PID_NAMESPACE = Path("/proc/self/ns/pid")
# The kernel rounds the boot time to whole seconds, up or down.
SAME_START_SECONDS = 2.0
# Only characters that are valid in file names, labels and image tags.
# `1a2b3c4d.4711.123456`
_MARK = re.compile(r"\b([0-9a-f]{8})\.(\d{1,10})\.(\d{1,15})\b")


def own_mark() -> str:
    """MACHINE.PID.START of this process; START in hundredths of a second, as a later process may get the same PID."""
    return _mark_of(os.getpid())


@cache
def _mark_of(pid: int) -> str:
    # Cached: the kernel may round differently the next time, and earlier marks would not be recognised.
    return f"{_machine()}.{pid}.{round((_seconds_after_boot(pid) or 0.0) * 100)}"


def is_abandoned(name: str) -> bool:
    """Whether the name has the mark of a process of this machine that has ended.

    Without a mark, or with one of another machine or container, the answer is no: the owner may be alive.
    """
    match = _MARK.search(name)
    if match is None or match[1] != _machine():
        return False
    import psutil

    try:
        started = _seconds_after_boot(int(match[2]))
    except psutil.AccessDenied:
        return False
    return started is None or abs(started - int(match[3]) / 100) > SAME_START_SECONDS


def _machine() -> str:
    """Host name and pid namespace: a container may share the host name and has pids of its own."""
    try:
        numbers = str(PID_NAMESPACE.readlink())
    except OSError:
        numbers = ""
    return sha256(f"{socket.gethostname()} {numbers}".encode()).hexdigest()[:8]


def _seconds_after_boot(pid: int) -> float | None:
    """Start of a process; None when it has ended. Since boot, so that setting the clock does not change it."""
    import psutil

    booted = psutil.boot_time()
    try:
        process = psutil.Process(pid)
        # A zombie has ended, and only its parent has not collected it yet.
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return None
        return process.create_time() - booted
    except (psutil.NoSuchProcess, OverflowError):
        return None
