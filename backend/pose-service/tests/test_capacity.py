"""How many engines a container gets, by its cgroup files of both versions."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pose_service.pool.capacity import ENGINE_BYTES, MAX_ENGINES, available_cores, default_engines, memory_limit_bytes

HERE = len(os.sched_getaffinity(0))


def cgroup(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, HERE),
        ({"cpu.max": "max 100000\n"}, HERE),
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "10000 100000\n"}, 1),
        ({"cpu.max": "150000 100000\n"}, min(2, HERE)),
        ({"cpu.max": "9900000 100000\n"}, HERE),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, HERE),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu.max": "nonsense\n"}, HERE),
    ],
)
def test_cores(tmp_path: Path, files: dict[str, str], cores: int) -> None:
    assert available_cores(cgroup(tmp_path, files)) == cores


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({}, None),
        ({"memory.max": "max\n"}, None),
        ({"memory.max": "1073741824\n"}, 1 << 30),
        ({"memory/memory.limit_in_bytes": "9223372036854771712\n"}, None),
        ({"memory/memory.limit_in_bytes": "2147483648\n"}, 2 << 30),
    ],
)
def test_memory_limit(tmp_path: Path, files: dict[str, str], limit: int | None) -> None:
    assert memory_limit_bytes(cgroup(tmp_path, files)) == limit


def test_affinity_counts(tmp_path: Path) -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert available_cores(tmp_path) == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_engines_are_cores_but_never_more_than_fit_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(100)))
    assert default_engines(tmp_path) == MAX_ENGINES
    assert default_engines(cgroup(tmp_path, {"memory.max": f"{ENGINE_BYTES * 5}\n"})) == 5
    assert default_engines(cgroup(tmp_path, {"memory.max": "1000\n"})) == 1
    assert default_engines(cgroup(tmp_path, {"memory.max": "max\n", "cpu.max": "300000 100000\n"})) == 3
