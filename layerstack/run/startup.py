"""Progress and result of a start of the stack."""

import atexit
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from layerstack.report import Say, console_for, shown
from layerstack.run.health import Phase
from layerstack.wording import duration


@dataclass(frozen=True)
class ServiceProgress:
    """One service on its way up. `seconds` run from its start until it is ready."""

    service: str
    phase: Phase
    words: str
    seconds: float

    @property
    def text(self) -> str:
        return f"{self.service} {self.words} {duration(self.seconds)}"

    def to_json(self) -> dict[str, Any]:
        return {"service": self.service, "state": self.words, "seconds": round(self.seconds, 3)}


@dataclass(frozen=True)
class UpResult:
    """`started` names the services that got a new or a restarted container; empty when all ran already."""

    seconds: float
    services: tuple[ServiceProgress, ...]
    started: tuple[str, ...]

    @property
    def was_running(self) -> bool:
        return not self.started

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": True,
            "seconds": round(self.seconds, 3),
            "started": list(self.started),
            "services": [service.to_json() for service in self.services],
        }


class StartObserver(Protocol):
    """Receives the progress of a start: all services several times a second, and Compose's lines about pulls."""

    def update(self, services: Sequence[ServiceProgress]) -> None: ...
    def note(self, text: str) -> None: ...


class Silent:
    """For callers that want the result only."""

    def update(self, services: Sequence[ServiceProgress]) -> None: ...
    def note(self, text: str) -> None: ...


class ChangeLog:
    """One line whenever a service changes its state."""

    def __init__(self, say: Say, usual_seconds: Mapping[str, float] | None = None) -> None:
        self._say, self._usual = say, usual_seconds or {}
        self._words: dict[str, str] = {}

    def update(self, services: Sequence[ServiceProgress]) -> None:
        for one in services:
            if self._words.get(one.service) != one.words:
                self._words[one.service] = one.words
                usual = self._usual.get(one.service, 0.0)
                outlook = f" (usually {duration(usual)})" if one.phase == "waiting" and usual else ""
                self._say(f"{one.text}{outlook}")

    def note(self, text: str) -> None:
        self._say(text)


class LiveServices:
    """A table on the terminal that is redrawn while the services come up, and gone when they are."""

    MARKS: ClassVar[dict[Phase, str]] = {
        "ready": "[green]✓[/green]",
        "waiting": "[cyan]▸[/cyan]",
        "failed": "[red]✗[/red]",
    }

    def __init__(self, usual_seconds: Mapping[str, float] | None = None) -> None:
        from rich.live import Live

        self._usual = usual_seconds or {}
        self._live = Live(console=console_for(sys.stderr), auto_refresh=False, transient=True)
        atexit.register(self._live.stop)  # gives the cursor back after Ctrl-C or a failure

    def update(self, services: Sequence[ServiceProgress]) -> None:
        from rich.markup import escape
        from rich.table import Table

        table = Table(box=None, show_header=False, pad_edge=False)
        for one in services:
            usual = self._usual.get(one.service, 0.0)
            outlook = f"[dim]usually {duration(usual)}[/dim]" if one.phase == "waiting" and usual else ""
            words = escape(shown(one.words, sys.stderr))
            table.add_row(self.MARKS[one.phase], one.service, words, duration(one.seconds), outlook)
        # Not before the first update: a start that is refused then leaves no empty table.
        if not self._live.is_started:
            self._live.start()
        self._live.update(table, refresh=True)
        if all(one.phase != "waiting" for one in services):
            self._live.stop()

    def note(self, text: str) -> None:
        self._live.console.print(shown(text, sys.stderr), style="dim", highlight=False, markup=False)
