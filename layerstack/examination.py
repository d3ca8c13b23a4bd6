"""One service looked at: its container's state and what it answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from layerstack.checks import CheckResult, Target, as_check, guess, not_asked, run_declared
from layerstack.container import Container
from layerstack.health import Verdict
from layerstack.progress import duration
from layerstack.project import Project, Service


@dataclass(frozen=True)
class ServiceResult:
    """One service; `state` is its health where it has a check, else Docker's word, or `absent`."""

    service: str
    state: str
    checks: tuple[CheckResult, ...]
    verdict: Verdict
    container: Container | None = None

    @property
    def is_ok(self) -> bool:
        return all(check.is_ok for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "ok": self.is_ok,
            "state": self.state,
            "image": self.container.image if self.container else None,
            "stand_in_for": (self.container.stand_in_for or None) if self.container else None,
            "checks": [check.to_json() for check in self.checks],
        }


def examine(
    client: Any, project: Project, service: Service, found: Sequence[Container], verdict: Verdict
) -> ServiceResult:
    """Ask one service everything it declares; never raises, bounded by the time limits of its checks."""
    declared = [as_check(entry) for entry in service.settings.get("verify") or ()]
    if not found:
        own = CheckResult("container", False, 0.0, verdict.reason)
        return ServiceResult(service.name, "absent", (own, *not_asked(declared, "there is no container")), verdict)
    one = next((one for one in found if not one.is_running or one.health == "unhealthy"), found[0])
    own = CheckResult("container", verdict.phase == "ready", 0.0, _in_words(one, verdict))
    if not one.is_running:
        reason = f"the container is {one.state}"
        asked = [] if verdict.words == "finished" else not_asked(declared, reason)
    else:
        target = Target(client, one, project.root)
        asked = [run_declared(check, target) for check in declared] if declared else guess(one)
    state = "finished" if verdict.words == "finished" else one.state
    return ServiceResult(service.name, state, (own, *asked), verdict, one)


def _in_words(one: Container, verdict: Verdict) -> str:
    if verdict.phase == "failed":
        return verdict.reason
    if verdict.phase == "waiting":
        return f"is not ready yet: {verdict.words}, up {duration(one.uptime_seconds)}"
    return f"{verdict.words}, up {duration(one.uptime_seconds)}" if one.is_running else verdict.words
