"""Kept answers: given again for the very same question only, and never a reason to fail."""

from pathlib import Path

import pytest

from layerstack.memory_folder import memory_folder
from layerstack.project import answers

ARGV = ("docker", "compose", "config")


def key(root: Path, argv: tuple[str, ...] = ARGV, **environment: str) -> str:
    return answers.key_of(root, argv, environment, [root / "docker-compose.yml"])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "docker-compose.yml").write_text("services: {}\n")
    return tmp_path


def test_the_same_question_has_the_same_key(root: Path) -> None:
    assert key(root) == key(root) != ""


def test_another_command_environment_or_file_is_another_question(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = key(root)
    keys = {first, key(root, (*ARGV, "--quiet")), key(root, DEVICE="cpu")}
    monkeypatch.setenv("WEB_PORT", "9")
    keys.add(key(root))
    monkeypatch.delenv("WEB_PORT")
    (root / ".env").write_text("WEB_PORT=9\n")
    keys.add(key(root))
    (root / ".env").unlink()
    (root / "docker-compose.yml").write_text("services: {web: {}}\n")
    keys.add(key(root))
    assert len(keys) == 6


def test_a_touched_file_is_the_same_question(root: Path) -> None:
    first = key(root)
    (root / "docker-compose.yml").touch()
    assert key(root) == first


@pytest.mark.parametrize(
    "word",
    ["include:\n  - other.yml", "x:\n    env_file: a.env", "x:\n  extends: {service: y}", "x: {env_file: [a.env]}"],
)
def test_files_that_reach_further_have_no_key(root: Path, word: str) -> None:
    (root / "docker-compose.yml").write_text(f"{word}\n")
    assert key(root) == ""
    answers.keep(root, "", "text")
    assert answers.recall(root, "") is None


def test_an_answer_is_recalled_until_it_is_among_the_oldest(root: Path) -> None:
    for number in range(answers.MOST_KEPT + 1):
        answers.keep(root, f"key{number}", f"text{number}")
    assert answers.recall(root, "key0") is None
    assert answers.recall(root, "key1") == "text1"
    assert answers.recall(root, f"key{answers.MOST_KEPT}") == f"text{answers.MOST_KEPT}"


@pytest.mark.parametrize("damage", ["", "{", "[]", "\0"])
def test_a_damaged_store_is_an_empty_one(root: Path, damage: str) -> None:
    answers.keep(root, "key", "text")
    kept = memory_folder(root)
    assert kept
    (kept / "answers.json").write_text(damage)
    assert answers.recall(root, "key") is None
    answers.keep(root, "key", "again")
    assert answers.recall(root, "key") == "again"
