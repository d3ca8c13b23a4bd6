"""The build context as BuildKit's client would send it: walked once, filtered by .dockerignore.

The matching rules are those of moby/patternmatcher and tonistiigi/fsutil's filter (negation, `**`, parent results,
Dockerfile-specific ignore files); tests compare them with what a real engine receives.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from layerstack.dockerfile import ignore_rules
from layerstack.dockerfile.dockerfile import find
from layerstack.dockerfile.ignore_rules import Pattern, is_left_out, parse_patterns
from layerstack.dockerfile.image import Image
from layerstack.errors import UsageError


@dataclass(frozen=True)
class Entry:
    """One file, folder or link of a context. `path` is relative and uses `/`; undecodable bytes are surrogates."""

    path: str
    mode: int
    size: int
    mtime_ns: int
    changed_ns: int
    inode: int
    # A device node has no content: BuildKit compares its number.
    device: int = 0

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode)

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.mode)

    @property
    def is_socket(self) -> bool:
        return stat.S_ISSOCK(self.mode)


@dataclass(frozen=True)
class Context:
    """A folder that a build gets; `dockerfile` is "" where none has ignore rules of its own: of a named context, or
    inline."""

    folder: Path
    dockerfile: str = "Dockerfile"

    @cached_property
    def ignore_file(self) -> Path | None:
        """The file whose rules hold here. A link is followed inside its folder only."""
        # The Dockerfile's own file replaces that of the folder: BuildKit does not merge the two.
        own = find(self.folder / self.dockerfile) if self.dockerfile else None
        found = _inside(own.parent, f"{own.name}.dockerignore") if own else None
        return found or _inside(self.folder, ".dockerignore")

    @cached_property
    def rules(self) -> str:
        """The text of the ignore file; empty where there is none."""
        # A byte order mark is no part of the first rule, and names of files need not be UTF-8.
        return self.ignore_file.read_bytes().decode("utf-8-sig", errors="surrogateescape") if self.ignore_file else ""

    @cached_property
    def patterns(self) -> tuple[Pattern, ...]:
        """The rules. Raises UsageError."""
        return parse_patterns(self.rules, self.ignore_file or Path(".dockerignore"))

    def require_rules(self) -> None:
        """Raises UsageError with the line of a rule that cannot be read."""
        _ = self.patterns

    def walk(self) -> Iterator[Entry]:
        """Everything that the engine receives. Raises UsageError."""
        return walk(self.folder, self.patterns)

    def rule_against(self, path: str) -> tuple[int, str]:
        """(line, text) of the rule that keeps a path out; (0, "") where it is sent."""
        if not is_left_out(self.patterns, path):
            return 0, ""
        lines = self.rules.split("\n")
        rules = [(number, one) for number, line in enumerate(lines, 1) for one in parse_patterns(line, self.folder)]
        patterns = [one for _, one in rules]
        # An exception further down may let a file in again: it is the last rule above which the file is still sent.
        sent = max(count for count in range(len(rules)) if not is_left_out(patterns[:count], path))
        number = rules[sent][0]
        return number, lines[number - 1].strip()


def contexts_of(root: Path, image: Image) -> dict[str, Context]:
    """Context name → context, for those that are folders; "" is the build context."""
    return {name: Context(root / folder, "" if name else image.dockerfile) for name, folder in image.folders.items()}


def _inside(folder: Path, name: str) -> Path | None:
    """The file behind a name; links that lead out of the folder are not followed, as nothing outside is sent."""
    path = folder / name
    if not path.is_symlink():
        return path if path.is_file() else None
    try:
        real, root = path.resolve(), folder.resolve()
    # Before Python 3.13 a circle of links is a RuntimeError.
    except (OSError, RuntimeError):
        return None
    return path if real.is_file() and real.is_relative_to(root) else None


def walk(folder: Path, patterns: Sequence[Pattern] = ()) -> Iterator[Entry]:
    """Everything the engine would receive from `folder`, in path order, parents before children.

    An ignored folder is still entered while an exception could bring a file back; it is then part of the context.
    Raises UsageError for a folder or file that cannot be read.
    """
    exceptions = [pattern for pattern in patterns if pattern.is_exception]
    held: dict[str, Entry] = {}

    def visit(relative: str, parent_matches: Sequence[bool]) -> Iterator[Entry]:
        for item in _scan(folder, relative):
            path = f"{relative}/{item.name}" if relative else item.name
            is_ignored, matches = ignore_rules.match(patterns, path, parent_matches)
            is_folder = item.is_dir(follow_symlinks=False)
            if is_ignored and not (is_folder and any(pattern.may_match_below(path) for pattern in exceptions)):
                continue
            entry = _entry(path, item)
            if entry is None:
                continue
            if is_ignored:
                # Not part of the context yet: that is decided by what is found below it.
                held[path] = entry
            else:
                yield from _released(held, path)
                yield entry
            if is_folder:
                yield from visit(path, matches)
                held.pop(path, None)

    yield from visit("", ())


def _scan(folder: Path, relative: str) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder / relative) as items:
            return sorted(items, key=lambda item: item.name)
    except OSError as error:
        raise UsageError(f"The build context cannot be read: {folder / relative}: {error.strerror}.") from error


def _entry(path: str, item: "os.DirEntry[str]") -> Entry | None:
    """The entry of a file; None when it vanishes meanwhile."""
    try:
        status = item.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    size, times = status.st_size, (status.st_mtime_ns, status.st_ctime_ns)
    return Entry(path, status.st_mode, size, *times, status.st_ino, status.st_rdev)


def _released(held: dict[str, Entry], path: str) -> Iterator[Entry]:
    """The ignored folders above an entry that a rule brings back: they are sent too."""
    for folder in [name for name in held if path.startswith(name + "/")]:
        yield held.pop(folder)
