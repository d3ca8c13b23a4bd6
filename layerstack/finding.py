"""One finding of a check."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import wraps
from typing import Any, Literal, ParamSpec

Severity = Literal["ok", "warning", "error"]
Given = ParamSpec("Given")


@dataclass(frozen=True)
class Finding:
    """`why` says why it matters; `remedy`, `service` and `place` (file and line) are "" where there is none."""

    check: str
    severity: Severity
    detail: str
    remedy: str = ""
    why: str = ""
    service: str = ""
    place: str = ""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "service": self.service or None, "place": self.place or None}


def ok(check: str, detail: str) -> Finding:
    return Finding(check, "ok", detail)


def warning(check: str, detail: str, remedy: str, service: str = "", place: str = "") -> Finding:
    return Finding(check, "warning", detail, remedy, service=service, place=place)


def error(check: str, detail: str, remedy: str, service: str = "", place: str = "") -> Finding:
    return Finding(check, "error", detail, remedy, service=service, place=place)


def has_errors(findings: Iterable[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)


def or_ok(
    check: str, detail: str
) -> Callable[[Callable[Given, Iterator[Finding]]], Callable[Given, Iterator[Finding]]]:
    """Decorates a check that yields problems only: without any it yields this `ok` finding."""

    def decorate(find: Callable[Given, Iterator[Finding]]) -> Callable[Given, Iterator[Finding]]:
        @wraps(find)
        def run(*args: Given.args, **kwargs: Given.kwargs) -> Iterator[Finding]:
            yield from list(find(*args, **kwargs)) or [ok(check, detail)]

        return run

    return decorate
