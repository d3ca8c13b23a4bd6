"""Times as the engine writes them."""

import re
from datetime import datetime

_TIME = re.compile(r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d)?")


def epoch_seconds(text: str) -> float:
    """`2026-11-21T00:40:13.123456789Z` or with `+01:00`, as epoch seconds; 0 for what is no time or the year 1."""
    found = _TIME.match(text)
    if not found or text.startswith("0001-"):
        return 0.0
    zone = "+00:00" if found["zone"] in (None, "Z") else found["zone"]
    return datetime.fromisoformat(found["time"] + zone).timestamp() + float(found["fraction"] or 0)
