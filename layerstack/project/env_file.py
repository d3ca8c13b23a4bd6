"""A `.env` file as Compose reads it, line by line, with its errors."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# `export NAME=value`, `NAME: value`
_NAME = re.compile(r"^(?:export\s+)?(?P<name>[^\s=:]+)(?P<before>\s*)(?P<sign>[=:])(?P<after>[ \t]*)(?P<value>.*)$")
# Inside double quotes Compose first replaces these, then fills in variables.
_ESCAPE = re.compile(r'\\(?:([abfnrtv$"\\])|0(\d{0,3}))')
_OCTAL = re.compile(r"[0-3][0-7]{2}")
_ESCAPED = {
    "$": "$$",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    '"': '"',
}
# `${TAG:-latest}`, `${A:-${B}}`; braces in a default may be nested once more. `$$` is a dollar, and `\$` none of both.
_VARIABLE = re.compile(
    r"\$(?:(?P<escape>\$)|\{(?P<braced>[A-Za-z_]\w*)(?:(?P<operator>:?[-+?])(?P<word>(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*))?\}|(?P<plain>[A-Za-z_]\w*))"
)


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
        """The last value of each name. Variables in values are not expanded: see `resolved`."""
        return {line.name: line.value for line in self.lines if not line.is_broken}

    def resolved(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The values with `$NAME` and `${NAME:-default}` expanded, from the environment and the lines above."""
        found: dict[str, str] = {}
        for line in self.lines:
            if not line.is_broken:
                # Single quotes keep every dollar. In Compose 2.40 the environment goes before the lines above.
                value = line.value if line.quote == "'" else expand(line.value, {**found, **environment})
                found[line.name] = value
        return found

    def place(self, name: str) -> str:
        number = next((line.number for line in reversed(self.lines) if line.name == name), 1)
        return f"{self.name}:{number}"


def read_env_file(path: Path) -> EnvFile:
    """The file's lines; an empty one when it is missing or unreadable."""
    try:
        data = path.read_bytes()
    except OSError:
        return EnvFile(path.name, ())
    return parse_env_file(path.name, data.decode("utf-8-sig", errors="replace"))


def parse_env_file(name: str, text: str) -> EnvFile:
    return EnvFile(name, tuple(_lines(text.replace("\r\n", "\n"))), "\r\n" in text)


def sole_variable(text: str) -> str:
    """The variable that makes up a whole text, with or without a default; "" for none."""
    match = _VARIABLE.fullmatch(text)
    if match is None or match["escape"] or (match["operator"] or "").endswith("+"):
        return ""
    return match["braced"] or match["plain"]


def expand(text: str, values: Mapping[str, str]) -> str:
    """The text with variables expanded as Compose does; unset ones are empty."""

    def value(match: re.Match[str]) -> str:
        if match["escape"]:
            return "$"
        name, operator, word = match["braced"] or match["plain"], match["operator"] or "", match["word"] or ""
        is_set = name in values and (bool(values[name]) or not operator.startswith(":"))
        if operator.endswith("+"):
            return expand(word, values) if is_set else ""
        return values[name] if is_set else expand(word, values) if operator.endswith("-") else ""

    return _VARIABLE.sub(value, text)


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
    # A `#` begins a comment only behind a space, and not where the value begins.
    value = match["value"].partition(" #")[0].rstrip()
    return EnvLine(number, match["name"], value, is_plain=_is_plain(match))


def _quoted(match: re.Match[str], number: int, following: list[str]) -> tuple[EnvLine, int]:
    """A quoted value, which may span lines, and the number of further lines."""
    quote = match["value"][0]
    # Up to the first quote that no backslash escapes; a backslash may be escaped itself.
    closed = re.compile(rf"((?:[^\\{quote}]|\\.)*){quote}", re.DOTALL)
    text = match["value"][1:]
    for used in range(len(following) + 1):
        if end := closed.match(text):
            tail = re.sub(r"^\s*(#.*)?$", "", text[end.end() :].strip())
            value = _unescaped(end[1], quote)
            return EnvLine(number, match["name"], value, quote, tail, is_plain=_is_plain(match)), used
        if used < len(following):
            text += "\n" + following[used]
    return EnvLine(number, match["name"], "", quote, is_broken=True), 0


def _unescaped(text: str, quote: str) -> str:
    if quote == "'":
        return text.replace("\\'", "'")
    return _ESCAPE.sub(lambda match: _ESCAPED[match[1]] if match[1] else _character(match[2]), text)


def _character(digits: str) -> str:
    """That of `\\0101`; what is no octal number loses its zero."""
    return chr(int(digits, 8)) if _OCTAL.fullmatch(digits) else f"\\{digits}"


def _is_plain(match: re.Match[str]) -> bool:
    return match["sign"] == "=" and not match["before"] and not match["after"]
