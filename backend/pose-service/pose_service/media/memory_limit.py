"""A bound for decoders whose files can say one size and hold another."""

from __future__ import annotations

import contextlib
import resource
import threading
from collections.abc import Iterator
from pathlib import Path

# The limit belongs to the process: two at once would undo each other.
LOCK = threading.Lock()


@contextlib.contextmanager
def memory_limit(more_bytes: int) -> Iterator[None]:
    """Within it the process may take `more_bytes` more of memory; above that allocations fail, here a MemoryError."""
    with LOCK:
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = _data_bytes() + more_bytes
        limits = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_DATA, (min([wanted, *limits]), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int:
    """What counts against RLIMIT_DATA now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0
