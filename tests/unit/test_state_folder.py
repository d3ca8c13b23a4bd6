"""Records lie outside the tree, for their owner only; what is wrong with their place costs one warning."""

import errno
import json
import os
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from layerstack import private_file
from layerstack.state_folder import (
    NOWHERE,
    append_line,
    keep_newest,
    read_json,
    read_text,
    shared_folder,
    state_folder,
    update_json,
    write_atomically,
    write_json,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "my project é"
    root.mkdir()
    return root


def warnings(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning:")]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_outside_the_tree_and_made_by_the_first_write(home: Path, project: Path) -> None:
    folder = state_folder(project)
    assert folder.parent == home / "layerstack"
    assert folder.name.startswith("my_project_")
    assert not home.exists()
    assert write_atomically(folder / "images" / "a.json", "{}")
    assert list(project.iterdir()) == []


def test_nobody_else_can_read_a_record(home: Path, project: Path) -> None:
    before = os.umask(0)
    try:
        path = state_folder(project) / "images" / "a.json"
        write_atomically(path, "{}")
        append_line(state_folder(project) / "history.jsonl", "{}", 100)
    finally:
        os.umask(before)
    places = [home / "layerstack", *(home / "layerstack").rglob("*")]
    assert len(places) == 6
    assert {mode(place) for place in places if place.is_dir()} == {0o700}
    assert {mode(place) for place in places if place.is_file()} == {0o600}


def test_a_folder_that_others_can_read_is_closed(home: Path, project: Path) -> None:
    path = state_folder(project) / "a.json"
    write_atomically(path, "{}")
    path.parent.chmod(0o755)
    assert read_text(path) == "{}"
    assert mode(path.parent) == 0o700


def test_each_checkout_has_its_own_folder_and_a_link_to_it_has_the_same(home: Path, tmp_path: Path) -> None:
    for name in ("one/app", "two/app"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "one/app")
    assert state_folder(tmp_path / "one/app") != state_folder(tmp_path / "two/app")
    assert state_folder(tmp_path / "one/app") == state_folder(tmp_path / "link")


def test_an_atomic_write_replaces_the_whole_file_and_leaves_nothing_beside_it(home: Path, project: Path) -> None:
    path = state_folder(project) / "state.json"
    for text in ("a" * 10_000, "b"):
        assert write_atomically(path, text)
        assert read_text(path) == text
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("how", ["link", "dangling", "folder", "fifo", "socket"])
def test_a_record_that_is_no_plain_file_is_not_followed(
    home: Path, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    path, target = state_folder(project) / "history.jsonl", tmp_path / "bashrc"
    private_file.make_folder(path.parent)
    target.write_text("mine\n")
    if how in ("link", "dangling"):
        path.symlink_to(target if how == "link" else tmp_path / "gone")
    elif how == "folder":
        path.mkdir()
    elif how == "fifo":
        os.mkfifo(path)
    else:
        import socket

        with pytest.MonkeyPatch.context() as patch, socket.socket(socket.AF_UNIX) as listener:
            patch.chdir(path.parent)
            listener.bind(path.name)
    append_line(path, "touch /tmp/hurt", 1000)
    assert read_text(path) is None
    assert target.read_text() == "mine\n"
    assert not (tmp_path / "gone").exists()
    assert len(warnings(capsys)) == 1


def test_a_replaced_link_is_gone_and_its_target_untouched(home: Path, project: Path, tmp_path: Path) -> None:
    path, target = state_folder(project) / "a.json", tmp_path / "bashrc"
    private_file.make_folder(path.parent)
    target.write_text("mine\n")
    path.symlink_to(target)
    assert write_atomically(path, "{}")
    assert (target.read_text(), path.is_symlink()) == ("mine\n", False)


@pytest.mark.parametrize("level", ["layerstack", "project", "images"])
def test_a_linked_folder_is_not_followed(
    home: Path, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], level: str
) -> None:
    other = tmp_path / "other"
    (other / "images").mkdir(parents=True)
    folder = {"layerstack": shared_folder(), "project": state_folder(project)}.get(
        level, state_folder(project) / "images"
    )
    private_file.make_folder(folder.parent)
    folder.symlink_to(other)
    assert not write_atomically(state_folder(project) / "images" / "a.json", "{}")
    assert read_text(state_folder(project) / "images" / "a.json") is None
    assert [path for path in other.rglob("*") if path.is_file()] == []
    assert len(warnings(capsys)) == 1


def test_a_link_above_our_folder_is_the_users_own(home: Path, project: Path, tmp_path: Path) -> None:
    (tmp_path / "other disk").mkdir()
    home.symlink_to(tmp_path / "other disk")
    assert write_atomically(state_folder(project) / "a.json", "{}")


@pytest.mark.parametrize("level", ["layerstack", "project", "file"])
def test_what_belongs_to_another_user_is_left_alone(
    home: Path,
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    level: str,
) -> None:
    path = state_folder(project) / "a.json"
    write_atomically(path, '{"a": 1}')
    before = os.fstat
    other = {"layerstack": path.parents[1], "project": path.parent, "file": path}[level].stat().st_ino

    def as_if_foreign(status: os.stat_result) -> os.stat_result:
        return os.stat_result([*status[:4], status.st_uid + 1, *status[5:]]) if status.st_ino == other else status

    lstat = Path.lstat
    monkeypatch.setattr(os, "fstat", lambda descriptor: as_if_foreign(before(descriptor)))
    monkeypatch.setattr(Path, "lstat", lambda self: as_if_foreign(lstat(self)))
    assert read_json(state_folder(project) / "a.json") == {}
    assert len(warnings(capsys)) == 1


def test_under_sudo_nothing_is_made_in_the_users_home(
    home: Path, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with suppress(PermissionError):  # not root here: the folder is another user's than root's as it is
        os.chown(tmp_path, 12345, -1)
    assert NOWHERE in state_folder(project).parents
    assert not write_atomically(state_folder(project) / "a.json", "{}")
    assert len(warnings(capsys)) == 1


def test_a_full_disk_costs_the_record_only(
    home: Path, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = state_folder(project) / "a.json"
    write_atomically(path, "old")

    def is_full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", is_full)
    assert not write_atomically(path, "new")
    assert not write_json(path, {})
    assert read_text(path) == "old"
    assert list(path.parent.iterdir()) == [path]
    assert warnings(capsys) == [
        f"warning: no record is kept in {path}: No space left on device; the task continues without it"
    ]


def test_a_file_in_the_place_of_the_folder(home: Path, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home.write_text("in the way")
    assert not write_atomically(state_folder(project) / "a.json", "{}")
    append_line(state_folder(project) / "a.jsonl", "{}", 100)
    assert len(warnings(capsys)) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "\0", "[" * 100_000, '{"a": ' * 50_000, "\ufffe{}"])
def test_nonsense_is_set_aside_with_a_warning(
    home: Path, project: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = state_folder(project) / "a.json"
    write_atomically(path, text)
    assert read_json(path) == {}
    assert [kept.name for kept in path.parent.iterdir()] == ["a.json.damaged"]
    assert read_json(path) == {}
    assert len(warnings(capsys)) == 1


def test_only_the_newest_entries_are_kept(home: Path, project: Path) -> None:
    path = state_folder(project) / "a.json"
    write_json(path, {str(number): number for number in range(5)}, most_kept=2)
    assert read_json(path) == {"3": 3, "4": 4}


def test_of_entries_that_are_added_at_once_none_is_lost(home: Path, project: Path) -> None:
    path = state_folder(project) / "a.json"

    def add(name: str) -> None:
        def slowly(known: dict[str, int]) -> dict[str, int]:
            time.sleep(0.005)
            return {**known, name: 1}

        update_json(path, slowly)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, "abcdefgh"))
    assert sorted(read_json(path)) == list("abcdefgh")


def test_only_the_newest_files_are_kept(home: Path, project: Path) -> None:
    folder = state_folder(project)
    for number in range(4):
        write_atomically(folder / f"{number}", "")
        os.utime(folder / f"{number}", (number, number))
    keep_newest(folder, 2)
    assert sorted(path.name for path in folder.iterdir()) == ["2", "3"]
    keep_newest(folder / "gone", 2)


def test_without_any_home_nothing_is_kept(tmp_path: Path) -> None:
    """A user id without an entry in the password file, as containers and CI run with."""
    code = (
        "import os, pwd\n"
        "pwd.getpwuid = lambda uid: (_ for _ in ()).throw(KeyError(uid))\n"
        "from pathlib import Path\n"
        "from layerstack.state_folder import state_folder, write_json, read_json\n"
        "print(write_json(state_folder(Path('.')) / 'a.json', {}), read_json(state_folder(Path('.')) / 'a.json'))\n"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False {}\n"
    assert done.stderr.count("warning:") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_relative_state_home_is_no_place_in_the_tree(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(project)
    write_json(state_folder(project) / "a.json", {})
    assert list(project.iterdir()) == []


def test_what_another_process_locks_out_costs_the_record(
    home: Path, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    path = state_folder(project) / "history.jsonl"
    append_line(path, json.dumps({}), 1000)
    monkeypatch.setattr(private_file, "LOCK_SECONDS", 0.1)
    with (path.parent / "history.lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        append_line(path, json.dumps({}), 1000)
        update_json(path, lambda known: {**known, "a": 1})
    assert read_text(path) == "{}\n"
    assert len(warnings(capsys)) == 1
