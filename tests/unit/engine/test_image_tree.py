"""Files of images by path: read from an archive, remembered by image, and no container is left."""

import io
import os
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from layerstack.engine import image_tree
from layerstack.engine.api import ObjectMissing
from layerstack.state_folder import state_folder
from layerstack.wait import call_within


class FakeApi:
    """An engine with one image; counts what it is asked."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.containers: set[str] = set()
        self.made = 0

    def inspect_container(self, _: str) -> dict[str, Any]:
        return {}

    def create_host_config(self, **_: Any) -> None:
        return None

    def create_container(self, *_: Any, **__: Any) -> dict[str, str]:
        self.made += 1
        self.containers.add(str(self.made))
        return {"Id": str(self.made)}

    def remove_container(self, container_id: str, **_: Any) -> None:
        self.containers.remove(container_id)

    def get_archive(self, _: str, path: str, chunk_size: int | None = None) -> tuple[Iterator[bytes], dict[str, str]]:
        inside = {name: data for name, data in self.files.items() if name.startswith(f"{path}/") or name == path}
        if not inside:
            raise ObjectMissing("no such path")
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, data in inside.items():
                member = tarfile.TarInfo(name.removeprefix(f"{path.rpartition('/')[0]}/"))
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        data = buffer.getvalue()
        return iter([data[:700], data[700:]]), {"linkTarget": ""}


class FakeClient:
    def __init__(self, files: dict[str, bytes]) -> None:
        self.api = FakeApi(files)


def read(client: FakeClient, root: Path, *paths: str, seconds: float = 5.0) -> dict[str, image_tree.Tree]:
    return image_tree.read_image_trees(client, root, "sha256:abc", paths, time.monotonic() + seconds)


def test_files_are_found_below_a_path_and_at_it(tmp_path: Path) -> None:
    client = FakeClient({"/app/a.js": b"1", "/app/lib/b.js": b"22"})
    found = read(client, tmp_path, "/app", "/app/a.js", "/nowhere")
    assert set(found["/app"]) == {"a.js", "lib/b.js"}
    assert found["/app/a.js"] == {"": found["/app"]["a.js"]}
    assert found["/nowhere"] == {}
    assert client.api.containers == set()


def test_an_image_is_asked_once_for_each_path(tmp_path: Path) -> None:
    client = FakeClient({"/app/a.js": b"1"})
    first = read(client, tmp_path, "/app", "/nowhere")
    assert read(client, tmp_path, "/app", "/nowhere") == first
    assert client.api.made == 1
    read(client, tmp_path, "/app", "/other")
    assert client.api.made == 2


def test_a_damaged_memory_is_no_memory(tmp_path: Path) -> None:
    client = FakeClient({"/app/a.js": b"1"})
    first = read(client, tmp_path, "/app")
    (kept,) = (state_folder(tmp_path) / image_tree.FOLDER).iterdir()
    kept.write_text(kept.read_text()[:20])
    assert read(client, tmp_path, "/app") == first
    assert client.api.made == 2


def test_only_so_many_images_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_tree, "MOST_KEPT", 2)
    client = FakeClient({"/app/a.js": b"1"})
    for number in range(4):
        image_tree.read_image_trees(client, tmp_path, f"sha256:{number}", ["/app"], time.monotonic() + 5)
    assert len(list((state_folder(tmp_path) / image_tree.FOLDER).iterdir())) == 2


def test_a_look_that_takes_too_long_ends_and_leaves_no_container(tmp_path: Path) -> None:
    client = FakeClient({"/app/a.js": b"1"})
    with pytest.raises(TimeoutError):
        read(client, tmp_path, "/app", seconds=-1.0)
    assert client.api.containers == set()


def test_a_folder_and_an_archive_of_it_look_the_same(tmp_path: Path) -> None:
    files = {"/app/a.js": b"content", "/app/large.bin": b"x" * (image_tree.HASHED_BYTES + 1)}
    folder = tmp_path / "app"
    folder.mkdir()
    for name, data in files.items():
        (tmp_path / name.lstrip("/")).write_bytes(data)
    found = read(FakeClient(files), tmp_path, "/app")
    assert image_tree.read_folder(folder, time.monotonic() + 5) == found["/app"]


def test_a_file_of_an_image_is_read(tmp_path: Path) -> None:
    client = FakeClient({"/etc/bundle": b"certificates"})
    assert image_tree.read_image_file(client, "sha256:abc", ("/none", "/etc/bundle")) == b"certificates"
    assert image_tree.read_image_file(client, "sha256:abc", ("/none",)) is None
    assert client.api.containers == set()


def test_a_pipe_in_a_folder_is_no_file_to_wait_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("x")
    found = call_within(2.0, lambda: image_tree.read_folder(tmp_path, time.monotonic() + 5))
    assert list(found) == ["file"]
