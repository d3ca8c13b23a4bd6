"""Times as the engine, Buildx and Go print them, parsed only here."""

import re
import time
from datetime import datetime
from pathlib import Path

# BuildKit writes UTC with nine digits, Buildx its own vertices with the machine's offset and as many digits as there
# are, `buildx du` Go's own form (`2026-11-27 22:20:40.9 +0000 UTC`). Python 3.10 parses none of them as they are.
_TIME = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<clock>\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d+))?"
    r"\s*(?:(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d))?",
    re.IGNORECASE,
)

# `ms` stands before `m`: the first alternative that fits is taken.
# `48h0m0s`, `1m30s`, `500ms`: a duration as Go prints it
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
# `16 minutes ago`, `About an hour ago`: an age as Docker's commands print it
_AGE = re.compile(r"(\d+|a|an) (second|minute|hour|day|week|month|year)s?\b")
_UNITS = {
    **{"ms": 0.001, "s": 1, "m": 60, "h": 3600, "second": 1, "minute": 60, "hour": 3600, "day": 86400},
    **{"week": 7 * 86400, "month": 30 * 86400, "year": 365 * 86400},
}


def read_time(text: str | None) -> float | None:
    """Seconds since 1970; a time without an offset is UTC. None for no time and for Go's zero time, the year 1."""
    match = _TIME.match(text or "")
    if not match or match["day"].startswith("000"):
        return None
    try:
        # The offset is added by hand, as Python 3.10 reads it in one form only.
        moment = datetime.fromisoformat(f"{match['day']}T{match['clock']}+00:00").timestamp()
    except ValueError:
        return None
    offset_seconds = int(match["hours"] or 0) * 3600 + int(match["minutes"] or 0) * 60
    fraction = float(f"0.{match['fraction'] or 0}")
    return moment + fraction + (offset_seconds if match["sign"] == "-" else -offset_seconds)


def written_at(path: Path) -> float:
    """When a file was written; 0 for one that is gone or that this user may not see."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def epoch_seconds(text: str | None) -> float:
    """As read_time; 0 for no time, which is older than anything else."""
    return read_time(text) or 0.0


def span_seconds(text: str) -> float:
    """Seconds of a duration such as `48h0m0s` or `1m30s`; a bare number is seconds, anything else 0."""
    if text.strip().isdigit():
        return float(text)
    return sum(float(number) * _UNITS[unit] for number, unit in _SPAN.findall(text))


def seconds_ago(text: str) -> float | None:
    """Seconds of an age such as `16 minutes ago` or `About an hour ago`; None for anything else."""
    match = _AGE.search(text)
    return float(1 if match[1] in ("a", "an") else match[1]) * _UNITS[match[2]] if match else None


def local_time(seconds: float | None) -> str:
    """`2026-11-27 22:20:05`, as the clock of this machine shows it; "" for no time and for one that no calendar has."""
    try:
        return "" if seconds is None else f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return ""


def age(text: str | None) -> str:
    """Time since then as `5 min`, `3 h`, `12 d`; "" for no time."""
    then = read_time(text)
    if then is None:
        return ""
    minutes = max(0.0, time.time() - then) / 60
    if minutes < 60:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 2880 else f"{minutes / 1440:.0f} d"
