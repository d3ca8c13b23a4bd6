"""The build context as BuildKit's client would send it: walked once, filtered by .dockerignore.

The matching rules are those of moby/patternmatcher and tonistiigi/fsutil's filter (negation, `**`, parent results,
Dockerfile-specific ignore files); tests compare them with what a real engine receives.
"""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

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

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode)

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.mode)


@dataclass(frozen=True)
class Pattern:
    """One line of an ignore file."""

    expression: re.Pattern[str]
    is_exception: bool
    prefix: str = ""

    def may_match_below(self, folder: str) -> bool:
        """Whether something in this folder could match; True when in doubt."""
        return (folder + "/").startswith(self.prefix) or self.prefix.startswith(folder + "/")


def ignore_file(folder: Path, dockerfile: str = "Dockerfile") -> Path | None:
    """The ignore file that holds for this Dockerfile: its own `.dockerignore` first, then the folder's.

    A named context has no Dockerfile: "".
    """
    own = [Path(f"{folder / dockerfile}.dockerignore")] if dockerfile else []
    return next((path for path in (*own, folder / ".dockerignore") if path.is_file()), None)


def read_patterns(path: Path | None) -> tuple[Pattern, ...]:
    """The rules of an ignore file. Raises UsageError with the line of a rule that cannot be read."""
    return parse_patterns(read_rules(path), path or Path(".dockerignore"))


def read_rules(path: Path | None) -> str:
    """The text of an ignore file; empty where there is none."""
    return path.read_text(encoding="utf-8-sig", errors="surrogateescape") if path else ""


def is_ignored(rules: str, path: str) -> bool:
    """Whether an ignore file with this text keeps a path out of the context."""
    return is_left_out(parse_patterns(rules, Path(".dockerignore")), path)


def is_left_out(patterns: Sequence[Pattern], path: str) -> bool:
    """Whether rules that are already parsed keep a path out of the context."""
    parts = path.split("/")
    ignored = False
    matches: list[bool] = []
    for count in range(len(parts)):
        ignored, matches = _match(patterns, "/".join(parts[: count + 1]), matches)
    return ignored


def parse_patterns(text: str, path: Path) -> tuple[Pattern, ...]:
    """The rules in a text. Raises UsageError that names the line in `path`."""
    rules = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#") or not line.strip():
            continue
        try:
            rules.append(_pattern(line.strip()))
        except (re.error, ValueError) as error:
            raise UsageError(f"{path}:{number}: `{line.strip()}` is not a valid ignore rule: {error}") from error
    return tuple(rules)


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
            is_ignored, matches = _match(patterns, path, parent_matches)
            is_folder = item.is_dir(follow_symlinks=False)
            if is_ignored and not (is_folder and any(pattern.may_match_below(path) for pattern in exceptions)):
                continue
            entry = _entry(path, item)
            if entry is None:
                continue
            if is_ignored:
                held[path] = entry
            else:
                yield from _released(held, path)
                yield entry
            if is_folder:
                yield from visit(path, matches)
                held.pop(path, None)

    yield from visit("", ())


def covering(pattern: str) -> "re.Pattern[str]":
    """A COPY source as a regular expression: it matches what the pattern names and everything below that."""
    wanted = os.path.normpath(f"/{pattern}").lstrip("/")
    try:
        return re.compile(_expression(wanted).removesuffix(r"\Z") + r"(/.*)?\Z" if wanted else "", re.DOTALL)
    except re.error:
        return re.compile("")


def wildcard(pattern: str) -> "re.Pattern[str]":
    """A path pattern as a regular expression that matches the whole path; one that cannot be read matches all."""
    try:
        return re.compile(_expression(pattern), re.DOTALL)
    except re.error:
        return re.compile("")


def _scan(folder: Path, relative: str) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder / relative) as items:
            return sorted(items, key=lambda item: item.name)
    except OSError as error:
        raise UsageError(f"The build context cannot be read: {folder / relative}: {error.strerror}.") from error


def _entry(path: str, item: "os.DirEntry[str]") -> Entry | None:
    """None for what is never sent: sockets, and files that vanish while they are read."""
    try:
        status = item.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISSOCK(status.st_mode):
        return None
    return Entry(path, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def _released(held: dict[str, Entry], path: str) -> Iterator[Entry]:
    """The ignored folders above an entry that came back: they are sent too."""
    for folder in [name for name in held if path.startswith(name + "/")]:
        yield held.pop(folder)


def _match(patterns: Sequence[Pattern], path: str, parent_matches: Sequence[bool]) -> tuple[bool, list[bool]]:
    """Whether a path is ignored, and which rules said so for its children (patternmatcher's parent results)."""
    is_ignored = False
    matches = [False] * len(patterns)
    for index, pattern in enumerate(patterns):
        is_match = bool(parent_matches) and parent_matches[index]
        if not is_match:
            if pattern.is_exception != is_ignored:
                continue
            is_match = pattern.expression.match(path) is not None
        matches[index] = is_match
        if is_match:
            is_ignored = not pattern.is_exception
    return is_ignored, matches


def _pattern(line: str) -> Pattern:
    is_exception = line.startswith("!")
    text = line[1:].strip() if is_exception else line
    if not text:
        raise ValueError("an exception needs a path")
    text = os.path.normpath(text).lstrip("/") or "."
    prefix = re.split(r"[*?\[\\]", text, maxsplit=1)[0]
    return Pattern(re.compile(_expression(text), re.DOTALL), is_exception, prefix)


def _expression(text: str) -> str:
    """A rule as a regular expression: `*` and `?` stop at `/`, `**` does not, `[...]` is a class."""
    parts = ["^"]
    position = 0
    while position < len(text):
        character = text[position]
        position += 1
        if character == "*":
            part, position = _star(text, position)
            parts.append(part)
        elif character == "?":
            parts.append("[^/]")
        elif character == "\\" and position < len(text):
            # As in Go's version the character stays an escape of the regular expression: `\\d` is a digit there too.
            parts.append("\\" + text[position])
            position += 1
        elif character in "[]":
            parts.append(character)
        else:
            parts.append(character if character in "-^" else re.escape(character))
    return "".join(parts) + r"\Z"


def _star(text: str, position: int) -> tuple[str, int]:
    if position >= len(text) or text[position] != "*":
        return "[^/]*", position
    position += 1
    if position < len(text) and text[position] == "/":
        position += 1
    return (".*" if position >= len(text) else "(.*/)?"), position
