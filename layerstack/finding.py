"""One thing that doctor looked at."""

from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """What was found, and the remedy when it is not ok."""

    check: str
    severity: Severity
    detail: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"check": self.check, "severity": self.severity, "detail": self.detail, "remedy": self.remedy}


def ok(check: str, detail: str) -> Finding:
    return Finding(check, "ok", detail)


def warning(check: str, detail: str, remedy: str) -> Finding:
    return Finding(check, "warning", detail, remedy)


def error(check: str, detail: str, remedy: str) -> Finding:
    return Finding(check, "error", detail, remedy)
