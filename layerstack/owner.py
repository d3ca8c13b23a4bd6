"""Whose a temporary thing is: a mark in its name or label tells, after a kill, whether its owner still lives."""

import os
import re
import socket
from functools import cache
from hashlib import sha256
from pathlib import Path

PID_NAMESPACE = Path("/proc/self/ns/pid")
# The kernel rounds the moment of the boot to whole seconds, up or down.
SAME_START_SECONDS = 2.0
# Characters that file names, labels and image tags all take.
_MARK = re.compile(r"\b([0-9a-f]{8})\.(\d{1,10})\.(\d{1,15})\b")


def own_mark() -> str:
    """MACHINE.PID.START of this process; START in hundredths of a second, as a later process may get the same PID."""
    return _mark_of(os.getpid())


@cache
def _mark_of(pid: int) -> str:
    """Read once: the kernel may round the next time differently, and what was marked before would not be found."""
    return f"{_machine()}.{pid}.{round((_seconds_after_boot(pid) or 0.0) * 100)}"


def is_abandoned(name: str) -> bool:
    """Whether this name carries the mark of a process of this machine that is gone.

    What has no mark, or one of another machine or container, is left to its owner: nobody else can tell.
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
    """This machine and its process numbers: a container on the same host name counts its own."""
    try:
        numbers = str(PID_NAMESPACE.readlink())
    except OSError:
        numbers = ""
    return sha256(f"{socket.gethostname()} {numbers}".encode()).hexdigest()[:8]


def _seconds_after_boot(pid: int) -> float | None:
    """When a process started; None when it is gone. Counted from the boot: setting the clock does not change it."""
    import psutil

    booted = psutil.boot_time()
    try:
        process = psutil.Process(pid)
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return None
        return process.create_time() - booted
    except (psutil.NoSuchProcess, OverflowError):
        return None
