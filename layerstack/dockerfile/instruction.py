"""Instructions of a Dockerfile, split by BuildKit's own parser.

What PyPI's `dockerfile` (3.4) leaves out is read beside it: the heredocs of an ONBUILD, and the blanks that newer
parsers than its own allow between `<<` and a heredoc's name.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import dockerfile as buildkit

from layerstack.dockerfile.directives import with_escape_first

# Instructions that become a numbered step; FROM is number 1 of its stage.
STEP_KEYWORDS = ("RUN", "COPY", "ADD", "WORKDIR")
# `<< -END` is a heredoc called `-END`, which the older parser reads only when the dash is quoted.
_BLANK_BEFORE_NAME = re.compile(r"<<[ \t]+(-?)(?=[^\s<])")
# `ONBUILD COPY . .`
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


def instructions(text: str) -> Iterator[Instruction]:
    """All instructions in file order. Raises ValueError for what the parser refuses."""
    lines = text.split("\n")
    try:
        commands = buildkit.parse_string(_closed(with_escape_first(text))) if text.strip() else ()
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


def _instruction(command: "buildkit.Command", lines: Sequence[str]) -> Instruction:
    keyword = command.cmd.upper()
    trigger = _trigger(lines, command.start_line) if keyword == "ONBUILD" else None
    heredocs = _documents(command, lines) if trigger is None else trigger.heredocs
    written = lines[: len(lines) - sum(document.count("\n") + 1 for document in heredocs)]
    logical = command.original.split("\n", 1)[0]
    # The parser got a text without these blanks: what is shown and compared is that of the file.
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
    # The parser does not parse what follows ONBUILD: that is parsed again without the word.
    text = _ONBUILD.sub("", "\n".join(lines), count=1)
    try:
        return read_trigger(text, line)
    except ValueError:
        return None


def _documents(command: "buildkit.Command", lines: Sequence[str]) -> tuple[str, ...]:
    """The heredocs as in the file; in the parsed text their blanks were removed."""
    counts = [document.content.count("\n") for document in command.heredocs]
    start = len(lines) - sum(counts) - len(counts)
    documents = []
    for count in counts:
        documents.append("\n".join((*lines[start : start + count], "")) if count else "")
        start += count + 1
    return tuple(documents)


def _options(mount: str) -> dict[str, str]:
    """`type=bind,"target=/a b",ro`: comma-separated values, possibly in quotes."""
    fields = next(csv.reader([mount]), [])
    parts = (field.partition("=") for field in fields)
    return {name.lower(): value if equals else "true" for name, equals, value in parts}


def _closed(text: str) -> str:
    if "<< " not in text and "<<\t" not in text:
        return text
    return _BLANK_BEFORE_NAME.sub(lambda match: '<<"-"' if match[1] else "<<", text)
