"""Linked worktrees are told from the main one, and know the same project in all the others."""

from pathlib import Path

import pytest
from git_repository import add_worktree, git, make_repository

from layerstack.project.worktree import branch_of, find_worktree


def test_the_main_worktree_and_a_folder_without_git_are_none(tmp_path: Path) -> None:
    main = make_repository(tmp_path / "main", {"compose.yaml": ""})
    add_worktree(main, "second", "feature")
    assert find_worktree(main) is None
    assert find_worktree(tmp_path) is None
    assert branch_of(tmp_path) == ""


def test_a_linked_one_knows_its_branch_and_the_others(tmp_path: Path) -> None:
    main = make_repository(tmp_path / "main", {"app/compose.yaml": ""})
    second, third = add_worktree(main, "second", "feature/x"), add_worktree(main, "third")
    found = find_worktree(second / "app")
    assert found
    assert (found.folder, found.branch, found.label) == (second, "feature/x", "feature/x")
    assert found.main == main / "app"
    assert set(found.projects) == {main / "app", second / "app", third / "app"}
    assert branch_of(second / "app") == "feature/x"
    detached = find_worktree(third / "app")
    assert detached
    assert (detached.branch, detached.label) == ("", "third")


def test_worktrees_of_a_bare_repository_have_no_main_one(tmp_path: Path) -> None:
    main = make_repository(tmp_path / "main", {"compose.yaml": ""})
    git(tmp_path, "clone", "--quiet", "--bare", str(main), "bare.git")
    found = find_worktree(add_worktree(tmp_path / "bare.git", "second", "x"))
    assert found
    assert (found.main, found.projects) == (None, (tmp_path / "second",))


def test_without_the_program_there_is_no_worktree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = add_worktree(make_repository(tmp_path / "main", {"compose.yaml": ""}), "second", "x")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_worktree(second) is None
