"""Files of a container as the engine sends them: in an archive, in pieces, behind a link."""

import io
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from layerstack.engine.api import ObjectMissing
from layerstack.engine.files import is_there, read_file, read_head
from layerstack.errors import EngineError

LARGE = b"#!/bin/sh\n" + bytes(1 << 20)


class Engine:
    """A container with these files, and how many pieces of an archive were asked for."""

    def __init__(self, links: dict[str, str] | None = None, mounts: tuple[dict[str, str], ...] = ()) -> None:
        self.api = self
        self.pieces = 0
        self._links, self._mounts = links or {}, mounts

    def inspect_container(self, name: str) -> dict[str, Any]:
        return {"Mounts": self._mounts}

    def get_archive(self, name: str, path: str, chunk_size: int | None = 0) -> tuple[Iterator[bytes], dict[str, Any]]:
        if path in self._links:
            return iter(()), {"linkTarget": self._links[path]}
        if path != "/srv/run":
            raise ObjectMissing(path)
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as archive:
            member = tarfile.TarInfo("run")
            member.size = len(LARGE)
            archive.addfile(member, io.BytesIO(LARGE))
        return self._in_pieces(data.getvalue()), {"size": len(LARGE), "linkTarget": ""}

    def _in_pieces(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), 512):
            self.pieces += 1
            yield data[start : start + 512]


@pytest.mark.parametrize("path", ["/srv/run", "/usr/bin/run"])
def test_the_beginning_of_a_large_file_is_read_without_the_rest(path: str) -> None:
    engine: Any = Engine({"/usr/bin/run": "/srv/run"})
    assert read_head(engine, "1", path, 20) == LARGE[:20]
    assert engine.pieces < 50


def test_a_file_is_read_whole_or_not_at_all() -> None:
    engine: Any = Engine()
    assert read_file(engine, "1", "/srv/run") == LARGE
    assert read_file(engine, "1", "/srv/run", len(LARGE)) == LARGE
    assert read_file(engine, "1", "/srv/run", len(LARGE) - 1) is None


def test_what_is_not_there_is_told_from_what_cannot_be_told() -> None:
    engine: Any = Engine()
    assert (is_there(engine, "1", "/srv/run"), is_there(engine, "1", "/srv/none")) == (True, False)
    assert read_head(engine, "1", "/srv/none", 20) is None
    lost: Any = Engine(mounts=({"Type": "bind", "Source": "/nowhere/at/all", "Destination": "/srv"},))
    assert is_there(lost, "1", "/srv/run") is None
    with pytest.raises(EngineError):
        read_head(lost, "1", "/srv/run", 20)


def test_a_link_that_leads_nowhere_is_not_there() -> None:
    """As the interpreter of a virtual environment that was made in another image."""
    engine: Any = Engine({"/venv/bin/python": "/usr/local/bin/python3", "/usr/bin/run": "/srv/run"})
    assert is_there(engine, "1", "/venv/bin/python") is False
    assert is_there(engine, "1", "/usr/bin/run") is True


class Ending(Engine):
    """Its container goes while a file is read."""

    error: Exception | None = None

    def _in_pieces(self, data: bytes) -> Iterator[bytes]:
        yield data[:2000]
        if self.error:
            raise self.error


@pytest.mark.parametrize("error", [None, requests.exceptions.ChunkedEncodingError("broken")])
def test_an_archive_that_ends_early_is_an_error_of_the_engine(error: Exception | None) -> None:
    engine: Any = Ending()
    engine.error = error
    with pytest.raises(EngineError):
        read_file(engine, "1", "/srv/run")
