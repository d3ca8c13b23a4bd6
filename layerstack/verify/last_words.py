"""What a program wrote about its own end: the error among the lines of its log or of its health check."""

import re
from collections.abc import Sequence

SHOWN_LINES = 5
LONGEST_CHARACTERS = 200
# Where Node.js came by on its way to an error: the error itself, and the file, stand above.
ERROR = re.compile(r"^(?:[\w.]*(?:Error|Exception)\b[^:]{0,40}|panic|fatal error): .", re.IGNORECASE)
STACK = re.compile(r"^\s+at .+\)?$|^Node\.js v\d|^\s*[\^~]*\s*$")


def telling_lines(log: Sequence[str]) -> Sequence[str]:
    """The last error in a log with what stands above it, else the last lines."""
    said = [line for line in log if not STACK.match(line)]
    last = next((number for number in range(len(said), 0, -1) if ERROR.match(said[number - 1])), len(said))
    return said[max(0, last - SHOWN_LINES) : last]


def last_error(log: Sequence[str]) -> str:
    """The line of it that says most, shortened; "" for an empty log."""
    found = telling_lines(log)
    line = found[-1].strip() if found else ""
    return line if len(line) <= LONGEST_CHARACTERS else f"{line[: LONGEST_CHARACTERS - 1]}…"
