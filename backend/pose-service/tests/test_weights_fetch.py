"""Fetching weights from a real server that breaks off, changes its mind, lies and refuses."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from weights_server import WeightsServer

from pose_service.weights import download
from pose_service.weights.asset import Asset
from pose_service.weights.check import check
from pose_service.weights.download import DiskFullError, FetchError, tag_of
from pose_service.weights.fetch import fetch

CONTENT = os.urandom(3_000_000)
OTHER = os.urandom(2_000_000)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0.001)


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    with WeightsServer(CONTENT) as running:
        yield running


def asset(server: WeightsServer, sha256: str | None = None, min_bytes: int = 1000) -> Asset:
    return Asset("model", "zoo/model.bin", ("hmr2",), min_bytes, "MIT", "fetch it", server.url, sha256=sha256)


def get(folder: Path, *assets: Asset) -> bytes:
    """Fetch, and give what is there then; nothing else may be left."""
    fetch(folder, assets, lambda *_: None)
    assert not list(folder.rglob("*.part*"))
    return (folder / "zoo/model.bin").read_bytes()


def test_a_file_comes_whole_and_is_told_of(server: WeightsServer, tmp_path: Path) -> None:
    told: list[tuple[str, int, object]] = []
    fetch(tmp_path, [asset(server, hashlib.sha256(CONTENT).hexdigest())], lambda *words: told.append(words))
    assert (tmp_path / "zoo/model.bin").read_bytes() == CONTENT
    assert told[0] == ("model", 0, len(CONTENT))
    assert told[-1] == ("model", len(CONTENT), len(CONTENT))
    assert fetch(tmp_path, [asset(server)], lambda *_: None) == []
    assert len(server.ranges) == 1


def test_it_goes_on_where_the_connection_broke(server: WeightsServer, tmp_path: Path) -> None:
    server.breaks = [1_000_000, 500_000, 0]
    assert get(tmp_path, asset(server)) == CONTENT
    assert server.ranges == [None, "bytes=1000000-", "bytes=1500000-", "bytes=1500000-"]


def test_another_run_goes_on_as_well(server: WeightsServer, tmp_path: Path) -> None:
    server.breaks = [100_000] * download.ATTEMPTS
    with pytest.raises(FetchError, match="600000 bytes are kept"):
        get(tmp_path, asset(server))
    assert get(tmp_path, asset(server)) == CONTENT
    assert server.ranges[-1] == "bytes=600000-"


def test_another_version_is_fetched_from_its_beginning(server: WeightsServer, tmp_path: Path) -> None:
    server.breaks = [1_000_000]
    server.statuses = []
    part = tmp_path / "zoo/model.bin.part"
    part.parent.mkdir()
    part.write_bytes(CONTENT[:1_000_000])
    tag_of(part).write_text('"1"')
    server.content, server.etag, server.breaks = OTHER, '"2"', []
    assert get(tmp_path, asset(server)) == OTHER
    assert server.ranges == ["bytes=1000000-"]


@pytest.mark.parametrize(("etag", "has_ranges"), [('"1"', False), ("", True), ('W/"1"', True)])
def test_without_ranges_or_a_version_it_begins_anew(
    server: WeightsServer, tmp_path: Path, etag: str, has_ranges: bool
) -> None:
    server.etag, server.has_ranges, server.breaks = etag, has_ranges, [1_000_000]
    assert get(tmp_path, asset(server)) == CONTENT


def test_a_busy_server_is_asked_again(server: WeightsServer, tmp_path: Path) -> None:
    server.statuses = [503, 429]
    assert get(tmp_path, asset(server)) == CONTENT


def test_a_part_that_is_too_long_is_given_up(server: WeightsServer, tmp_path: Path) -> None:
    part = tmp_path / "zoo/model.bin.part"
    part.parent.mkdir()
    part.write_bytes(b"x" * 4_000_000)
    tag_of(part).write_text('"1"')
    server.statuses = [416]
    assert get(tmp_path, asset(server)) == CONTENT


def test_what_is_not_there_is_asked_once(server: WeightsServer, tmp_path: Path) -> None:
    server.statuses = [404] * 9
    with pytest.raises(FetchError, match="answered 404"):
        get(tmp_path, asset(server))
    assert len(server.ranges) == 1


def test_a_server_that_is_away_is_named(tmp_path: Path) -> None:
    with WeightsServer(CONTENT) as server:
        gone = asset(server)
    with pytest.raises(FetchError, match="refused"):
        get(tmp_path, gone)


def test_a_wrong_hash_is_deleted(server: WeightsServer, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="what came was deleted"):
        get(tmp_path, asset(server, sha256="0" * 64))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_error_page_is_no_model(server: WeightsServer, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="at least 9000000 expected"):
        get(tmp_path, asset(server, min_bytes=9_000_000))
    assert not (tmp_path / "zoo/model.bin").exists()


def test_a_full_disk_is_told_before_anything_comes(
    server: WeightsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "RESERVE_BYTES", 1 << 60)
    with pytest.raises(DiskFullError, match="make room"):
        get(tmp_path, asset(server))


def test_a_file_that_changed_since_is_refused_and_fetched_again(server: WeightsServer, tmp_path: Path) -> None:
    wanted = asset(server)
    get(tmp_path, wanted)
    (tmp_path / "zoo/model.bin").write_bytes(OTHER)
    assert [one.state for one in check(tmp_path, (wanted,))] == ["wrong-hash"]
    assert get(tmp_path, wanted) == CONTENT


def archive(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, target in (links or {}).items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def members(server: WeightsServer) -> tuple[Asset, ...]:
    sha256 = hashlib.sha256(server.content).hexdigest()
    return tuple(
        Asset(name, f"cache/{name}", ("hmr2",), 1, "MIT", "fetch it", server.url, member=name, sha256=sha256)
        for name in ("data/a.npz", "logs/b.ckpt")
    )


def test_only_the_named_files_of_an_archive_are_taken(server: WeightsServer, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    files = {"./data/a.npz": b"a", "logs/b.ckpt": b"b", "../../evil": b"x", "/etc/evil": b"x", "data/smpl/c": b"c"}
    server.content = archive(files)
    fetch(folder, members(server), lambda *_: None)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"models/cache/data/a.npz", "models/cache/logs/b.ckpt", "models/.weights.json"}
    assert len(server.ranges) == 1


def test_a_link_in_an_archive_is_not_followed(server: WeightsServer, tmp_path: Path) -> None:
    server.content = archive({"data/a.npz": b"a"}, links={"logs/b.ckpt": "/etc/passwd"})
    with pytest.raises(FetchError, match=r"holds no logs/b\.ckpt"):
        fetch(tmp_path, members(server), lambda *_: None)
    assert not (tmp_path / "cache/logs/b.ckpt").exists()
