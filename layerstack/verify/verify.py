"""Checks all services in parallel, and finds the first broken link."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from layerstack.engine import engine
from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container, read_all
from layerstack.engine.place import EnginePlace, find_place
from layerstack.errors import EngineError, reason
from layerstack.project.dependency import in_start_order, is_one_shot
from layerstack.project.project import Device, Project
from layerstack.verify.check_graph import read_graph
from layerstack.verify.examination import ServiceResult, examine
from layerstack.wait import Answer, ask_all, call_within, wait_until

if TYPE_CHECKING:
    from layerstack.verify.diagnosis import Diagnosis
    from layerstack.verify.unapplied import Unapplied

# A list of containers takes milliseconds: an engine that needs longer does not respond.
ENGINE_SECONDS = 10.0
# The longest check may take this long in all; each has a limit of its own below it.
CHECKS_SECONDS = 300.0
# Health checks run once more here, each for 15 s at most.
EVIDENCE_SECONDS = 45.0
POLL_SECONDS = 1.0
# A connection that a restart had cut fails once, and nothing is wrong: these are believed when they are found twice.
MOMENTARY = frozenset({"no-answer", "reports-failure", "wrong-answer"})
# Containers that restart in a loop are never the same twice.
CHANGED_TRIES = 2


@dataclass(frozen=True)
class VerifyReport:
    """What verify found out; `seconds` is its own wall time.

    `diagnoses` are the faults that do not follow from each other, the one to repair first at the front.
    """

    seconds: float
    device: Device
    services: tuple[ServiceResult, ...]
    diagnoses: "tuple[Diagnosis, ...]" = ()
    engine_host: str = ""
    unapplied: "tuple[Unapplied, ...]" = ()

    @property
    def is_ok(self) -> bool:
        return all(service.is_ok for service in self.services)

    @property
    def diagnosis(self) -> "Diagnosis | None":
        return self.diagnoses[0] if self.diagnoses else None

    @property
    def unopened(self) -> tuple[ServiceResult, ...]:
        """The services of a stack that works otherwise whose ports are not open yet."""
        return tuple(one for one in self.services if one.unopened) if self.is_ok else ()

    @property
    def can_turn_good(self) -> bool:
        """Whether waiting may be enough."""
        return bool(self.unopened) or (not self.is_ok and all(one.can_pass for one in self.diagnoses))

    def says_all_of(self, project: Project) -> bool:
        """Whether every service was asked and all is well."""
        return self.is_ok and {one.service for one in self.services} == set(read_graph(project).order)

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": self.is_ok,
            "seconds": round(self.seconds, 3),
            "device": self.device,
            "engine_host": self.engine_host or None,
            "diagnosis": self.diagnosis.to_json() if self.diagnosis else None,
            "unapplied": [one.to_json() for one in self.unapplied],
            "also": [one.to_json() for one in self.diagnoses[1:]],
            "services": [service.to_json() for service in self.services],
        }


Observer = Callable[[VerifyReport], None]


def verify(project: Project, wait_seconds: float = 0.0, observer: Observer | None = None) -> VerifyReport:
    """Look at every container and ask its declared checks, all services at once; bounded also when things hang.

    With `wait_seconds` it asks again until all is well or nothing that is broken can turn good by itself; `observer`
    hears of every round that goes on waiting. Raises EngineError when no engine answers, or it goes away meanwhile.
    """
    # Raises where nothing is to run.
    in_start_order(project)
    started = time.monotonic()
    # The SDK takes 0.1 s to load, and a stack that works can be read without it.
    client = engine.client_later()
    place = find_place()
    last: list[VerifyReport] = []

    def ask() -> bool:
        report = replace(look_once(client, project, place), seconds=time.monotonic() - started)
        is_believed = not _momentary(report) or _momentary(report) in map(_momentary, last)
        is_settled = is_believed and not report.can_turn_good
        last[:] = [report]
        if report.can_turn_good and observer and wait_seconds:
            observer(report)
        return is_settled

    wait_until(ask, wait_seconds, POLL_SECONDS) if wait_seconds else ask()
    # Once, after the last round: Compose is not asked again in each.
    return _with_unapplied(client, project, last[0])


def _with_unapplied(client: EngineClient, project: Project, report: VerifyReport) -> VerifyReport:
    from layerstack.verify.unapplied import apply_first, find_unapplied

    containers = {one.service: one.container for one in report.services if one.container}
    found = _from_engine(client, EVIDENCE_SECONDS, lambda: find_unapplied(client, project, containers))
    return replace(report, unapplied=found, diagnoses=tuple(apply_first(one, found) for one in report.diagnoses))


def _momentary(report: VerifyReport) -> set[tuple[str, str]]:
    """What only one request tells, as (service, kind)."""
    return {(one.service, one.kind) for one in report.diagnoses if one.kind in MOMENTARY}


def _is_idle(project: Project, name: str, containers: Sequence[Container]) -> bool:
    """Whether a service is not running, and is not a job that succeeded."""
    is_over = is_one_shot(project, project.services[name])
    return not containers or any(not one.is_running and not (is_over and one.exit_code == 0) for one in containers)


def look_once(
    client: EngineClient,
    project: Project,
    engine_place: EnginePlace,
    among: frozenset[str] = frozenset(),
    tries: int = CHANGED_TRIES,
) -> VerifyReport:
    """One round, `among` these services only; repeated when containers started or ended meanwhile."""
    found = _from_engine(client, ENGINE_SECONDS, lambda: read_all(client, project.name))
    graph = read_graph(project, among)
    idle = {name for name in graph.order if _is_idle(project, name, found.get(name, ()))}

    def ask(name: str) -> ServiceResult:
        is_doomed = bool(idle & graph.all_needs(name))
        return examine(client, project, project.services[name], found.get(name, ()), engine_place, is_doomed)

    results = _from_engine(client, CHECKS_SECONDS, lambda: ask_all(ask, graph.order))
    has_gpu = any(one.has_gpu for containers in found.values() for one in containers)
    report = VerifyReport(0.0, "gpu" if has_gpu else "cpu", tuple(results), engine_host=engine_place.host)
    if report.is_ok:
        return report
    if tries and _moments(found) != _moments(
        _from_engine(client, ENGINE_SECONDS, lambda: read_all(client, project.name))
    ):
        return look_once(client, project, engine_place, among, tries - 1)
    # A stack that works does without all that tells what is wrong.
    from layerstack.verify.explanation import explain

    look = partial(explain, client, project, graph, found, report.services)
    services, diagnoses = _from_engine(client, EVIDENCE_SECONDS, look)
    return replace(report, services=services, diagnoses=diagnoses)


def _moments(found: Mapping[str, tuple[Container, ...]]) -> set[tuple[str, str, str]]:
    """The containers with start and state: a check may have failed because one ended meanwhile."""
    return {(one.id, one.started_at, one.status) for containers in found.values() for one in containers}


def _from_engine(client: EngineClient, timeout_seconds: float, ask: Callable[[], Answer]) -> Answer:
    """The result of a call, ended early when the engine stops responding. Raises EngineError."""

    def is_gone() -> bool:
        # Raises where the engine is silent, and ends the wait; a call that only takes its time goes on.
        call_within(ENGINE_SECONDS / 2, client.ping)
        return False

    try:
        return call_within(timeout_seconds, ask, is_gone)
    except TimeoutError as error:
        raise EngineError(f"The engine did not respond: {error}.", "`invoke doctor` checks it.") from error
    except (EngineError, OSError) as error:
        raise EngineError(f"The engine stopped answering: {reason(error)}", "`invoke doctor` checks it.") from error
