"""A Dockerfile as stages of instructions with their lines, split by BuildKit's own parser.

What PyPI's `dockerfile` (3.4) leaves out is read beside it: parser directives, the heredocs of an ONBUILD, and the
blanks that newer parsers than its own allow between `<<` and a heredoc's name.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import dockerfile as buildkit

from layerstack.dockerfile import shell_words
from layerstack.errors import UsageError

# Instructions that become a numbered step; FROM is number 1 of its stage.
STEP_KEYWORDS = ("RUN", "COPY", "ADD", "WORKDIR")
DEFAULT_NAME = "Dockerfile"
_DIRECTIVE = re.compile(r"^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
# `<< -END` is a heredoc called `-END`, which the older parser reads only when the dash is quoted.
_BLANK_BEFORE_NAME = re.compile(r"<<[ \t]+(-?)(?=[^\s<])")
_NAME_ON_NEXT_LINE = re.compile(r"<<\s*[\\`]\s*$")
_ONBUILD = re.compile(r"^\s*ONBUILD\s*", re.IGNORECASE)
_KEYWORD = re.compile(r"^\s*\S+\s*")


@dataclass(frozen=True)
class Instruction:
    """One instruction as the parser split it.

    `text` is for people and for comparing, with single blanks; `raw` keeps every blank, because in what goes to a
    shell they count. `words` and `flags` are what the parser made of it: a flag has lost its quotes, a word has not
    unless it stood in a JSON list. `trigger` is the instruction inside an ONBUILD.
    """

    keyword: str
    text: str
    line: int
    heredocs: tuple[str, ...] = ()
    raw: str = ""
    words: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    is_json: bool = False
    trigger: "Instruction | None" = None

    def flag(self, name: str) -> str:
        """The value of `--name=value`; `true` for a flag without one, empty when it is not there."""
        return next(iter(self.flag_values(name)), "")

    def flag_values(self, name: str) -> tuple[str, ...]:
        parts = (flag.removeprefix("--").partition("=") for flag in self.flags)
        return tuple(value if equals else "true" for found, equals, value in parts if found == name)

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Stages, contexts or images that a COPY or a mount reads from."""
        copied = self.flag_values("from") if self.keyword in ("COPY", "ADD") else ()
        mounted = (options.get("from", "") for options in self.mounts)
        return (*copied, *(name for name in mounted if name))

    @property
    def mounts(self) -> tuple[dict[str, str], ...]:
        """The options of every `--mount` of a RUN; their names are the same in any case."""
        return tuple(_options(value) for value in self.flag_values("mount")) if self.keyword == "RUN" else ()


@dataclass(frozen=True)
class Stage:
    """One FROM and what follows. `base` and `platform` have build arguments filled in; `written` is the FROM itself.

    `is_named` says that the name is the Dockerfile's own: `stage-1` can be shown, but not referred to.
    """

    index: int
    name: str
    base: str
    line: int
    instructions: tuple[Instruction, ...]
    platform: str = ""
    written: str = ""
    is_named: bool = True

    @property
    def steps(self) -> tuple[Instruction, ...]:
        """The instructions that BuildKit numbers, in order: step 2 of the stage is the first."""
        return tuple(one for one in self.instructions if one.keyword in STEP_KEYWORDS)

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.base, *(source for one in self.instructions for source in one.sources))


@dataclass(frozen=True)
class Dockerfile:
    """All stages; `arguments` are the values that FROM can use. `doubts` says what may have been read wrongly."""

    path: Path
    stages: tuple[Stage, ...]
    arguments: Mapping[str, str]
    head: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def directives(self) -> dict[str, str]:
        """`escape`, `syntax` and `check`; they stand before everything else."""
        matches = (_DIRECTIVE.match(line) for line in self.head)
        return {match[1].lower(): match[2] for match in matches if match}

    @property
    def escape(self) -> str:
        return self.directives.get("escape", "\\")

    def stage(self, name: str) -> Stage | None:
        """By name or number; the last one for an empty name."""
        if not name:
            return self.stages[-1] if self.stages else None
        found = (one for one in reversed(self.stages) if name.lower() in (one.name.lower(), str(one.index)))
        return next(found, None)

    def base_of(self, stage: Stage) -> Stage | None:
        """The stage that a stage is built on: the nearest earlier one of that name; None when it is an image."""
        named = (one for one in reversed(self.stages[: stage.index]) if one.is_named)
        return next((one for one in named if one.name.lower() == stage.base), None)

    def source_of(self, name: str) -> Stage | None:
        """The stage behind the `from=` of a COPY or a mount: the last one of that name, or one by its number."""
        if name.isdigit():
            return self.stages[int(name)] if int(name) < len(self.stages) else None
        named = (one for one in reversed(self.stages) if one.is_named)
        return next((one for one in named if one.name.lower() == name.lower()), None)

    def reachable(self, target: str = "") -> tuple[Stage, ...]:
        """The stages that building `target` needs, in file order, ONBUILD of a stage included."""
        needed: dict[int, Stage] = {}
        waiting = [self.stage(target)]
        while waiting:
            stage = waiting.pop()
            if stage is None or stage.index in needed:
                continue
            needed[stage.index] = stage
            base = self.base_of(stage)
            triggers = [one.trigger for one in (base.instructions if base else ()) if one.trigger]
            found = (self.source_of(name) for one in (*triggers, *stage.instructions) for name in one.sources)
            waiting += [base, *(one for one in found if one and one.index < stage.index)]
        return tuple(needed[index] for index in sorted(needed))


def find(path: Path) -> Path:
    """The file that Buildx reads for this path: `dockerfile` where there is no `Dockerfile`."""
    lower = path.with_name(DEFAULT_NAME.lower())
    return lower if path.name == DEFAULT_NAME and not path.exists() and lower.exists() else path


def read(
    path: Path, arguments: Mapping[str, str] | None = None, automatic: Mapping[str, str] | None = None
) -> Dockerfile:
    """Read a file. Raises UsageError when it is not there or has no FROM."""
    try:
        data = find(path).read_bytes()
    except OSError as error:
        raise UsageError(f"The Dockerfile cannot be read: {path}: {error.strerror}.") from error
    text = data.decode("utf-8", errors="replace")
    parsed = parse(text, path, arguments or {}, automatic)
    if text.encode() != data:
        parsed = replace(parsed, doubts=(*parsed.doubts, f"{path.name} is not UTF-8"))
    return parsed


def parse(
    text: str, path: Path, arguments: Mapping[str, str], automatic: Mapping[str, str] | None = None
) -> Dockerfile:
    """Split into stages; `automatic` are the arguments that BuildKit sets itself.

    Raises UsageError for a file without FROM, with an instruction before it, or that the parser refuses.
    """
    head = tuple(_head(text))
    parsed = Dockerfile(path, (), {}, head, tuple(_doubts(text)))
    stages: list[Stage] = []
    values = {name: arguments.get(name, value) for name, value in (automatic or {}).items()}
    for instruction in _instructions(text, path):
        place = f"{path}:{instruction.line}"
        if instruction.keyword == "FROM":
            stages.append(_stage(len(stages), instruction, place, values, parsed.escape))
        elif stages:
            stages[-1] = replace(stages[-1], instructions=(*stages[-1].instructions, instruction))
        elif instruction.keyword == "ARG":
            for name, default in pairs(instruction):
                value = arguments.get(name)
                if value is None and default is not None:
                    value = _filled(default, values, parsed.escape, place)
                if value is not None:
                    values[name] = value
        else:
            raise UsageError(f"{place}: {instruction.keyword} stands before the first FROM.")
    if not stages:
        raise UsageError(f"{path} has no FROM instruction.")
    return replace(parsed, stages=tuple(stages), arguments=values)


def instructions(text: str) -> Iterator[Instruction]:
    """All instructions in file order. Raises ValueError for what the parser refuses."""
    lines = text.split("\n")
    try:
        commands = buildkit.parse_string(_closed(text)) if text.strip() else ()
    except buildkit.GoParseError as error:
        raise ValueError(str(error)) from error
    for command in commands:
        yield _instruction(command, lines[command.start_line - 1 : command.end_line])


def read_trigger(expression: str, line: int) -> Instruction:
    """The instruction that an image or a stage carries for those that are built on it. Raises ValueError."""
    found = list(instructions(expression))
    if len(found) != 1:
        raise ValueError(f"an ONBUILD holds one instruction: {expression}")
    return replace(found[0], line=line)


def pairs(instruction: Instruction) -> Iterator[tuple[str, str | None]]:
    """(name, value) of an ARG or ENV, quotes and variables as they stand; None for a name alone."""
    if instruction.keyword == "ARG":
        parts = (word.partition("=") for word in instruction.words)
        yield from ((name, value if equals else None) for name, equals, value in parts)
    else:
        yield from zip(instruction.words[::2], instruction.words[1::2], strict=False)


def _instructions(text: str, path: Path) -> Iterator[Instruction]:
    try:
        yield from instructions(text)
    except ValueError as error:
        message = str(error)
        raise UsageError(
            f"{path} has no FROM instruction." if "no instructions" in message else f"{path}: {message}"
        ) from error


def _instruction(command: "buildkit.Command", lines: Sequence[str]) -> Instruction:
    keyword = command.cmd.upper()
    trigger = _trigger(lines, command.start_line) if keyword == "ONBUILD" else None
    heredocs = _documents(command, lines) if trigger is None else trigger.heredocs
    written = lines[: len(lines) - sum(document.count("\n") + 1 for document in heredocs)]
    logical = command.original.split("\n", 1)[0]
    if any(_BLANK_BEFORE_NAME.search(line) for line in written):
        logical = "\n".join(written)
    raw = _KEYWORD.sub("", logical, count=1).strip()
    return Instruction(
        keyword=keyword,
        text=" ".join(raw.split()),
        line=command.start_line,
        heredocs=heredocs,
        raw=raw,
        words=tuple(command.value),
        flags=tuple(command.flags),
        is_json=command.json,
        trigger=trigger,
    )


def _trigger(lines: Sequence[str], line: int) -> Instruction | None:
    """The parser says nothing of what is inside an ONBUILD: it is parsed again without that word."""
    text = _ONBUILD.sub("", "\n".join(lines), count=1)
    try:
        return read_trigger(text, line)
    except ValueError:
        return None


def _documents(command: "buildkit.Command", lines: Sequence[str]) -> tuple[str, ...]:
    """The heredocs as they stand in the file: what was parsed has its blanks closed up."""
    counts = [document.content.count("\n") for document in command.heredocs]
    start = len(lines) - sum(counts) - len(counts)
    documents = []
    for count in counts:
        documents.append("\n".join((*lines[start : start + count], "")) if count else "")
        start += count + 1
    return tuple(documents)


def _stage(index: int, instruction: Instruction, place: str, values: Mapping[str, str], escape: str) -> Stage:
    words = instruction.words
    has_name = len(words) == 3 and words[1].upper() == "AS"
    if not has_name and len(words) != 1:
        raise UsageError(f"{place}: FROM cannot be read: {instruction.text}")
    return Stage(
        index=index,
        name=words[2] if has_name else f"stage-{index}",
        base=_filled(words[0], values, escape, place),
        line=instruction.line,
        instructions=(),
        platform=_filled(instruction.flag("platform"), values, escape, place),
        written=instruction.text,
        is_named=has_name,
    )


def _filled(word: str, values: Mapping[str, str], escape: str, place: str) -> str:
    try:
        return shell_words.fill(word, values, escape).text
    except ValueError as error:
        raise UsageError(f"{place}: {word}: {error}") from error


def _options(mount: str) -> dict[str, str]:
    """`type=bind,"target=/a b",ro`: comma-separated values, each perhaps in quotes."""
    import csv  # only Dockerfiles with mounts need it

    fields = next(csv.reader([mount]), [])
    parts = (field.partition("=") for field in fields)
    return {name.lower(): value if equals else "true" for name, equals, value in parts}


def _closed(text: str) -> str:
    if "<< " not in text and "<<\t" not in text:
        return text
    return _BLANK_BEFORE_NAME.sub(lambda match: '<<"-"' if match[1] else "<<", text)


def _doubts(text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), 1):
        if "<<" in line and _NAME_ON_NEXT_LINE.search(line):
            yield f"line {number}: a heredoc has its name on the next line"


def _head(text: str) -> Iterator[str]:
    """The comment lines at the very top, where parser directives stand."""
    for line in text.removeprefix("\ufeff").splitlines():
        if not line.startswith("#"):
            return
        yield line
