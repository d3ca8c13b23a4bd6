"""Deployments and deployed stacks as text."""

import sys
from collections.abc import Iterator

from layerstack.deploy.deploy import Deployment
from layerstack.deploy.deployed import OFF, DeployedService, StackReport
from layerstack.report import as_is, line, mark, print_table, say, shown
from layerstack.wording import duration


def print_changes(done: Deployment) -> None:
    """The changes on stderr, as stdout may receive the file."""
    for change in done.file.changes:
        is_all = len(change.services) == len(done.file.document["services"]) > 1
        say(f"{change.key}: {change.reason} ({'all services' if is_all else ', '.join(change.services)})")


def print_file(done: Deployment) -> None:
    """The file on stdout, and nothing else, so that it can be redirected; it contains the values of .env."""
    print_changes(done)
    target = as_is(sys.stdout)
    target.write(shown(done.file.text, target))
    # On stderr, so that the file on stdout stays complete and valid.
    if missing := [name for name, one in done.file.document["services"].items() if "@sha256:" not in one["image"]]:
        say(f"not in the registry yet: {', '.join(missing)}; deploy pushes them and names them by digest")


def print_deployed(done: Deployment) -> None:
    """A row per service."""
    rows = [
        (mark(one.state == "fine"), one.name, f"{one.running} of {one.asked}", one.state.replace("fine", ""))
        for one in done.replicas
    ]
    print_table(("", "service", "running", ""), rows)


def print_stack(report: StackReport, shows_all: bool = False) -> None:
    """First line: the verdict. Then a row per service, with `shows_all` one per check."""
    worst = report.worst
    cause, *evidence = worst.cause.splitlines() if worst and worst.cause else [""]
    rest = f"everything{' else' if report.off else ''} works"
    off = f"{', '.join(report.off)} {'is' if len(report.off) == 1 else 'are'} {OFF}, " if report.off else ""
    verdict = f"{worst.service} is {worst.state}: {cause}" if worst else f"{off}{rest}"
    line(f"{verdict} (stack {report.stack}, {duration(report.seconds)})", "red" if worst else "green", is_whole=True)
    rows = [row for one in report.services for row in _rows(one, shows_all)]
    print_table(("", "service", "state", "working", "checked"), rows)
    for text in evidence:
        line(text)


def _rows(service: DeployedService, shows_all: bool) -> Iterator[tuple[str, ...]]:
    from rich.markup import escape

    texts = [f"{check.container} {check.check}: {check.detail}" for check in service.checks] if shows_all else []
    names = dict.fromkeys(check.check for check in service.checks if check.is_asked)
    texts = texts or [service.cause.partition("\n")[0] or ", ".join(names) or "only its state in Swarm"]
    first = (
        mark(service.state == "fine") if service.asked else "",
        service.service,
        service.state,
        f"{service.working} of {service.asked}",
    )
    for number, text in enumerate(texts):
        yield *(first if number == 0 else ("", "", "", "")), escape(text)
