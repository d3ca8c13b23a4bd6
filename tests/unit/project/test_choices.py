"""Remembered choices: both files agree, the user's lines survive and win, nothing is written without need."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerstack.errors import UsageError
from layerstack.project import choices

USER_LINES = "# mine\nMONGO_USER=admin\n\nexport API_PORT = 3001\n"


def bake_variables(root: Path) -> dict[str, str]:
    document = json.loads((root / choices.BAKE_FILE).read_text())
    return {name: value["default"] for name, value in document["variable"].items()}


def test_nothing_remembered_means_no_files(tmp_path: Path) -> None:
    assert choices.read(tmp_path) == {}
    assert choices.remember(tmp_path, {}) == {}
    assert list(tmp_path.iterdir()) == []


def test_both_files_get_the_choice_and_env_starts_from_the_example(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text(USER_LINES)
    choices.remember(tmp_path, {"NODE_IMAGE": "stand-in/node:18", "DEVICE": "cpu"})
    text = (tmp_path / ".env").read_text()
    assert text.startswith(USER_LINES)
    assert "\nNODE_IMAGE=stand-in/node:18\n" in text
    assert bake_variables(tmp_path) == {"NODE_IMAGE": "stand-in/node:18", "DEVICE": "cpu"}
    assert choices.read(tmp_path) == {"NODE_IMAGE": "stand-in/node:18", "DEVICE": "cpu"}
    assert (tmp_path / ".env.example").read_text() == USER_LINES


def test_compose_variables_stay_out_of_bake(tmp_path: Path) -> None:
    choices.remember(tmp_path, {"COMPOSE_FILE": "a.yml:b.yml"})
    assert choices.read(tmp_path) == {"COMPOSE_FILE": "a.yml:b.yml"}
    assert not (tmp_path / choices.BAKE_FILE).exists()


def test_forgetting_everything_leaves_only_the_users_text(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(USER_LINES)
    choices.remember(tmp_path, {"A": "1", "B": "2"})
    choices.remember(tmp_path, {"A": None})
    assert choices.read(tmp_path) == {"B": "2"}
    choices.remember(tmp_path, {"B": None, "NEVER_SET": None})
    assert (tmp_path / ".env").read_text() == USER_LINES
    assert not (tmp_path / choices.BAKE_FILE).exists()


@pytest.mark.parametrize(
    "line",
    [
        "NODE_IMAGE=node:20\n",
        "  export NODE_IMAGE = 'node:20'\n",
        'NODE_IMAGE="node:20"',
        "NODE_IMAGE: node:20\n",
        "TAG=20\nNODE_IMAGE=node:${TAG}\n",
        'NODE_IMAGE="node\\x3a20" # never\nNODE_IMAGE="node:20" # as in production\n',
    ],
)
def test_the_users_own_line_wins_in_both_files_and_is_reported(tmp_path: Path, line: str) -> None:
    (tmp_path / ".env").write_text(line)
    assert choices.remember(tmp_path, {"NODE_IMAGE": "stand-in/node"}) == {"NODE_IMAGE": "node:20"}
    assert (tmp_path / ".env").read_text() == line
    assert bake_variables(tmp_path) == {"NODE_IMAGE": "node:20"}
    assert choices.read(tmp_path) == {"NODE_IMAGE": "node:20"}


def test_a_line_written_later_wins_too(tmp_path: Path) -> None:
    choices.remember(tmp_path, {"NODE_IMAGE": "stand-in/node"})
    with (tmp_path / ".env").open("a") as file:
        file.write("NODE_IMAGE=node:20\n")
    choices.remember(tmp_path, choices.read(tmp_path))
    assert bake_variables(tmp_path) == {"NODE_IMAGE": "node:20"}
    assert (tmp_path / ".env").read_text() == "NODE_IMAGE=node:20\n"


def test_an_empty_line_or_a_comment_is_no_choice_of_the_user(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NODE_IMAGE=\n#MONGO_IMAGE=mongo:5\n")
    assert choices.remember(tmp_path, {"NODE_IMAGE": "a", "MONGO_IMAGE": "b"}) == {}
    assert choices.read(tmp_path) == {"NODE_IMAGE": "a", "MONGO_IMAGE": "b"}


def test_unchanged_files_are_not_written(tmp_path: Path) -> None:
    choices.remember(tmp_path, {"A": "1", "B": "two words"})
    before = {file.name: (file.stat().st_ino, file.stat().st_mtime_ns) for file in tmp_path.iterdir()}
    choices.remember(tmp_path, {"B": "two words"})
    assert {file.name: (file.stat().st_ino, file.stat().st_mtime_ns) for file in tmp_path.iterdir()} == before


def test_other_content_of_the_bake_file_stays(tmp_path: Path) -> None:
    own = {"target": {"x": {"tags": ["y"]}}, "variable": {"LIST": {"default": ["a"]}}}
    (tmp_path / choices.BAKE_FILE).write_text(json.dumps(own))
    choices.remember(tmp_path, {"A": "1"})
    choices.remember(tmp_path, choices.read(tmp_path))
    choices.remember(tmp_path, {"A": None})
    assert json.loads((tmp_path / choices.BAKE_FILE).read_text()) == own


def test_mode_and_link_of_env_stay(tmp_path: Path) -> None:
    real = tmp_path / "secret" / "env"
    real.parent.mkdir()
    real.write_text("SECRET=1\n")
    real.chmod(0o600)
    (tmp_path / ".env").symlink_to(real)
    choices.remember(tmp_path, {"A": "1"})
    assert (tmp_path / ".env").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600
    assert "A=1" in real.read_text()


def test_text_that_is_not_utf8_and_windows_line_ends_survive(tmp_path: Path) -> None:
    original = b"NAME=caf\xe9\r\nNODE_IMAGE=node:20\r\n"
    (tmp_path / ".env").write_bytes(original)
    assert choices.remember(tmp_path, {"A": "1", "NODE_IMAGE": "x"}) == {"NODE_IMAGE": "node:20"}
    assert (tmp_path / ".env").read_bytes().startswith(original)
    choices.remember(tmp_path, {"A": None})
    assert (tmp_path / ".env").read_bytes() == original


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_broken_bake_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / choices.BAKE_FILE).write_text(content)
    with pytest.raises(UsageError, match=choices.BAKE_FILE):
        choices.remember(tmp_path, {"A": "1"})


@pytest.mark.parametrize("value", ["it's", "two\nlines", "C:\\"])
def test_a_value_that_cannot_be_written_changes_nothing(tmp_path: Path, value: str) -> None:
    with pytest.raises(UsageError, match="A cannot be remembered"):
        choices.remember(tmp_path, {"A": value})
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choices.remember(tmp_path, {"A": "1"})
    before = {file.name: file.read_text() for file in tmp_path.iterdir()}

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        choices.remember(tmp_path, {"A": "2"})
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == before


NAMES = st.sampled_from(["A", "NODE_IMAGE", "DEVICE", "LONG_NAME_2"])
VALUES = st.text(
    st.characters(blacklist_characters="'\r\n\0", blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1
)


@given(
    changes=st.lists(
        st.dictionaries(NAMES, st.none() | VALUES.filter(lambda value: value.strip() == value and value[-1] != "\\"))
    )
)
def test_what_was_remembered_is_read(
    tmp_path_factory: pytest.TempPathFactory, changes: list[dict[str, str | None]]
) -> None:
    root = tmp_path_factory.mktemp("choices")
    expected: dict[str, str] = {}
    for change in changes:
        choices.remember(root, change)
        expected = {name: value for name, value in {**expected, **change}.items() if value is not None}
        assert choices.read(root) == expected
    leftovers = {file.name for file in root.iterdir()} - {".env", choices.BAKE_FILE}
    assert leftovers == set()
