"""The status as text: a summary, a line per service, reasons, and the one command that updates all."""

from collections.abc import Iterator, Sequence

from layerstack.report import line, mark, print_table
from layerstack.status.status import ServiceStatus, repair, summary
from layerstack.wording import duration

COLUMNS = ("", "service", "state", "up for", "device", "address", "image")


def print_status(statuses: Sequence[ServiceStatus]) -> None:
    """On stdout: the verdict, a line a service, the reasons, the command."""
    line(summary(statuses), _colour(statuses))
    columns = [name for name in COLUMNS if name != "device" or any(one.device == "gpu" for one in statuses)]
    rows = [dict(zip(COLUMNS, _row(one), strict=True)) for one in statuses]
    print_table(columns, [[row[name] for name in columns] for row in rows], spare=("up for", "image"))
    services: dict[tuple[str, str], list[str]] = {}
    for one in statuses:
        for reason in _reasons(one):
            services.setdefault(reason, []).append(one.service)
    if services:
        line()
    for (text, style), names in services.items():
        line(f"{', '.join(dict.fromkeys(names))}: {text}", style)
    if command := repair(statuses):
        line(f"→ `{command}`", "bold")


def _colour(statuses: Sequence[ServiceStatus]) -> str:
    if any(one.freshness.is_stale for one in statuses):
        return "red"
    return "yellow" if any(one.freshness.stale for one in statuses) else "green"


def _row(service_status: ServiceStatus) -> tuple[str, ...]:
    # Imported on demand: `rich` takes 0.05 s to load.
    from rich.markup import escape

    fresh = service_status.freshness
    sign = mark(not fresh.is_stale) if fresh.is_stale or not (fresh.stale or fresh.unknown) else "[yellow]?[/yellow]"
    up_for = duration(service_status.uptime_seconds) if service_status.uptime_seconds else ""
    return (
        sign,
        *(
            escape(text)
            for text in (
                service_status.service,
                service_status.state,
                up_for,
                service_status.device,
                service_status.address,
                service_status.image,
            )
        ),
    )


def _reasons(service_status: ServiceStatus) -> Iterator[tuple[str, str]]:
    """(text, style) of each remark about a service; its absence is in its own line."""
    for stale in service_status.freshness.stale:
        if service_status.state != "absent" or stale.kind != "not-running":
            yield f"{stale.detail} ({stale.kind})", "" if stale.is_certain else "yellow"
    for text in service_status.freshness.unknown:
        yield f"not known: {text}", "yellow"
    for text in service_status.freshness.notes:
        yield text, "dim"
