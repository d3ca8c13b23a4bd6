"""Answers that may hold passwords are kept in memory, for their owner only, or not at all."""

import os
from pathlib import Path

import pytest

from layerstack import memory_folder as memory
from layerstack.memory_folder import memory_folder


def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """As if the disk of the temporary folder were of this kind."""
    device = tmp_path.stat().st_dev
    table = tmp_path / "mountinfo"
    table.write_text(f"22 1 {os.major(device)}:{os.minor(device)} / {tmp_path} rw,relatime shared:1 - {kind} none rw\n")
    monkeypatch.setattr(memory, "MOUNTS", table)
    monkeypatch.setattr(memory, "SHARED_MEMORY", tmp_path / "none")


def test_a_folder_on_a_tmpfs_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts(tmp_path, monkeypatch, "tmpfs")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = memory_folder(tmp_path / "project")
    assert folder
    assert folder.parent == tmp_path / f"layerstack-{os.geteuid()}"


def test_a_runtime_folder_on_a_disk_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts(tmp_path, monkeypatch, "ext4")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert memory_folder(tmp_path / "project") is None


def test_a_link_that_another_user_laid_there_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts(tmp_path, monkeypatch, "tmpfs")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / f"layerstack-{os.geteuid()}").symlink_to(tmp_path)
    assert memory_folder(tmp_path / "project") is None


def test_without_a_runtime_folder_it_is_the_shared_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    mounts(tmp_path, monkeypatch, "tmpfs")
    monkeypatch.setattr(memory, "SHARED_MEMORY", tmp_path)
    folder = memory_folder(tmp_path / "project")
    assert folder
    assert tmp_path in folder.parents
