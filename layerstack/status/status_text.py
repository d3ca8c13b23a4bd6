"""The status for people: one line says all, then a line a service with what is stale and the command below it."""

from collections.abc import Sequence

from layerstack.status.status import ServiceStatus, orphans_text, summary
from layerstack.wording import duration

COLUMNS = ("service", "state", "image", "up for", "device", "address")
GAP = "  "
INDENT = "    "


def print_status(found: Sequence[ServiceStatus]) -> None:
    """On stdout, as wide as it is: nothing is cut."""
    from rich.console import Console
    from rich.text import Text

    console = Console(emoji=False, highlight=False, soft_wrap=True)
    rows = [COLUMNS, *(_row(one) for one in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    is_up = any(one.state != "absent" for one in found if not one.is_orphan)
    console.print(Text(_headline(found), style=_colour(found)))
    for number, row in enumerate(rows):
        line = GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        console.print(Text(line, style="bold" if number == 0 else ""))
        for text, style in _below(found[number - 1], is_up) if number else ():
            console.print(Text(INDENT + text, style=style))


def _headline(found: Sequence[ServiceStatus]) -> str:
    repairs = {one.freshness.stale[0].repair for one in found if one.freshness.stale}
    own = [one for one in found if not one.is_orphan]
    if own and all(one.state == "absent" for one in own):
        builds = any("invoke build" in repair for repair in repairs)
        orphans = orphans_text(found)
        start = f"{summary(own)}: `invoke {'build up' if builds else 'up'}` starts it"
        return f"{start}; {orphans}" if orphans else start
    return summary(found)


def _colour(found: Sequence[ServiceStatus]) -> str:
    if any(one.freshness.is_stale for one in found):
        return "red"
    return "yellow" if any(one.freshness.stale for one in found) else "green"


def _row(one: ServiceStatus) -> tuple[str, ...]:
    up_for = duration(one.uptime_seconds) if one.uptime_seconds else ""
    return (one.service, one.state, one.image, up_for, one.device, one.address)


def _below(one: ServiceStatus, is_up: bool) -> list[tuple[str, str]]:
    """(text, style) of the lines under a service; where nothing is up, the first line says so for all."""
    fresh = one.freshness
    told = [stale for stale in fresh.stale if one.state != "absent" or stale.kind != "not-running"]
    lines = [(f"{stale.kind}: {stale.detail}", "red" if stale.is_certain else "yellow") for stale in told]
    lines += [(f"→ {fresh.stale[0].repair}", "bold")] if told or (fresh.stale and is_up) else []
    lines += [(f"not known: {text}", "yellow") for text in fresh.unknown]
    return lines + [(text, "dim") for text in fresh.notes]
