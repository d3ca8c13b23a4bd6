"""Folders for one task: gone at its end, and after a kill with the next task."""

import tempfile
from pathlib import Path

import killed_owner
import pytest

from layerstack.temporary_folder import abandoned_folders, temporary_folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, of this process and of those that it starts."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_gone_at_the_end_even_after_a_failure(temporary: Path) -> None:
    def fail() -> None:
        with temporary_folder("audit") as folder:
            (folder / "image.tar").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(temporary.iterdir()) == []


def test_the_next_task_removes_what_a_killed_one_left(temporary: Path) -> None:
    with killed_owner.running(killed_owner.FOLDER) as said:
        left = Path(said)
        with temporary_folder("audit"):
            assert (left / "image.tar").is_file()
    assert (left / "image.tar").is_file()
    assert abandoned_folders() == [left]
    with temporary_folder("audit") as folder:
        assert list(temporary.iterdir()) == [folder]


def test_nothing_else_is_taken(temporary: Path) -> None:
    mark = killed_owner.killed()
    elsewhere = temporary / "mine"
    elsewhere.mkdir()
    (temporary / f"layerstack-audit-{mark}-link").symlink_to(elsewhere)
    (temporary / f"layerstack-audit-{mark}-file").write_text("x")
    (temporary / f"other-{mark}").mkdir()
    (temporary / "layerstack-notes").mkdir()
    before = sorted(temporary.iterdir())
    with temporary_folder("audit"):
        pass
    assert sorted(temporary.iterdir()) == before
