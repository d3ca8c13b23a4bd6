"""The first broken link: the service that makes the others fail, why, and what to type."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from layerstack.container import read_log
from layerstack.dependency import all_dependencies
from layerstack.examination import ServiceResult
from layerstack.project import Project

EVIDENCE_LINES = 5
EVIDENCE_CHARACTERS = 300


@dataclass(frozen=True)
class Diagnosis:
    """The service that makes the others fail; `repair` is a command to type."""

    service: str
    cause: str
    evidence: str
    repair: str

    def to_json(self) -> dict[str, Any]:
        return {"service": self.service, "cause": self.cause, "evidence": self.evidence, "repair": self.repair}


def diagnose(client: Any, project: Project, results: Sequence[ServiceResult]) -> Diagnosis | None:
    """The broken service that drags most others down; None when all is well.

    That is a deepest one: whatever depends on a service also depends on what that service needs. One that has
    failed counts before one that is still starting.
    """
    broken = {result.service: result for result in results if not result.is_ok}
    if not broken:
        return None
    if all(result.container is None for result in results):
        return Diagnosis(results[0].service, "nothing of this project is started", "", "invoke up")
    dependents = {name: sum(name in all_dependencies(project, other) for other in broken) for name in broken}
    result = broken[max(broken, key=lambda name: (broken[name].verdict.phase == "failed", dependents[name]))]
    cause = result.verdict.reason or _first_failure(result)
    return Diagnosis(result.service, cause, _evidence(client, result), _repair(client, result))


def _first_failure(result: ServiceResult) -> str:
    failed = next(check for check in result.checks if not check.is_ok)
    if result.verdict.phase == "waiting":
        return failed.detail
    return f"{result.verdict.words}, but the check `{failed.check}` fails: {failed.detail}"


def _evidence(client: Any, result: ServiceResult) -> str:
    if result.container is None:
        return ""
    said = [f"health check: {result.container.health_output}"] if result.container.health_output else []
    lines = [*said, *read_log(client, result.container.id, EVIDENCE_LINES)]
    return "\n".join(line if len(line) <= EVIDENCE_CHARACTERS else f"{line[:EVIDENCE_CHARACTERS]}…" for line in lines)


def _repair(client: Any, result: ServiceResult) -> str:
    if result.verdict.repair:
        return result.verdict.repair
    if result.container and not result.container.is_newest(client):
        return "invoke up"
    if result.verdict.phase == "waiting":
        return "invoke up"
    return f"invoke logs {result.service}"
