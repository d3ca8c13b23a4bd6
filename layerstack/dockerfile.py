"""A Dockerfile as stages of instructions with their lines: enough to say which step stands where.

Syntax rules as in BuildKit's own parser: `escape` directive, comments inside continuations, heredocs.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from layerstack.errors import UsageError

# Instructions that become a numbered step; FROM is number 1 of its stage.
STEP_KEYWORDS = ("RUN", "COPY", "ADD", "WORKDIR")
_HEREDOC = re.compile(r"<<(?P<dash>-?)(?P<quote>[\"']?)(?P<word>[A-Za-z_][A-Za-z0-9_.]*)(?P=quote)")
_FROM = re.compile(r"^(?:--platform=\S+\s+)?(?P<base>\S+)(?:\s+AS\s+(?P<name>\S+))?\s*$", re.IGNORECASE)
_COPY_FROM = re.compile(r"--from=(\S+)")
_MOUNT_FROM = re.compile(r"--mount=\S*?\bfrom=([^,\s]+)")
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::-(?P<default>[^}]*))?[^}]*\}|(?P<plain>\w+))")


@dataclass(frozen=True)
class Instruction:
    """One instruction; `text` has continuations joined by a space, `heredocs` the documents that follow it."""

    keyword: str
    text: str
    line: int
    heredocs: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Stages, contexts or images that a COPY or a mount reads from."""
        return tuple(_COPY_FROM.findall(self.text) + _MOUNT_FROM.findall(self.text))


@dataclass(frozen=True)
class Stage:
    """One FROM and what follows. `base` has build arguments filled in where their values are known."""

    index: int
    name: str
    base: str
    line: int
    instructions: tuple[Instruction, ...]

    @property
    def steps(self) -> tuple[Instruction, ...]:
        """The instructions that BuildKit numbers, in order: step 2 of the stage is the first."""
        return tuple(one for one in self.instructions if one.keyword in STEP_KEYWORDS)

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.base, *(source for one in self.instructions for source in one.sources))


@dataclass(frozen=True)
class Dockerfile:
    """All stages; `arguments` are the defaults declared before the first FROM."""

    path: Path
    stages: tuple[Stage, ...]
    arguments: Mapping[str, str]
    head: tuple[str, ...] = ()

    def stage(self, name: str) -> Stage | None:
        """By name or number; the last one for an empty name."""
        if not name:
            return self.stages[-1] if self.stages else None
        found = (one for one in reversed(self.stages) if name.lower() in (one.name.lower(), str(one.index)))
        return next(found, None)

    def reachable(self, target: str = "") -> tuple[Stage, ...]:
        """The stages that building `target` needs, in file order."""
        needed: dict[int, Stage] = {}
        waiting = [self.stage(target)]
        while waiting:
            stage = waiting.pop()
            if stage is None or stage.index in needed:
                continue
            needed[stage.index] = stage
            waiting.extend(self._earlier(source, stage) for source in stage.sources)
        return tuple(needed[index] for index in sorted(needed))

    def _earlier(self, name: str, stage: Stage) -> Stage | None:
        found = self.stage(name) if name else None
        return found if found and found.index < stage.index else None


def read(path: Path, arguments: Mapping[str, str] | None = None) -> Dockerfile:
    """Read a file. Raises UsageError when it is not there or has no FROM."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise UsageError(f"The Dockerfile cannot be read: {path}: {error.strerror}.") from error
    return parse(text, path, arguments or {})


def parse(text: str, path: Path, arguments: Mapping[str, str]) -> Dockerfile:
    """Split into stages. Raises UsageError for a file without FROM or with an instruction before it."""
    defaults: dict[str, str] = {}
    stages: list[Stage] = []
    body: list[Instruction] = []
    head: tuple[str, str, int] | None = None

    def close() -> None:
        if head:
            base, name, line = head
            stages.append(Stage(len(stages), name or f"stage-{len(stages)}", base, line, tuple(body)))
            body.clear()

    for instruction in instructions(text):
        if instruction.keyword == "FROM":
            close()
            match = _FROM.match(instruction.text)
            if not match:
                raise UsageError(f"{path}:{instruction.line}: FROM cannot be read: {instruction.text}")
            base = expand(match["base"], {**defaults, **arguments})
            head = (base, match["name"] or "", instruction.line)
        elif head:
            body.append(instruction)
        elif instruction.keyword == "ARG":
            defaults.update(_argument_defaults(instruction.text))
        else:
            raise UsageError(f"{path}:{instruction.line}: {instruction.keyword} stands before the first FROM.")
    close()
    if not stages:
        raise UsageError(f"{path} has no FROM instruction.")
    return Dockerfile(path, tuple(stages), defaults, tuple(_head(text)))


def instructions(text: str) -> Iterator[Instruction]:
    """All instructions in file order."""
    lines = text.splitlines()
    escape = _escape_character(lines)
    position = 0
    while position < len(lines):
        first = position
        joined, position = _join(lines, position, escape)
        if not joined:
            continue
        keyword, _, rest = joined.partition(" ")
        heredocs: list[str] = []
        if keyword.upper() in ("RUN", "COPY", "ADD"):
            for match in _HEREDOC.finditer(rest):
                document, position = _heredoc(lines, position, match["word"], bool(match["dash"]))
                heredocs.append(document)
        yield Instruction(keyword.upper(), rest.strip(), first + 1, tuple(heredocs))


def expand(text: str, values: Mapping[str, str]) -> str:
    """Fill in `$NAME`, `${NAME}` and `${NAME:-default}`; unknown names become empty, as in BuildKit."""

    def value(match: re.Match[str]) -> str:
        return values.get(match["braced"] or match["plain"]) or match["default"] or ""

    return _VARIABLE.sub(value, text)


def _join(lines: list[str], position: int, escape: str) -> tuple[str, int]:
    """One instruction with its continuation lines (comments and empty lines in between do not count)."""
    parts: list[str] = []
    while position < len(lines):
        line = lines[position]
        position += 1
        is_blank = not line.strip() or line.lstrip().startswith("#")
        if is_blank and parts:
            continue
        if is_blank:
            return "", position
        stripped = line.rstrip()
        if not stripped.endswith(escape):
            parts.append(stripped.strip())
            break
        parts.append(stripped[: -len(escape)].strip())
    return " ".join(part for part in parts if part), position


def _heredoc(lines: list[str], position: int, word: str, strips_tabs: bool) -> tuple[str, int]:
    document: list[str] = []
    while position < len(lines):
        line = lines[position].lstrip("\t") if strips_tabs else lines[position]
        position += 1
        if line == word:
            break
        document.append(line)
    return "\n".join(document), position


def _head(text: str) -> Iterator[str]:
    """The comment lines at the very top, where parser directives stand."""
    for line in text.splitlines():
        if not line.startswith("#"):
            return
        yield line


def _escape_character(lines: list[str]) -> str:
    for line in lines:
        match = re.match(r"^#\s*(\w+)\s*=\s*(\S+)\s*$", line)
        if not match:
            return "\\"
        if match[1].lower() == "escape":
            return match[2]
    return "\\"


def _argument_defaults(text: str) -> dict[str, str]:
    pairs = (word.partition("=") for word in text.split())
    return {name: value.strip("\"'") for name, _, value in pairs}
