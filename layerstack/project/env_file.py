"""The project's `.env` as Compose reads it, line by line, and what is wrong with a line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"^(?:export\s+)?(?P<name>[^\s=:]+)(?P<before>\s*)(?P<sign>[=:])(?P<after>[ \t]*)(?P<value>.*)$")


@dataclass(frozen=True)
class EnvLine:
    """One assignment. `quote` is the quote around its value, "" for none; `tail` what Compose drops after the quote.

    `is_broken` says that Compose refuses the file because of it; `is_plain` that it is written as a shell needs it.
    """

    number: int
    name: str
    value: str
    quote: str = ""
    tail: str = ""
    is_broken: bool = False
    is_plain: bool = True


@dataclass(frozen=True)
class EnvFile:
    """All assignments in file order; `has_carriage_returns` for a file with Windows line ends."""

    name: str
    lines: tuple[EnvLine, ...]
    has_carriage_returns: bool = False

    @property
    def values(self) -> dict[str, str]:
        """The last value of each name counts."""
        return {line.name: line.value for line in self.lines if not line.is_broken}

    def place(self, name: str) -> str:
        number = next((line.number for line in reversed(self.lines) if line.name == name), 1)
        return f"{self.name}:{number}"


def read_env_file(path: Path) -> EnvFile:
    """An empty one where there is no file, or none that can be read."""
    try:
        data = path.read_bytes()
    except OSError:
        return EnvFile(path.name, ())
    text = data.decode("utf-8-sig", errors="replace")
    return EnvFile(path.name, tuple(_lines(text.replace("\r\n", "\n"))), b"\r\n" in data)


def _lines(text: str) -> Iterator[EnvLine]:
    lines = text.split("\n")
    position = 0
    while position < len(lines):
        line, number = lines[position].strip(), position + 1
        position += 1
        if not line or line.startswith("#"):
            continue
        match = _NAME.match(line)
        if not match:
            # A name alone sets nothing: its value comes from the shell. Two words are an error.
            if len(line.removeprefix("export ").split()) > 1:
                yield EnvLine(number, line.split()[0], "", is_broken=True)
        elif match["value"][:1] in ("'", '"'):
            found, used = _quoted(match, number, lines[position:])
            position += used
            yield found
        else:
            yield _unquoted(match, number)


def _unquoted(match: re.Match[str], number: int) -> EnvLine:
    value = re.sub(r"(^|\s)#.*$", "", match["value"]).strip()
    return EnvLine(number, match["name"], value, is_plain=_is_plain(match))


def _quoted(match: re.Match[str], number: int, following: list[str]) -> tuple[EnvLine, int]:
    """A value in quotes, which may go on over lines, and how many lines more it takes."""
    quote = match["value"][0]
    text = match["value"][1:]
    for used in range(len(following) + 1):
        if end := re.search(rf"(?<!\\){quote}", text):
            tail = re.sub(r"^\s*(#.*)?$", "", text[end.end() :].strip())
            value = text[: end.start()]
            return EnvLine(number, match["name"], value, quote, tail, is_plain=_is_plain(match)), used
        if used < len(following):
            text += "\n" + following[used]
    return EnvLine(number, match["name"], "", quote, is_broken=True), 0


def _is_plain(match: re.Match[str]) -> bool:
    return match["sign"] == "=" and not match["before"] and not match["after"]
