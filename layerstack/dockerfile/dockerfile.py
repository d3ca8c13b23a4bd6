"""A Dockerfile as stages of instructions with their lines: enough to say which step stands where.

Syntax rules as in BuildKit's own parser: `escape` directive, comments inside continuations, heredocs.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from layerstack.errors import UsageError

# Instructions that become a numbered step; FROM is number 1 of its stage.
STEP_KEYWORDS = ("RUN", "COPY", "ADD", "WORKDIR")
# A word of its own: `<<<word` and `1<<n` inside a shell command are none.
_HEREDOC = re.compile(r"(?:^|(?<=\s))\d*<<(?P<dash>-?)(?P<quote>[\"']?)(?P<word>[A-Za-z_][\w.]*)(?P=quote)(?=\s|$)")
_FROM = re.compile(r"^(?:--platform=(?P<platform>\S+)\s+)?(?P<base>\S+)(?:\s+AS\s+(?P<name>\S+))?\s*$", re.IGNORECASE)
_COPY_FROM = re.compile(r"--from=(\S+)")
_MOUNT_FROM = re.compile(r"--mount=\S*?\bfrom=([^,\s]+)")
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?:(?P<operator>:?[-+])(?P<word>[^}]*))?\}|(?P<plain>\w+))")
_PAIR = re.compile(r"(?P<name>\w+)(?:=(?P<value>\"(?:[^\"\\]|\\.)*\"|'[^']*'|\S*))?")


@dataclass(frozen=True)
class Instruction:
    """One instruction; `text` has continuations joined by a space, `heredocs` the documents that follow it.

    `raw` keeps every blank: in what goes to a shell they count.
    """

    keyword: str
    text: str
    line: int
    heredocs: tuple[str, ...] = ()
    raw: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """Stages, contexts or images that a COPY or a mount reads from."""
        return tuple(_COPY_FROM.findall(self.text) + _MOUNT_FROM.findall(self.text))


@dataclass(frozen=True)
class Stage:
    """One FROM and what follows. `base` and `platform` have build arguments filled in; `written` is the FROM itself."""

    index: int
    name: str
    base: str
    line: int
    instructions: tuple[Instruction, ...]
    platform: str = ""
    written: str = ""

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
    head: Stage | None = None

    def close() -> None:
        if head:
            stages.append(replace(head, instructions=tuple(body)))
            body.clear()

    for instruction in instructions(text):
        if instruction.keyword == "FROM":
            close()
            head = _stage(len(stages), instruction, path, {**defaults, **arguments})
        elif head:
            body.append(instruction)
        elif instruction.keyword == "ARG":
            for name, default in pairs(instruction.text):
                defaults[name] = expand(default or "", {**defaults, **arguments})
        else:
            raise UsageError(f"{path}:{instruction.line}: {instruction.keyword} stands before the first FROM.")
    close()
    if not stages:
        raise UsageError(f"{path} has no FROM instruction.")
    return Dockerfile(path, tuple(stages), defaults, tuple(_head(text)))


def _stage(index: int, instruction: Instruction, path: Path, values: Mapping[str, str]) -> Stage:
    match = _FROM.match(instruction.text)
    if not match:
        raise UsageError(f"{path}:{instruction.line}: FROM cannot be read: {instruction.text}")
    return Stage(
        index=index,
        name=match["name"] or f"stage-{index}",
        base=expand(match["base"], values),
        line=instruction.line,
        instructions=(),
        platform=expand(match["platform"] or "", values),
        written=instruction.text,
    )


def instructions(text: str) -> Iterator[Instruction]:
    """All instructions in file order."""
    lines = text.splitlines()
    escape = _escape_character(lines)
    position = 0
    while position < len(lines):
        first = position
        joined, raw, position = _join(lines, position, escape)
        if not joined:
            continue
        keyword, rest = (*joined.split(None, 1), "")[:2]
        heredocs: list[str] = []
        if keyword.upper() in ("RUN", "COPY", "ADD"):
            for match in _HEREDOC.finditer(rest):
                document, position = _heredoc(lines, position, match["word"], bool(match["dash"]))
                heredocs += [document] if document is not None else []
        kept = (*raw.split(None, 1), "")[1]
        yield Instruction(keyword.upper(), rest.strip(), first + 1, tuple(heredocs), kept.strip())


def expand(text: str, values: Mapping[str, str]) -> str:
    """Fill in `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+word}`; unknown names become empty, as in BuildKit.

    Other forms (`${NAME#prefix}`) stay as they are: a `$` in the result says that it is not known.
    """

    def value(match: re.Match[str]) -> str:
        found = values.get(match["braced"] or match["plain"])
        operator = match["operator"] or ""
        is_set = bool(found) if operator.startswith(":") else found is not None
        if operator.endswith("+"):
            return expand(match["word"], values) if is_set else ""
        return found or "" if is_set or not operator else expand(match["word"], values)

    return _VARIABLE.sub(value, text)


def variables(text: str) -> set[str]:
    """Names of the variables that a text uses."""
    return {match["braced"] or match["plain"] for match in _VARIABLE.finditer(text)}


def pairs(text: str) -> Iterator[tuple[str, str | None]]:
    """(name, value) of an ARG or ENV; None for a name alone. The old form `ENV NAME value` is one pair."""
    first, *rest = text.split(None, 1)
    if "=" not in first and rest and "=" not in rest[0].split()[0]:
        yield first, rest[0].strip()
        return
    for match in _PAIR.finditer(text):
        value = match["value"]
        yield match["name"], value if value is None or value[:1] not in "\"'" else value[1:-1]


def _join(lines: list[str], position: int, escape: str) -> tuple[str, str, int]:
    """One instruction with its continuation lines, trimmed and raw (comments and empty lines between do not count)."""
    parts: list[str] = []
    raw: list[str] = []
    continued = re.compile(rf"(^|[^{re.escape(escape)}]){re.escape(escape)}[ \t]*$")
    while position < len(lines):
        line = lines[position]
        position += 1
        is_blank = not line.strip() or line.lstrip().startswith("#")
        if is_blank and parts:
            continue
        if is_blank:
            return "", "", position
        is_continued = continued.search(line) is not None
        kept = continued.sub(r"\1", line) if is_continued else line
        raw.append(kept)
        parts.append(kept.strip())
        if not is_continued:
            break
    return " ".join(part for part in parts if part), "".join(raw), position


def _heredoc(lines: list[str], position: int, word: str, strips_tabs: bool) -> tuple[str | None, int]:
    """The document and where it ends; None when nothing ends it: then it was a shift or text in quotes."""
    found = [line.lstrip("\t") if strips_tabs else line for line in lines[position:]]
    if word not in found:
        return None, position
    length = found.index(word)
    return "\n".join(found[:length]), position + length + 1


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
