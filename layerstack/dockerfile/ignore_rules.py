"""Patterns of ignore files and of COPY, matched as moby/patternmatcher and Go's filepath.Match do it.

A pattern is compared without an expression where that is possible: `^dist` is a name, `!**.py` the end of one.
"""

import os
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from layerstack.errors import UsageError

MatchType = Literal["exact", "prefix", "suffix", "expression"]
# The classes of Go's regular expressions that Python's lack.
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
# `[a-z]`, `[^0-9]`
_CLASS = re.compile(r"\[\^?(?:\\.|\[:\^?[a-z]+:\]|[^\]])+\]")
# `[:alpha:]`, `[:^alpha:]`
_NAMED_CLASS = re.compile(r"\[:(\^?[a-z]+):\]")
# patternmatcher means to escape `|`, `{` and `}` as well, and does not: `a|b*` are two expressions, `a{2}*` repeats.
_ESCAPED = ".+()$"
# What Go and Python read in the same way after a backslash.
_ALIKE = re.compile(r"[abfnrtvxdDwWAB0_]|(?![^\x00-\x7f])\W", re.ASCII)


@dataclass(frozen=True)
class Pattern:
    """One rule. `text` is its cleaned pattern without the `!` of an exception."""

    text: str
    is_exception: bool
    kind: MatchType
    expression: re.Pattern[str] | None = None

    @property
    def prefix(self) -> str:
        """What everything that it matches begins with."""
        if self.kind == "expression" and re.search(r"[|{]", self.text):
            return ""
        return re.split(r"[*?\[\\^]", self.text, maxsplit=1)[0]

    def matches(self, path: str) -> bool:
        if self.kind == "exact":
            return path == self.text
        if self.kind == "prefix":
            return path.startswith(self.text[:-2])
        if self.kind == "suffix":
            end = self.text[2:]
            # `**/a` matches `a` at the root of the context, too.
            return path.endswith(end) or (end.startswith("/") and path == end[1:])
        return self.expression is not None and self.expression.search(path) is not None

    def may_match_below(self, folder: str) -> bool:
        """Whether something in this folder could match; True when in doubt."""
        return (folder + "/").startswith(self.prefix) or self.prefix.startswith(folder + "/")


def parse_patterns(text: str, path: Path) -> tuple[Pattern, ...]:
    """The rules in a text. Raises UsageError that names the line in `path`: BuildKit refuses such a file, too."""
    rules = []
    # Only a line feed ends a line: `splitlines` would end it at a vertical tab or a form feed as well.
    for number, line in enumerate(text.split("\n"), 1):
        # Blanks before a `#` make it a pattern.
        if line.startswith("#") or not line.strip():
            continue
        try:
            # Blanks that were inside a rule, as in `/ a`, may be at its end now.
            if (pattern := _as_pattern(line.strip())).strip():
                rules.append(parse_pattern(pattern))
        except ValueError as error:
            raise UsageError(f"{path}:{number}: `{line.strip()}` cannot be read as a pattern: {error}.") from error
    return tuple(rules)


def is_valid(line: str) -> bool:
    """Whether Go's matcher takes it as a pattern."""
    try:
        parse_pattern(line)
    except ValueError:
        return False
    return True


def parse_pattern(line: str) -> Pattern:
    """One pattern as patternmatcher takes it, which is an `--exclude` of a COPY. Raises ValueError."""
    text = _clean(line.strip())
    is_exception = text.startswith("!")
    text = text[1:] if is_exception else text
    if not text:
        raise ValueError('illegal exclusion pattern: "!"')
    _check(text)
    kind, expression = _compiled(text)
    return Pattern(text, is_exception, kind, expression)


def _as_pattern(rule: str) -> str:
    """A rule of an ignore file as a pattern: it counts from the root of the context."""
    sign, text = ("!", rule[1:].strip()) if rule.startswith("!") else ("", rule)
    text = _clean(text) if text else ""
    return sign + (text[1:] if len(text) > 1 and text.startswith("/") else text)


def _clean(path: str) -> str:
    # Python keeps two leading slashes, Go one.
    return re.sub("^//", "/", os.path.normpath(path))


def is_left_out(patterns: Sequence[Pattern], path: str) -> bool:
    """Whether rules keep a path out, by itself or with a folder above it."""
    parts = path.split("/")
    ignored = False
    matches: list[bool] = []
    for count in range(len(parts)):
        ignored, matches = match(patterns, "/".join(parts[: count + 1]), matches)
    return ignored


def match(patterns: Sequence[Pattern], path: str, parent_matches: Sequence[bool]) -> tuple[bool, list[bool]]:
    """Whether a path is matched, and by which rules, for its children (patternmatcher's parent results)."""
    is_matched = False
    matches = [False] * len(patterns)
    for index, pattern in enumerate(patterns):
        is_match = bool(parent_matches) and parent_matches[index]
        if not is_match:
            # As in patternmatcher, a rule that cannot change the result is not compared, and so the children inherit no
            # match of it.
            if pattern.is_exception != is_matched:
                continue
            is_match = pattern.matches(path)
        matches[index] = is_match
        if is_match:
            is_matched = not pattern.is_exception
    return is_matched, matches


@lru_cache(maxsize=4096)
def wildcard(pattern: str) -> re.Pattern[str]:
    """A path pattern of COPY: `*` and `?` stop at `/`, `[…]` is a class. One that cannot be read matches all."""
    try:
        _check(pattern)
        return re.compile(_go_match(pattern), re.DOTALL)
    except (ValueError, re.error):
        return re.compile("")


def is_wildcard(pattern: str) -> bool:
    """Whether COPY compares instead of looking a path up; a backslash alone only takes a meaning away."""
    return re.search(r"[*?\[]", re.sub(r"\\.", "", pattern)) is not None


def covering(pattern: str) -> re.Pattern[str]:
    """A COPY source as a regular expression: it matches what the pattern names and everything below that."""
    wanted = os.path.normpath(f"/{pattern}").lstrip("/")
    whole = wildcard(wanted).pattern if wanted else ""
    return re.compile(whole.removesuffix(r"\Z") + r"(/.*)?\Z" if whole else "", re.DOTALL)


def _check(pattern: str) -> None:
    """Raises ValueError for what Go's filepath.Match rejects."""
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character == "\\":
            if position == len(pattern):
                raise ValueError("syntax error in pattern")
            position += 1
        elif character == "[":
            position = _after_class(pattern, position)


def _after_class(pattern: str, position: int) -> int:
    """The end of a class: it has at least one range, and `-` only between two characters."""
    position += pattern[position : position + 1] == "^"
    count = 0
    while pattern[position : position + 1] != "]" or not count:
        position = _after_character(pattern, position)
        if pattern[position : position + 1] == "-":
            position = _after_character(pattern, position + 1)
        count += 1
    return position + 1


def _after_character(pattern: str, position: int) -> int:
    character = pattern[position : position + 1]
    if character == "\\":
        position += 1
    # Go requires that something follows each character: at least the bracket that ends the class.
    if character in ("", "-", "]") or position + 1 >= len(pattern):
        raise ValueError("syntax error in pattern")
    return position + 1


def _compiled(text: str) -> tuple[MatchType, re.Pattern[str] | None]:
    """How a pattern is compared: Pattern.compile of patternmatcher, including the order of its cases."""
    kind: MatchType = "exact"
    parts: list[str] = []
    position = count = 0
    while position < len(text):
        if text.startswith("**", position):
            position += 2 + text.startswith("/", position + 2)
            is_end = position == len(text)
            kind = "prefix" if is_end and kind == "exact" else "expression"
            parts.append(".*" if is_end else "(.*/)?")
            kind = "suffix" if count == 0 else kind
        else:
            part, position, is_special = _token(text, position)
            parts.append(part)
            kind = "expression" if is_special else kind
        count += 1
    return (kind, None) if kind != "expression" else (kind, _expression("".join(parts)))


def _token(text: str, position: int) -> tuple[str, int, bool]:
    """One character as an expression, the position of the next, and whether an expression is needed."""
    character = text[position]
    if character == "*":
        return "[^/]*", position + 1, True
    if character == "?":
        return "[^/]", position + 1, True
    if character in _ESCAPED:
        return "\\" + character, position + 1, False
    if character == "\\" and position + 1 < len(text):
        # The character stays an escape of the expression: `\\d` is a digit there, too.
        if not _ALIKE.match(text[position + 1]):
            raise ValueError(f"`{text[position : position + 2]}` is a syntax error, or has a meaning in Go only")
        return text[position : position + 2], position + 2, True
    return character, position + 1, character in "[]"


def _expression(text: str) -> re.Pattern[str]:
    """A Go expression as one of Python. Raises ValueError for one that Go rejects."""
    named = _CLASS.sub(lambda found: "[" + _NAMED_CLASS.sub(_members, found[0][1:]), text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # `[[` and `--` have no second meaning in Go
            # In Go `\\d` and `\\w` are of ASCII.
            return re.compile(f"^{named}\\Z", re.ASCII)
    except re.error as error:
        raise ValueError(f"syntax error in pattern ({error})") from error


def _members(name: re.Match[str]) -> str:
    if name[1].startswith("^"):
        raise ValueError(f"`{name[0]}` has a meaning in Go only")
    return _CLASSES.get(name[1], name[0])


def _go_match(pattern: str) -> str:
    parts = ["^"]
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character == "*":
            parts.append("[^/]*")
        elif character == "?":
            parts.append("[^/]")
        elif character == "[":
            end = _after_class(pattern, position)
            parts.append(_class(pattern[position : end - 1]))
            position = end
        else:
            is_escape = character == "\\" and position < len(pattern)
            parts.append(re.escape(pattern[position] if is_escape else character))
            position += is_escape
    return "".join(parts) + r"\Z"


def _class(inside: str) -> str:
    """The inside of `[…]`: everything but `^` in front, `-` between and `\\` before a character is itself."""
    negation, rest = ("^", inside[1:]) if inside.startswith("^") else ("", inside)
    parts = re.findall(r"\\.|.", rest, re.DOTALL)
    return f"[{negation}{''.join('-' if part == '-' else re.escape(part[-1]) for part in parts)}]"
