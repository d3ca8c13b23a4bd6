"""What the supervisor tells the web process about its engines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# After so many starts in a row that came to nothing, an engine is called failed; it is still tried again.
FAILED_AFTER = 3
# What an engine process that has reported its facts says every second.
ALIVE = "alive"


@dataclass(frozen=True)
class EngineFacts:
    """What a loaded engine is. seconds: how long its start took, by part (imports, model, first_estimate)."""

    name: str
    device: str
    degraded_reason: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class EngineEntry:
    """One engine process. state: starting, ready or down; `reason` says why it is down, or was last.

    `generation` grows with every process of the slot; `address` is the socket that takes its jobs. failures: ends in a
    row without a good time between them; has_worked: had the last one that ended been ready?
    """

    slot: int
    generation: int
    pid: int
    address: str
    state: str
    reason: str = ""
    failures: int = 0
    has_worked: bool = False
    facts: EngineFacts | None = None


@dataclass(frozen=True)
class Roster:
    """All engines at one moment. restarts: how often one was started again, since the supervisor began."""

    entries: tuple[EngineEntry, ...] = ()
    restarts: int = 0
    has_been_ready: bool = False

    @property
    def ready(self) -> tuple[EngineEntry, ...]:
        """The engines that take jobs."""
        return tuple(entry for entry in self.entries if entry.state == "ready")

    @property
    def status(self) -> str:
        """ready, degraded (some are down after a failure, others answer), starting or failed."""
        if self.ready:
            return "degraded" if any(entry.failures and entry.state != "ready" for entry in self.entries) else "ready"
        if self.entries and all(entry.failures >= FAILED_AFTER and not entry.has_worked for entry in self.entries):
            return "failed"
        return "starting"

    @property
    def reason(self) -> str:
        """Why not every engine answers; empty when all do."""
        reasons = dict.fromkeys(entry.reason for entry in self.entries if entry.state != "ready" and entry.reason)
        return "; ".join(reasons) or ("" if self.ready else "the pose engine is loading")


@dataclass(frozen=True)
class KillRequest:
    """The web process asks to kill an engine that does not answer."""

    slot: int
    generation: int
    reason: str
