"""The parser directives at the top of a Dockerfile: `# syntax=`, `# check=` and `# escape=`, as BuildKit finds them."""

import re
from collections.abc import Iterator, Sequence

NAMES = ("syntax", "check", "escape")
# `# escape=x`
_DIRECTIVE = re.compile(r"^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")


def read_directives(text: str) -> dict[str, str]:
    """Name → value. The first line that is none ends them, a comment with another name included."""
    lines = _lines(text)
    # BuildKit looks for `syntax` and `check` after a first line for the shell, and for `escape` while it parses, where
    # such a line is a comment like any other and blanks before a comment do not count.
    after_shell = lines[1:] if lines[0].startswith("#!") else lines
    found = {name: value for _, name, value in _directives(after_shell) if name != "escape"}
    return found | {name: value for _, name, value in _escape(lines)}


def with_escape_first(text: str) -> str:
    """The same instructions for an older parser, to which a directive that it does not know ends the directives."""
    lines = _lines(text)
    for index, _, _ in _escape(lines):
        lines[0], lines[index] = lines[index], lines[0]
    return "\n".join(lines)


def _lines(text: str) -> list[str]:
    return text.removeprefix("\ufeff").split("\n")


def _escape(lines: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    return (one for one in _directives([line.lstrip() for line in lines]) if one[1] == "escape")


def _directives(lines: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """(index of its line, name, value) of each."""
    for index, line in enumerate(lines):
        match = _DIRECTIVE.match(line)
        if match is None or match[1].lower() not in NAMES:
            return
        yield index, match[1].lower(), match[2]
