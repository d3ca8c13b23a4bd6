"""Log lines as JSON for programs, or as text for people (POSE_LOG_FORMAT)."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

FORMATS = ("json", "text")
VARIABLE = "POSE_LOG_FORMAT"
TEXT = "%(levelname)s %(name)s: %(message)s"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, process, message, and whatever is in the record's `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            # The last line first: that is what a person looks for.
            line["error"] = f"{record.exc_info[0].__name__}: {record.exc_info[1]}" if record.exc_info[0] else ""
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def formatter(environment: Mapping[str, str]) -> logging.Formatter:
    """The formatter that POSE_LOG_FORMAT asks for; JSON unless it says text. Raises ValueError."""
    name = environment.get(VARIABLE) or "json"
    if name not in FORMATS:
        msg = f"{VARIABLE}={name!r}: use one of {', '.join(FORMATS)}"
        raise ValueError(msg)
    return JsonFormatter() if name == "json" else logging.Formatter(TEXT)


def configure(environment: Mapping[str, str]) -> None:
    """Send everything from INFO on to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(environment))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
