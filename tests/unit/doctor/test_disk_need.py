"""What a build will need on the disk: images that are here need nothing, the others what they took before."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from compose_project import load

from layerstack.build.image_sizes import SIZES_FILE
from layerstack.doctor import disk_need
from layerstack.engine import images
from layerstack.engine.images import StoredImage
from layerstack.state_folder import state_folder

TEXT = """\
x-layerstack: { doctor: { sizes: { base: 3GB, "mongo:7": 800MB, web: nonsense } } }
services:
  base: { build: . }
  web: { build: { context: ., contexts: { b: "target:base" } } }
  db: { image: "mongo:7" }
"""
BASE, WEB = "demo-base:latest", "demo-web:latest"


def have(monkeypatch: pytest.MonkeyPatch, **sizes: int) -> None:
    found = {tag.replace("_", ":"): StoredImage("i", (), size, "", {}, ()) for tag, size in sizes.items()}
    monkeypatch.setattr(images, "find_all", lambda tags: {tag: found[tag] for tag in tags if tag in found})


def need(root: Path) -> disk_need.DiskNeed:
    return disk_need.read_need(load(root, TEXT)[0])


def test_images_that_are_here_need_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, **{BASE: 1, WEB: 2, "mongo_7": 3})
    assert need(tmp_path) == disk_need.DiskNeed()


def test_sizes_are_declared_where_nothing_was_built_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch)
    found = need(tmp_path)
    assert (found.bytes, found.unknown) == (3_800_000_000, (WEB,))
    assert set(found.missing) == {BASE, WEB, "mongo:7"}


def test_sizes_are_remembered_and_a_shared_base_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, **{BASE: 5_000, WEB: 5_700, "mongo_7": 3})
    need(tmp_path)
    have(monkeypatch, **{BASE: 5_000})
    assert need(tmp_path).bytes == 700 + 3
    have(monkeypatch)
    assert need(tmp_path) == replace(need(tmp_path), bytes=5_700 + 3, unknown=())


def test_a_damaged_memory_is_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = state_folder(tmp_path) / SIZES_FILE
    path.parent.mkdir(parents=True)
    path.write_text("[1,")
    have(monkeypatch, **{WEB: 7})
    assert need(tmp_path).bytes == 3_800_000_000
    assert json.loads(path.read_text()) == {WEB: 7}
