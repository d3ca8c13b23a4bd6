"""One thing that doctor looked at."""

from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """What was found, why it matters, and the remedy when it is not ok.

    `service` is the service it is about and `place` the file and line, "" where there is none.
    """

    check: str
    severity: Severity
    detail: str
    remedy: str = ""
    why: str = ""
    service: str = ""
    place: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "severity": self.severity,
            "detail": self.detail,
            "why": self.why,
            "remedy": self.remedy,
            "service": self.service or None,
            "place": self.place or None,
        }


def ok(check: str, detail: str) -> Finding:
    return Finding(check, "ok", detail)


def warning(check: str, detail: str, remedy: str, service: str = "", place: str = "") -> Finding:
    return Finding(check, "warning", detail, remedy, service=service, place=place)


def error(check: str, detail: str, remedy: str, service: str = "", place: str = "") -> Finding:
    return Finding(check, "error", detail, remedy, service=service, place=place)
