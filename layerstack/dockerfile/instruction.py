"""Instructions of a Dockerfile, split by BuildKit's own parser.

What PyPI's `dockerfile` (3.4) leaves out is read beside it: the heredocs of an ONBUILD, and the blanks that newer
parsers than its own allow between `<<` and a heredoc's name.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import dockerfile as buildkit

from layerstack.dockerfile.directives import read_directives, with_escape_first

# Instructions that become a numbered step; FROM is number 1 of its stage.
STEP_KEYWORDS = ("RUN", "COPY", "ADD", "WORKDIR")
# `<< -END` is a heredoc called `-END`, which the older parser reads only when the dash is quoted.
_BLANK_BEFORE_NAME = re.compile(r"<<[ \t]+(-?)(?=[^\s<])")
# Only these have heredocs: in any other instruction the blanks are part of a value.
_TAKES_HEREDOCS = re.compile(r"\s*(?:RUN|COPY|ADD|ONBUILD)\b", re.IGNORECASE)
# `ONBUILD COPY . .`; lines that hold only a `\` may stand before it.
_ONBUILD = re.compile(r"^\s*ONBUILD\s*", re.IGNORECASE | re.MULTILINE)
# `--network=none --mount="type=cache,target=/a b" `, and what follows them in a HEALTHCHECK
FLAGS = re.compile(r"""^(--(?:"[^"]*"|'[^']*'|[^\s"'])+\s+)*""")
_BEFORE_LIST = re.compile(rf"{FLAGS.pattern}(?:CMD\s+)?(?=\[)", re.IGNORECASE)
# `type=bind`, `"target=/a,b"`
_FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|([^,]*))(?:,|\Z)')
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
    def sources(self) -> tuple[tuple[str, bool], ...]:
        """(stage, context or image, whether it is mounted) for all that a COPY or a mount reads from."""
        copied = self.flag_values("from") if self.keyword in ("COPY", "ADD") else ()
        mounted = (options.get("from", "") for options in self.mounts)
        return (*((name, False) for name in copied), *((name, True) for name in mounted if name))

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
        if command.cmd is None:
            raise ValueError(f"line {command.start_line} holds no instruction")
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
    is_json = command.json and not _follows_list(raw)
    return Instruction(
        keyword=keyword,
        text=" ".join(raw.split()),
        line=command.start_line,
        heredocs=heredocs,
        raw=raw,
        words=tuple(command.value if is_json == command.json else FLAGS.sub("", raw).split()),
        flags=tuple(command.flags),
        is_json=is_json,
        trigger=trigger,
    )


def _trigger(lines: Sequence[str], line: int) -> Instruction | None:
    # The parser does not parse what follows ONBUILD: that is parsed again without the word.
    text, count = _ONBUILD.subn("", "\n".join(lines), count=1)
    try:
        return read_trigger(text, line) if count else None
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
    # No csv.reader: it refuses a carriage return, which BuildKit takes.
    fields = (match[1].replace('""', '"') if match[1] else match[2] or "" for match in _FIELD.finditer(mount))
    parts = (field.partition("=") for field in fields if field)
    return {name.lower(): value if equals else "true" for name, equals, value in parts}


def _follows_list(raw: str) -> bool:
    """Whether something stands behind a list: then BuildKit reads none, and the older parser drops what follows."""
    start = _BEFORE_LIST.match(raw)
    if not start:
        return False
    try:
        return json.JSONDecoder().raw_decode(raw, start.end())[1] < len(raw)
    except ValueError:
        return False


def _closed(text: str) -> str:
    if "<< " not in text and "<<\t" not in text:
        return text
    escape = read_directives(text).get("escape", "\\")
    lines, takes_heredocs, goes_on = text.split("\n"), False, False
    for index, line in enumerate(lines):
        # Such lines may stand inside an instruction, and a lone backslash before one.
        if not line.strip() or line.lstrip().startswith("#") or (line.strip() == escape and not goes_on):
            continue
        takes_heredocs = takes_heredocs if goes_on else bool(_TAKES_HEREDOCS.match(line))
        if takes_heredocs:
            lines[index] = _BLANK_BEFORE_NAME.sub(lambda match: '<<"-"' if match[1] else "<<", line)
        goes_on = line.rstrip().endswith(escape)
    return "\n".join(lines)
