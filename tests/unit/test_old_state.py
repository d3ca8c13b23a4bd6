"""An old `.layerstack` of the tree is moved once: what is ours in it, nothing through a link."""

from pathlib import Path

import pytest

from layerstack.state_folder import read_json, read_text, state_folder


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "project" / ".layerstack"
    (folder / "images").mkdir(parents=True)
    (folder / ".gitignore").write_text("*\n")
    return folder


def moved_lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("Moved")]


def test_records_are_moved_once_with_one_line(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (old / "history.jsonl").write_text("{}\n")
    (old / "images" / "app.json").write_text('{"a": 1}')
    (old / "answers.json").write_text('{"key": "hunter2"}')
    (old / "found-images-0123.json").write_text("{}")
    folder = state_folder(old.parent)
    assert (read_text(folder / "history.jsonl"), read_json(folder / "images" / "app.json")) == ("{}\n", {"a": 1})
    assert not old.exists()
    assert not any("hunter2" in path.read_text() for path in folder.rglob("*") if path.is_file())
    state_folder(old.parent)
    (line,) = moved_lines(capsys)
    assert str(old) in line
    assert str(folder) in line


def test_a_newer_record_is_not_overwritten(old: Path) -> None:
    (old / "history.jsonl").write_text("new\n")
    folder = state_folder(old.parent)
    old.mkdir()
    (old / ".gitignore").write_text("*\n")
    (old / "history.jsonl").write_text("old\n")
    assert read_text(state_folder(old.parent) / "history.jsonl") == "new\n"
    assert folder.exists()
    assert not old.exists()


def test_what_is_not_ours_stays(old: Path, tmp_path: Path) -> None:
    target = tmp_path / "bashrc"
    target.write_text("mine\n")
    (old / "history.jsonl").symlink_to(target)
    (old / "audit").symlink_to(tmp_path, target_is_directory=True)
    (old / "images" / "a.json").hardlink_to(target)
    (old / "notes.txt").write_text("theirs")
    folder = state_folder(old.parent)
    assert not folder.exists()
    assert {path.name for path in old.iterdir()} == {"history.jsonl", "audit", "images", "notes.txt"}
    assert target.read_text() == "mine\n"


@pytest.mark.parametrize("how", ["link", "file", "not made by us"])
def test_a_folder_that_earlier_versions_did_not_make_is_left(old: Path, tmp_path: Path, how: str) -> None:
    (old / "history.jsonl").write_text("{}\n")
    if how == "not made by us":
        (old / ".gitignore").write_text("# tracked\n")
    else:
        old.rename(tmp_path / "elsewhere")
        old.symlink_to(tmp_path / "elsewhere") if how == "link" else old.write_text("a file")
    assert not state_folder(old.parent).exists()
    assert old.exists()
