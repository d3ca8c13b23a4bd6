"""Fetches what may be fetched by anybody, verifies it, and puts it where the engines look."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Optional

from pose_service.weights.asset import Asset
from pose_service.weights.check import check
from pose_service.weights.download import FetchError, download
from pose_service.weights.ledger import Ledger, hash_file

# name of the file, bytes so far, bytes in all or None
Tell = Callable[[str, int, Optional[int]], None]


def fetch(folder: Path, assets: Iterable[Asset], tell: Tell) -> list[Asset]:
    """Fetch those that are not there; the ones that are new. Raises FetchError at the first that cannot be had.

    Nothing without an address is touched: those files only their registered user may have.
    """
    wanted = [one.asset for one in check(folder, tuple(assets)) if one.asset.url and not one.is_good]
    for url in dict.fromkeys(asset.url for asset in wanted):
        group = [asset for asset in wanted if asset.url == url]
        part = _part_of(folder, group[0])
        download(str(url), part, lambda done, total, name=group[0].name: tell(name, done, total))
        _require_hash(str(url), part, group[0].sha256)
        if group[0].member:
            _unpack(part, folder, group)
        else:
            _install(part, folder, group[0])
    return wanted


def _part_of(folder: Path, asset: Asset) -> Path:
    if asset.member:
        return folder / asset.path[: -len(asset.member)] / f"{str(asset.url).rpartition('/')[2]}.part"
    return folder / f"{asset.path}.part"


def _require_hash(url: str, part: Path, wanted: Optional[str]) -> None:
    found = hash_file(part) if wanted else wanted
    if found != wanted:
        part.unlink()
        raise FetchError(f"{url}: sha256 {found}, not {wanted}; what came was deleted")


def _install(part: Path, folder: Path, asset: Asset) -> None:
    size_bytes = part.stat().st_size
    if size_bytes < asset.min_bytes:
        part.unlink()
        raise FetchError(f"{asset.url}: {size_bytes} bytes, at least {asset.min_bytes} expected; what came was deleted")
    part.replace(folder / asset.path)
    Ledger(folder).accept(folder / asset.path)


def _unpack(archive: Path, folder: Path, assets: list[Asset]) -> None:
    """Only the files that are named, and only as files: an archive may hold links and paths that lead elsewhere."""
    waiting = {asset.member: asset for asset in assets}
    with tarfile.open(archive) as tar:
        for member in tar:
            names = [name for name in waiting if f"/{member.name}".endswith(f"/{name}")]
            content = tar.extractfile(member) if names and member.isreg() else None
            if content is None:
                continue
            asset = waiting.pop(names[0])
            part = folder / f"{asset.path}.part"
            part.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as stream:
                shutil.copyfileobj(content, stream)
            _install(part, folder, asset)
    if waiting:
        raise FetchError(f"{assets[0].url}: holds no {', '.join(waiting)}")
    archive.unlink()
