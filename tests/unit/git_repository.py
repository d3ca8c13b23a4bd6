"""A repository of git with worktrees, made with the real program."""

import subprocess
from pathlib import Path

IDENTITY = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "init.defaultBranch=main")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *IDENTITY, *words], cwd=folder, check=True, capture_output=True)


def make_repository(folder: Path, files: dict[str, str]) -> Path:
    """A checkout with one commit."""
    folder.mkdir()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


def add_worktree(main: Path, name: str, branch: str = "") -> Path:
    """A linked worktree beside the main one, on a branch of its own or detached."""
    place = main.with_name(name)
    git(main, "worktree", "add", "--quiet", *(("-b", branch) if branch else ("--detach",)), str(place))
    return place
