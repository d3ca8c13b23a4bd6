"""A Dockerfile as stages of instructions with their lines: enough to tell where each step is."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from layerstack.dockerfile import shell_words
from layerstack.dockerfile.directives import read_directives
from layerstack.dockerfile.instruction import STEP_KEYWORDS, Instruction, instructions, pairs
from layerstack.errors import UsageError

DEFAULT_NAME = "Dockerfile"
# What Go's strconv.Atoi takes.
_NUMBER = re.compile(r"[+-]?[0-9]+")
# `RUN cat << \`: only blanks within one line are closed up before parsing.
_NAME_ON_NEXT_LINE = re.compile(r"<<\s*[\\`]\s*$")


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


@dataclass(frozen=True)
class Dockerfile:
    """All stages; `arguments` are the values that FROM can use. `doubts` says what may have been read wrongly."""

    path: Path
    stages: tuple[Stage, ...]
    arguments: Mapping[str, str]
    directives: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    @property
    def escape(self) -> str:
        return self.directives.get("escape", "\\")

    def stage(self, name: str) -> Stage | None:
        """The one that a target names: the last one of that name, the last one of all for an empty name."""
        # A number is no name for a target, and neither is the `stage-1` that is shown for a stage without a name.
        found = (one for one in reversed(self.stages) if one.is_named and one.name.lower() == name.lower())
        return next(found, None) if name else next(reversed(self.stages), None)

    def base_of(self, stage: Stage) -> Stage | None:
        """The stage that a stage is built on: the nearest earlier one of that name; None when it is an image."""
        named = (one for one in reversed(self.stages[: stage.index]) if one.is_named)
        # BuildKit keeps stages by their names in lower case and compares a FROM as it is written: `FROM Build` is an
        # image, also below a stage called `Build`.
        return next((one for one in named if one.name.lower() == stage.base), None)

    def source_of(self, name: str, is_mounted: bool = False) -> Stage | None:
        """The stage behind the `from=` of a COPY or a mount: the last one of that name, or for a COPY by its number."""
        if _NUMBER.fullmatch(name) and not is_mounted:
            return next((one for one in self.stages if one.index == int(name)), None)
        # BuildKit resolves `from=` when it knows all stages, so that the last one of a name counts.
        return self.stage(name) if name else None

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
            used = (source for one in (*triggers, *stage.instructions) for source in one.sources)
            found = (self.source_of(name, is_mounted) for name, is_mounted in used)
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
    # Read all the same, so that causes can be named; the doubt keeps an image from being kept because of this reading.
    if text.encode() != data:
        parsed = replace(parsed, doubts=(*parsed.doubts, f"{path.name} is not UTF-8"))
    return parsed


def parse(
    text: str, path: Path, arguments: Mapping[str, str], automatic: Mapping[str, str] | None = None
) -> Dockerfile:
    """Split into stages; `automatic` are the arguments that BuildKit sets itself.

    Raises UsageError for a file without FROM, with an instruction before it, or that the parser refuses.
    """
    parsed = Dockerfile(path, (), {}, read_directives(text), tuple(_doubts(text)))
    stages: list[Stage] = []
    # A build argument that is passed replaces the value that BuildKit would set.
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


# Each image of a Dockerfile reads it, with arguments of its own.
@lru_cache(maxsize=64)
def _split(text: str) -> tuple[Instruction, ...]:
    return tuple(instructions(text))


def _instructions(text: str, path: Path) -> Iterator[Instruction]:
    try:
        yield from _split(text)
    except ValueError as error:
        message = str(error)
        raise UsageError(
            # The parser's own words for a file of comments only.
            f"{path} has no FROM instruction." if "no instructions" in message else f"{path}: {message}"
        ) from error


def _stage(index: int, instruction: Instruction, location: str, values: Mapping[str, str], escape: str) -> Stage:
    words = instruction.words
    has_name = len(words) == 3 and words[1].upper() == "AS"
    if not has_name and len(words) != 1:
        raise UsageError(f"{location}: FROM cannot be read: {instruction.text}")
    return Stage(
        index=index,
        name=words[2] if has_name else f"stage-{index}",
        base=_filled(words[0], values, escape, location),
        line=instruction.line,
        instructions=(),
        platform=_filled(instruction.flag("platform"), values, escape, location),
        written=instruction.text,
        is_named=has_name,
    )


def _filled(word: str, values: Mapping[str, str], escape: str, location: str) -> str:
    try:
        return shell_words.fill(word, values, escape).text
    except ValueError as error:
        raise UsageError(f"{location}: {word}: {error}") from error


def _doubts(text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n"), 1):
        if "<<" in line and _NAME_ON_NEXT_LINE.search(line):
            yield f"line {number}: a heredoc has its name on the next line"
