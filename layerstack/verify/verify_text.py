"""What verify found, for a person: the diagnosis first, then the evidence, then every link."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from layerstack.report import mark, print_table, say
from layerstack.wording import duration

if TYPE_CHECKING:
    from layerstack.verify.checks import CheckResult
    from layerstack.verify.diagnosis import Diagnosis
    from layerstack.verify.examination import ServiceResult
    from layerstack.verify.verify import VerifyReport

Row = tuple[str, str, str, str, str, str]


def print_verify(outcome: VerifyReport) -> None:
    """First line: service, cause, repair. Then the evidence, other faults, and a table of all links."""
    for line in _head(outcome):
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
    rows = [row for service in outcome.services for row in _rows(service)]
    print_table(("", "service", "state", "check", "took", "answer"), rows, right=("took",))
    stand_ins = [one.service for one in outcome.services if one.container and one.container.stand_in_for]
    if stand_ins:
        say(f"running on stand-ins, not on the official images: {', '.join(stand_ins)}")


def in_one_line(found: Diagnosis) -> str:
    """`mongodb: is paused → docker unpause shop-mongodb-1`."""
    return f"{found.service}: {found.cause} → {found.way_out}"


def wait_observer() -> Callable[[VerifyReport], None]:
    """A line on stderr whenever something else is waited for."""
    told: list[str] = []

    def tell(outcome: VerifyReport) -> None:
        text = "; ".join(f"{one.service} {one.cause}" for one in outcome.diagnoses)
        if told[-1:] != [text]:
            told.append(text)
            say(f"waiting ({duration(outcome.seconds)}): {text}")

    return tell


def _head(outcome: VerifyReport) -> Iterator[str]:
    if not outcome.diagnoses:
        where = f", engine on {outcome.engine_host}" if outcome.engine_host else ""
        yield f"everything works on {outcome.device} ({duration(outcome.seconds)}{where})"
    for number, found in enumerate(outcome.diagnoses):
        yield ("" if number == 0 else "also ") + in_one_line(found)
        yield from (f"  | {line}" for line in found.evidence.splitlines())


def _rows(result: ServiceResult) -> Iterator[Row]:
    """One row for all links that are fine, then one for each broken link and each declared check."""
    from rich.markup import escape

    fine = [check for check in result.checks if check.link and check.is_ok and check.is_asked]
    shown = [check for check in result.checks if check not in fine]
    name, state = result.service, result.state
    if fine:
        up = next((check.detail for check in reversed(fine) if check.link == "running"), fine[-1].detail)
        yield mark(True), name, state, ", ".join(dict.fromkeys(check.link for check in fine)), "", escape(up)
        name = state = ""
    for check in shown:
        yield _mark(check), name, state, _name(check), _took(check), escape(_answer(check))
        name = state = ""


def _mark(check: CheckResult) -> str:
    """What was not checked is neither well nor broken."""
    return mark(check.is_ok) if check.is_asked or not check.is_ok else "[dim]–[/dim]"


def _name(check: CheckResult) -> str:
    return f"{check.check} ({check.container})" if check.container else check.check


def _took(check: CheckResult) -> str:
    return f"{check.milliseconds:.0f} ms" if check.milliseconds else ""


def _answer(check: CheckResult) -> str:
    return f"because of {check.because_of}: {check.detail}" if check.because_of else check.detail
