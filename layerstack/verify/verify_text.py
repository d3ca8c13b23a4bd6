"""The result of verify as text: the verdict, a line per service, and the first broken link at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from layerstack.report import line, mark, print_table, say
from layerstack.wording import duration, short

if TYPE_CHECKING:
    from layerstack.verify.checks import CheckResult
    from layerstack.verify.diagnosis import Diagnosis
    from layerstack.verify.examination import ServiceResult
    from layerstack.verify.verify import VerifyReport

COLUMNS = ("", "service", "state", "up for", "checked")
DETAIL_CHARACTERS = 100
NOT_ASKED = "[dim]-[/dim]"


def print_verify(outcome: VerifyReport, shows_all: bool = False) -> None:
    """First the verdict or diagnosis, then the services, at the end other faults and the evidence."""
    doubt = "yellow" if outcome.unopened or outcome.unapplied else "green"
    line(_headline(outcome), doubt if outcome.is_ok else "red", is_whole=True)
    rows = [row for service in outcome.services for row in (_all_rows if shows_all else _rows)(service)]
    print_table(COLUMNS, rows, spare=("up for",))
    stand_ins = [one.service for one in outcome.services if one.container and one.container.stand_in_for]
    if stand_ins:
        of_all = "all services" if len(stand_ins) == len(outcome.services) else ", ".join(stand_ins)
        line(f"built on stand-ins, not on the official images: {of_all}", "dim")
    first, *others = _alike(outcome.diagnoses) or [()]
    for group in others:
        line(f"also {in_one_line(group[0])}{_likewise(group)}", is_whole=True)
        _print_evidence(group[0])
    if first and (others or first[1:]):
        line(f"{first[0].service}{_likewise(first)}:")
    for found in first[:1]:
        _print_evidence(found)


def _alike(diagnoses: Sequence[Diagnosis]) -> list[tuple[Diagnosis, ...]]:
    """Faults of one kind that one command repairs, together, in order of the first of each."""
    groups: dict[tuple[str, str], list[Diagnosis]] = {}
    for one in diagnoses:
        groups.setdefault((one.kind, one.way_out), []).append(one)
    return [tuple(group) for group in groups.values()]


def _likewise(group: Sequence[Diagnosis]) -> str:
    return f"; likewise {', '.join(one.service for one in group[1:])}" if group[1:] else ""


def _print_evidence(diagnosis: Diagnosis) -> None:
    for text in diagnosis.evidence.splitlines():
        line(f"  | {text}")


def in_one_line(diagnosis: Diagnosis) -> str:
    """`mongodb: is paused → docker unpause shop-mongodb-1`."""
    return f"{diagnosis.service}: {diagnosis.cause} → {diagnosis.way_out}"


def wait_observer() -> Callable[[VerifyReport], None]:
    """A line on stderr whenever another service is waited for."""
    told: list[str] = []

    def tell(outcome: VerifyReport) -> None:
        text = "; ".join(f"{one.service}: {one.cause}" for one in outcome.diagnoses) or _closed(outcome)
        # A round a second finds mostly the same.
        if told[-1:] != [text]:
            told.append(text)
            say(f"waiting ({duration(outcome.seconds)}): {text}")

    return tell


def _headline(outcome: VerifyReport) -> str:
    if outcome.diagnosis:
        return in_one_line(outcome.diagnosis)
    where = f", engine on {outcome.engine_host}" if outcome.engine_host else ""
    works = f"everything works on {outcome.device} ({duration(outcome.seconds)}{where})"
    if outcome.unopened:
        return f"{works}, but {_closed(outcome)} → `invoke verify --wait 60`"
    if not outcome.unapplied:
        return works
    first, *others = outcome.unapplied
    names = " ".join(one.service for one in outcome.unapplied)
    also = f"; likewise {', '.join(one.service for one in others)}" if others else ""
    return f"{works}, but the definition of {first.service} {first.words}{also} → `invoke up {names}`"


def _closed(outcome: VerifyReport) -> str:
    ports = ", ".join(f"{' and '.join(one.unopened)} of {one.service}" for one in outcome.unopened)
    return f"nothing listens on {ports} yet"


def _rows(result: ServiceResult) -> Iterator[tuple[str, ...]]:
    """One row for a working service; else one per broken link of its own, and one for all consequences."""
    from rich.markup import escape

    own = [check for check in result.failed if not check.because_of]
    roots = dict.fromkeys(check.because_of for check in result.failed if check.because_of)
    said = [check.detail if check.link else f"{_name(check)}: {check.detail}" for check in own]
    # The whole of it is in the evidence below, and in --all.
    answers = [short(text, DETAIL_CHARACTERS) for text in said]
    answers += [f"fails because of {root}" for root in roots if root != result.service]
    is_asked = any(check.is_asked for check in result.checks) and not result.unopened
    sign = mark(result.is_ok) if not result.is_ok or is_asked else NOT_ASKED
    texts = answers or ["; ".join([_checked(result), *_unchecked(result)])]
    for number, text in enumerate(texts):
        first = number == 0
        yield sign if first else "", *(_identity(result) if first else ("", "", "")), escape(text)


def _all_rows(result: ServiceResult) -> Iterator[tuple[str, ...]]:
    """A row per link and declared check, with its response and time."""
    from rich.markup import escape

    for number, check in enumerate(result.checks):
        took = f" ({check.milliseconds:.0f} ms)" if check.milliseconds else ""
        because = f"because of {check.because_of}: " if check.because_of else ""
        text = f"{_name(check)}: {because}{check.detail}{took}"
        yield _mark(check), *(_identity(result) if number == 0 else ("", "", "")), escape(text)


def _identity(result: ServiceResult) -> tuple[str, str, str]:
    one = result.container
    up_for = duration(one.uptime_seconds) if one and one.is_running and one.uptime_seconds else ""
    return result.service, result.state, up_for


def _checked(result: ServiceResult) -> str:
    """The checks of a working service."""
    declared = [check for check in result.checks if not check.link and check.is_asked]
    names = list(dict.fromkeys(check.check for check in declared))
    if len(names) == 1 and names[0].startswith("answer "):
        return declared[0].detail
    if names:
        return ", ".join(names)
    if result.state == "finished":
        return "ended with code 0"
    links = {check.link: check.check for check in result.checks if check.link in ("health", "port") and check.is_asked}
    return ", ".join(links.values()) or "only that it runs"


def _unchecked(result: ServiceResult) -> Iterator[str]:
    """What was not checked; the service's own health check covers it, but not its ports."""
    is_well = any(check.link == "health" and check.is_asked for check in result.checks)
    unasked = (check for check in result.checks if check.is_ok and not check.is_asked)
    yield from dict.fromkeys(check.detail for check in unasked if not is_well or check.link == "port")


def _mark(check: CheckResult) -> str:
    # What was not checked is neither well nor broken.
    return mark(check.is_ok) if check.is_asked else NOT_ASKED


def _name(check: CheckResult) -> str:
    return f"{check.check} ({check.container})" if check.container else check.check
