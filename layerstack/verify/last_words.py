"""Finds the error among the last lines of a log or a health check."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

SHOWN_LINES = 5
LONGEST_CHARACTERS = 200
# `ValueError: bad port`, `Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'express'`, `panic: no such table`
ERROR = re.compile(r"^(?:[\w.]*(?:Error|Exception)\b[^:]{0,40}|panic|fatal error): .", re.IGNORECASE)
# What Node.js prints below an error and its file:
# `    at Module._compile (node:internal/modules/cjs/loader:1554:14)`
STACK = re.compile(r"^\s+at .+\)?$|^Node\.js v\d|^\s*[\^~]*\s*$|^npm (?:notice|error A complete log)")
# How loggers that write JSON call the weight of a line, and an error: a name, MongoDB's letter, pino's number. What is
# fatal mostly repeats that the program ends.
LEVELS = ("s", "level", "severity", "levelname")
ERRORS = ("e", "error", "50")
FATAL = ("f", "fatal", "critical", "60")
# Lines that are less than an error: `WARN x`, `[app][warn] x`, `2026-11-29 10:00:00 INFO x`, `npm warn x`,
# `level=warning msg=x`; in JSON by their level.
MINOR = re.compile(
    r"(?:npm |(?:[\d\[(]\S*\s+){0,3})(?:\[[^\]\s]*\])*[\[(<]?(?:warn|warning|notice|info|debug|trace)\b"
    r"|.*\blevel=\"?(?:warn|notice|info|debug|trace)",
    re.IGNORECASE,
)
MINORS = ("w", "warn", "warning", "40", "notice", "i", "info", "30", "d", "debug", "20", "trace", "10")
DETAILS = ("error", "reason", "message", "err", "detail", "msg")


def telling_lines(log: Sequence[str]) -> Sequence[str]:
    """The last error in a log with its context, else the last lines."""
    said = [line for line in texts_of(log) if not STACK.match(line)]
    last = next((number for number in range(len(said), 0, -1) if ERROR.match(said[number - 1])), 0)
    if last:
        return said[max(0, last - SHOWN_LINES) : last]
    entries = [entry for line in log if (entry := _entry(line))]
    weighty = (_weighty(entries, ERRORS) or _weighty(entries, FATAL))[-SHOWN_LINES:]
    return weighty or [line for line in log if not STACK.match(line)][-SHOWN_LINES:]


def without_warnings(log: Sequence[str]) -> tuple[str, ...]:
    """The lines that do not call themselves less than an error."""
    return tuple(line for line in log if not (_is_of(_entry(line), MINORS) or MINOR.match(line)))


def last_error(log: Sequence[str]) -> str:
    """The most telling line of it, shortened; "" for an empty log."""
    found = telling_lines(log)
    return shortened(found[-1]) if found else ""


def shortened(line: str) -> str:
    """The line as `last_error` gives it."""
    line = line.strip()
    return line if len(line) <= LONGEST_CHARACTERS else f"{line[: LONGEST_CHARACTERS - 1]}…"


def texts_of(log: Sequence[str]) -> Iterator[str]:
    """The lines of a log; of JSON lines their texts."""
    for line in log:
        entry = _entry(line)
        if not entry:
            yield line
            continue
        # MongoDB writes the reasons of a message into an object of its own, `attr`.
        nested = [value for one in entry.values() if isinstance(one, dict) for value in one.values()]
        for value in (*entry.values(), *nested):
            yield from value.splitlines() if isinstance(value, str) else ()


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line) if line.startswith("{") else None
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _weighty(entries: Sequence[Mapping[str, Any]], weights: Sequence[str]) -> list[str]:
    """The texts of the lines of this severity."""
    return list(filter(None, (_text(one) for one in entries if _is_of(one, weights))))


def _is_of(entry: Mapping[str, Any], levels: Sequence[str]) -> bool:
    return any(str(entry.get(key, "")).lower() in levels for key in LEVELS)


def _text(entry: Mapping[str, Any]) -> str:
    """`WiredTiger error message: database corruption detected`: the message and its reason."""
    words = entry.get("msg") or entry.get("message") or ""
    about = (entry, *(one for one in entry.values() if isinstance(one, Mapping)))
    found = (
        _reason(one.get(key)) for one in about for key in DETAILS if one is not entry or key not in ("msg", "message")
    )
    detail = next(filter(None, found), "")
    return " ".join(f"{words}: {detail}".split()).strip(": ") if isinstance(words, str) else detail


def _reason(value: Any) -> str:
    if isinstance(value, Mapping):
        return next((text for key in ("msg", "message", "errmsg") if isinstance(text := value.get(key), str)), "")
    return value if isinstance(value, str) else ""
