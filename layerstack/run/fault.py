"""A named fault of one service: its kind, the cause in words, what to change and what to type."""

from dataclasses import dataclass
from typing import Literal

FaultKind = Literal[
    "address-of-itself",
    "base-missing",
    "certificate-expired",
    "certificate-refused",
    "check-invalid",
    "check-missing",
    "code-broken",
    "command-missing",
    "crashed",
    "data-damaged",
    "data-of-other-version",
    "deaf",
    "device-missing",
    "disk-full",
    "engine-refuses",
    "file-missing",
    "file-unreadable",
    "file-unwritable",
    "frozen",
    "health-check-malformed",
    "health-check-proxied",
    "health-check-slow",
    "health-check-wrong-address",
    "health-program-missing",
    "image-missing",
    "killed",
    "library-missing",
    "library-unfit",
    "listens-on-loopback",
    "lock-left",
    "module-missing",
    "mount-mismatch",
    "mount-replaced",
    "name-taken",
    "network-detached",
    "network-internal",
    "network-missing",
    "no-answer",
    "no-shared-network",
    "not-executable",
    "not-ready-yet",
    "not-started",
    "nothing-to-do",
    "one-shot-failed",
    "out-of-files",
    "out-of-memory",
    "out-of-processes",
    "packets-dropped",
    "paused",
    "port-denied",
    "port-held",
    "port-misplaced",
    "port-unreachable",
    "reports-failure",
    "restart-loop",
    "schema-missing",
    "settings-broken",
    "unhealthy",
    "unknown-host",
    "user-unknown",
    "variable-missing",
    "variable-wrong",
    "volume-unwritable",
    "windows-line-ends",
    "wrong-answer",
    "wrong-credentials",
    "wrong-port",
    "wrong-scheme",
]
# Faults that a dependency can cause. All other kinds are faults of the service itself.
CONSEQUENCES: frozenset[FaultKind] = frozenset(
    {
        *("crashed", "deaf", "killed", "no-answer", "not-ready-yet", "not-started", "one-shot-failed"),
        *(
            "packets-dropped",
            "port-unreachable",
            "reports-failure",
            "restart-loop",
            "unhealthy",
            "wrong-answer",
            "wrong-credentials",
        ),
    }
)


@dataclass(frozen=True)
class Fault:
    """`repair` is one command; where a person has to edit something first, `change` says what and where."""

    kind: FaultKind
    cause: str
    repair: str
    change: str = ""

    @property
    def way_out(self) -> str:
        """What to do, in one line."""
        return f"{self.change}, then `{self.repair}`" if self.change else f"`{self.repair}`"

    @property
    def can_pass(self) -> bool:
        """Whether it may pass by waiting."""
        return self.kind == "not-ready-yet"

    @property
    def is_own(self) -> bool:
        """Whether it is a fault of this service, whatever its dependencies do."""
        return self.kind not in CONSEQUENCES
