"""Kept answers: given again for the very same question only, without passwords, and never a reason to fail."""

from pathlib import Path
from typing import Any

import pytest

from layerstack.project import answers
from layerstack.state_folder import state_folder

CALLS = (("docker", "compose", "config"), ("docker", "compose", "build", "--print"))
ANSWER = {"answer": {"name": "shop"}}


def key(root: Path, calls: Any = CALLS, **environment: str) -> str:
    return answers.key_of(root, calls, environment)


def keep(root: Path, key: str, answer: Any = ANSWER, **variables: str) -> None:
    answers.keep(root, key, answers.digests_of([root / "compose.yaml", root / "a.env"]), answer, variables)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "compose.yaml").write_text("services: {}\n")
    return folder


def test_the_same_question_has_the_same_key(root: Path) -> None:
    assert key(root) == key(root)


def test_another_call_environment_folder_or_program_is_another_question(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {key(root), key(root, CALLS[:1]), key(root, DEVICE="cpu"), key(tmp_path)}
    monkeypatch.setenv("WEB_PORT", "9")
    keys.add(key(root))
    monkeypatch.setenv("PWD", "/elsewhere")
    keys.add(key(root))
    plugins = tmp_path / "docker" / "cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-compose").write_text("another version")
    keys.add(key(root))
    assert len(keys) == 7


def test_an_answer_counts_while_every_file_is_as_it_was(root: Path) -> None:
    keep(root, key(root))
    (root / "compose.yaml").touch()
    assert answers.recall(root, key(root)) == ANSWER
    (root / "a.env").write_text("A=1\n")  # it was not there before
    assert answers.recall(root, key(root)) is None


def test_a_changed_file_makes_the_answer_old(root: Path) -> None:
    keep(root, key(root))
    (root / "compose.yaml").write_text("services: {web: {}}\n")
    assert answers.recall(root, key(root)) is None


def test_a_file_that_is_saved_while_the_answer_is_awaited_makes_it_old(root: Path) -> None:
    before = answers.digests_of([root / "compose.yaml"])
    (root / "compose.yaml").write_text("services: {web: {}}\n")
    answers.keep(root, "key", before, ANSWER, {})
    assert answers.recall(root, "key") is None


def test_a_changed_docker_config_makes_the_answer_old(root: Path, tmp_path: Path) -> None:
    keep(root, key(root))
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "config.json").write_text('{"proxies": {}}')
    assert answers.recall(root, key(root)) is None


@pytest.mark.parametrize("function", ["timestamp()", "uuidv4 ()", 'bcrypt("a", 10)'])
def test_an_answer_with_a_value_that_is_ever_new_is_not_kept(root: Path, function: str) -> None:
    (root / "docker-bake.hcl").write_text(f'target "app" {{ args = {{ V = {function} }} }}\n')
    answers.keep(root, "key", answers.digests_of([root / "docker-bake.hcl"]), ANSWER, {})
    assert answers.recall(root, "key") is None


@pytest.mark.parametrize(
    ("answer", "variables"),
    [
        ({"args": {"NPM_TOKEN": "x"}}, {}),
        ({"args": {"URL": "https://me:hidden@host/x"}}, {}),
        ({"labels": {"l": "is s3cret!"}}, {"DB_PASSWORD": "s3cret!"}),
    ],
)
def test_an_answer_with_a_password_is_not_kept(root: Path, answer: Any, variables: dict[str, str]) -> None:
    keep(root, "key", answer, **variables)
    assert answers.recall(root, "key") is None


@pytest.mark.parametrize(
    ("answer", "variables"),
    [
        ({"secret": [{"id": "npm_token", "env": "NPM_TOKEN"}]}, {}),
        ({"args": {"NPM_TOKEN": ""}}, {}),
        ({"args": {"V": "a1"}}, {"TOKEN": "1"}),
        ({"args": {"V": "https://host:80/x"}}, {"PASSWORD": "other"}),
    ],
)
def test_what_only_looks_like_a_password_is_kept(root: Path, answer: Any, variables: dict[str, str]) -> None:
    keep(root, "key", answer, **variables)
    assert answers.recall(root, "key") == answer


def test_only_the_newest_are_kept(root: Path) -> None:
    for number in range(answers.MOST_KEPT + 3):
        keep(root, f"key{number}")
    assert len(list((state_folder(root) / "answers").glob("*.json"))) == answers.MOST_KEPT
    assert answers.recall(root, f"key{answers.MOST_KEPT + 2}") == ANSWER


@pytest.mark.parametrize("damage", ["", "{", "[]", "\0", '{"files": 1}', '{"files": {}}'])
def test_a_damaged_answer_is_none(root: Path, damage: str) -> None:
    keep(root, "key")
    (state_folder(root) / "answers" / "key.json").write_text(damage)
    assert answers.recall(root, "key") is None
    keep(root, "key")
    assert answers.recall(root, "key") == ANSWER
