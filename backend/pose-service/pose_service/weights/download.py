"""One file over HTTP: begun again where it broke off, and never taken for whole before it is."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Optional
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ATTEMPTS = 6
PAUSE_SECONDS = 1.0
SILENCE_SECONDS = 60.0
BLOCK_BYTES = 1 << 20
# Left for everybody else on that disk.
RESERVE_BYTES = 1 << 30

Tell = Callable[[int, Optional[int]], None]


class FetchError(Exception):
    """It cannot be fetched; the text says why, and what is kept for the next try."""


class DiskFullError(FetchError):
    """The rest does not fit on the disk."""


def download(url: str, part: Path, tell: Tell) -> None:
    """Fetch `url` into `part`, going on with what is there when the server still has the same file.

    tell(bytes so far, bytes in all or None) is called for each block. Raises FetchError; what came stays in `part`.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    reason = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
        try:
            return _receive(url, part, tell)
        except HTTPError as error:
            reason = f"the server answered {error.code} {error.reason}"
            if error.code == 416:
                _forget(part)
            elif error.code < 500 and error.code not in (408, 429):
                break
        except (OSError, HTTPException) as error:
            reason = str(error) or type(error).__name__
    kept = part.stat().st_size if part.exists() else 0
    more = f"; {kept} bytes are kept, the same command goes on from there" if kept else ""
    raise FetchError(f"{url}: {reason}{more}")


def tag_of(part: Path) -> Path:
    """Where the server's mark of the file's version stands beside what has come of it."""
    return part.with_name(f"{part.name}.tag")


def _receive(url: str, part: Path, tell: Tell) -> None:
    request = Request(url, headers=_range(part))
    with urlopen(request, timeout=SILENCE_SECONDS) as response:
        begun = part.stat().st_size if response.status == 206 else 0
        length = response.headers.get("Content-Length")
        total = begun + int(length) if length else None
        _require_room(url, part, (total or begun) - begun)
        _keep_tag(response, part)
        done = _copy(response, part, begun, lambda so_far: tell(so_far, total))
    if total is not None and done < total:
        raise OSError(f"the connection ended after {done} of {total} bytes")
    tag_of(part).unlink(missing_ok=True)


def _copy(response: HTTPResponse, part: Path, begun: int, tell: Callable[[int], None]) -> int:
    done = begun
    with part.open("ab" if begun else "wb") as stream:
        tell(done)
        while block := response.read(BLOCK_BYTES):
            stream.write(block)
            done += len(block)
            tell(done)
    return done


def _range(part: Path) -> dict[str, str]:
    """The rest, if it is still the same file; without a mark of the version it is fetched anew."""
    tag = tag_of(part)
    if not (part.exists() and part.stat().st_size and tag.exists()):
        return {}
    return {"Range": f"bytes={part.stat().st_size}-", "If-Range": tag.read_text()}


def _keep_tag(response: HTTPResponse, part: Path) -> None:
    etag = response.headers.get("ETag", "")
    mark = response.headers.get("Last-Modified") if not etag or etag.startswith("W/") else etag
    if mark:
        tag_of(part).write_text(mark)
    else:
        tag_of(part).unlink(missing_ok=True)


def _require_room(url: str, part: Path, size_bytes: int) -> None:
    free_bytes = shutil.disk_usage(part.parent).free
    if size_bytes + RESERVE_BYTES > free_bytes:
        raise DiskFullError(f"{url}: {size_bytes} bytes are to come and {free_bytes} are free; make room and try again")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    tag_of(part).unlink(missing_ok=True)
