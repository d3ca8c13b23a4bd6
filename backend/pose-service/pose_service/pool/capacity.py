"""How many engines fit into this container."""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path
from typing import Optional

CGROUP = Path("/sys/fs/cgroup")
MAX_ENGINES = 32
# Measured: an engine with the detector in two sizes takes 550 to 600 MB; on top the pixels of one large image, or the
# frames of one large video (media.video_decoding.MAX_DECODER_BYTES).
ENGINE_BYTES = 1600 * 1024 * 1024


def default_engines(cgroup: Path = CGROUP) -> int:
    """As many as there are cores for this process, but never more than fit into its memory."""
    engines = min(available_cores(cgroup), MAX_ENGINES)
    limit_bytes = memory_limit_bytes(cgroup)
    return engines if limit_bytes is None else max(1, min(engines, limit_bytes // ENGINE_BYTES))


def available_cores(cgroup: Path = CGROUP) -> int:
    """Cores that this process may use: its affinity and the limit of its cgroup (version 1 or 2), rounded up."""
    cores = len(os.sched_getaffinity(0))
    quota, period = _cpu_quota(cgroup)
    return min(cores, max(1, math.ceil(quota / period))) if quota and period else cores


def memory_limit_bytes(cgroup: Path = CGROUP) -> Optional[int]:
    """The memory limit of the cgroup, None without one."""
    limit = _number(cgroup / "memory.max") or _number(cgroup / "memory" / "memory.limit_in_bytes")
    # Version 1 writes "no limit" as the largest number of whole pages.
    return None if limit is None or limit >= 1 << 60 else limit


def _cpu_quota(cgroup: Path) -> tuple[Optional[int], Optional[int]]:
    with contextlib.suppress(OSError, ValueError):
        quota, period = (cgroup / "cpu.max").read_text().split()
        return (None if quota == "max" else int(quota)), int(period)
    quota_v1 = _number(cgroup / "cpu" / "cpu.cfs_quota_us")
    return (quota_v1 if quota_v1 and quota_v1 > 0 else None), _number(cgroup / "cpu" / "cpu.cfs_period_us")


def _number(path: Path) -> Optional[int]:
    with contextlib.suppress(OSError, ValueError):
        return int(path.read_text())
    return None
