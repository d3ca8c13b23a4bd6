"""Whether a project is in a linked worktree of git (`git worktree add`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from layerstack import command
from layerstack.errors import StackError

GIT_SECONDS = 5.0


@dataclass(frozen=True)
class Worktree:
    """`branch` is "" for a detached head; `main` is the project's folder in the main worktree, None where that is bare.

    `projects` are the folders of the same project in all worktrees, the main one and its own among them.
    """

    folder: Path
    branch: str
    main: Path | None
    projects: tuple[Path, ...]

    @property
    def label(self) -> str:
        """Its branch, else its folder."""
        return self.branch or self.folder.name


def find_worktree(root: Path) -> Worktree | None:
    """The linked worktree that contains a project; None in the main one and outside git."""
    entries = list(_read_worktrees(root))
    real = root.resolve()
    around = [entry for entry in entries if real.is_relative_to(entry["worktree"])]
    # A worktree may be inside another one, such as the main one.
    own = max(around, key=lambda entry: len(entry["worktree"]), default=None)
    if own is None or own is entries[0]:
        return None
    inside = real.relative_to(own["worktree"])
    with_files = [Path(entry["worktree"], inside) for entry in entries if "bare" not in entry]
    return Worktree(
        Path(own["worktree"]),
        own.get("branch", "").removeprefix("refs/heads/"),
        None if "bare" in entries[0] else with_files[0],
        tuple(folder for folder in with_files if folder.is_dir()),
    )


def branch_of(folder: Path) -> str:
    """The branch of a folder; "" for a detached head and outside git."""
    return _git(folder, "branch", "--show-current").strip()


def _read_worktrees(root: Path) -> Iterator[dict[str, str]]:
    """The main worktree first, as git lists it; keys as in `git worktree list --porcelain`."""
    for block in _git(root, "worktree", "list", "--porcelain").split("\n\n"):
        lines = (line.partition(" ") for line in block.splitlines() if line)
        if entry := {key: value for key, _, value in lines}:
            yield entry


def _git(folder: Path, *words: str) -> str:
    """The output of git, "" when it fails or is not installed: only the name of a worktree depends on it."""
    try:
        return command.run(("git", *words), cwd=folder, timeout_seconds=GIT_SECONDS).stdout
    except (StackError, OSError):
        return ""
