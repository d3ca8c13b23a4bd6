"""A backup on disk: whole, or refused; written whole, or not at all."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import killed_owner
import pytest

from layerstack.backup.archive import CONTENTS, Contents, chunks, new_archive, open_archive, write_contents, write_dump
from layerstack.errors import UsageError

DATA = b"a\x00b" * 1_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "stack.backup"
    with new_archive(made) as archive:
        dumps = (write_dump(archive, "db", lambda take: [take(DATA[:7]), take(DATA[7:])]),)
        write_contents(archive, Contents(project="shop", made_at=9.0, dumps=dumps))
    return made


def test_what_was_written_is_read_back(path: Path) -> None:
    with open_archive(path) as (archive, contents):
        assert (contents.project, contents.made_at) == ("shop", 9.0)
        [dump] = contents.dumps
        assert dump.size_bytes == len(DATA)
        with archive.open("db") as member:
            assert b"".join(chunks(member)) == DATA
    assert list(path.parent.iterdir()) == [path]


def test_a_backup_that_fails_leaves_what_was_there(path: Path) -> None:
    before = path.read_bytes()

    def fail(take: Callable[[bytes], None]) -> None:
        take(b"half")
        raise RuntimeError

    with pytest.raises(RuntimeError), new_archive(path) as archive:
        write_dump(archive, "db", fail)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


WRITES = """
import time
from pathlib import Path
from layerstack.backup.archive import new_archive
with new_archive(Path(%r)) as archive:
    archive.writestr("db", bytes(1000))
    print("half", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_backup_had_written_goes_with_the_next_of_that_file(tmp_path: Path) -> None:
    made, other = tmp_path / "stack.backup", tmp_path / "other.backup"
    with killed_owner.running(WRITES % str(made)):
        with new_archive(made):
            assert len(list(tmp_path.iterdir())) == 2
        assert len(list(tmp_path.iterdir())) == 2
    with new_archive(other):
        pass
    assert len(list(tmp_path.iterdir())) == 3
    with new_archive(made):
        pass
    assert sorted(tmp_path.iterdir()) == [other, made]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"), new_archive(tmp_path / "nowhere" / "file"):
        pass


def damaged(path: Path, kind: str) -> None:
    data = path.read_bytes()
    if kind == "no backup":
        path.write_text("hello")
    elif kind == "cut off":
        path.write_bytes(data[: len(data) // 2])
    elif kind == "one byte":
        middle = data.index(b"PK") + 60
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    elif kind == "no table":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("db", DATA)
    elif kind == "other table":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(CONTENTS, "[]")
    else:
        path.unlink()


@pytest.mark.parametrize("kind", ["no backup", "cut off", "one byte", "no table", "other table", "gone"])
def test_a_damaged_backup_is_refused_by_its_name(path: Path, kind: str) -> None:
    damaged(path, kind)
    with pytest.raises(UsageError, match=r"stack\.backup"), open_archive(path):
        pass


def test_an_error_while_a_whole_backup_is_used_is_not_one_of_the_file(path: Path) -> None:
    # What the engine's client raises when it does not answer is one of the system's errors, too.
    with pytest.raises(ConnectionError), open_archive(path):
        raise ConnectionError("no engine")
