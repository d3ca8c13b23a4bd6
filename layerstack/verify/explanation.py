"""What is wrong with a stack that does not work: the faults, named, and what follows from them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container
from layerstack.engine.inside import stopped_programs
from layerstack.project.project import Project
from layerstack.run.fault import Fault
from layerstack.run.health import Verdict
from layerstack.verify.check_graph import CheckGraph
from layerstack.verify.checks import CheckResult
from layerstack.verify.diagnosis import (
    Diagnosis,
    blame,
    join_absent,
    make_diagnosis,
    mark_consequences,
    name_fault,
    rank_roots,
)
from layerstack.verify.examination import ServiceResult
from layerstack.verify.health_probe import probe_health
from layerstack.verify.http_check import short
from layerstack.verify.lookout import Lookout
from layerstack.verify.masking import mask
from layerstack.verify.state_links import HEALTH_CHECK
from layerstack.wait import ask_all


def explain(
    client: EngineClient,
    project: Project,
    graph: CheckGraph,
    containers: Mapping[str, tuple[Container, ...]],
    services: Sequence[ServiceResult],
) -> tuple[tuple[ServiceResult, ...], tuple[Diagnosis, ...]]:
    """The services with the consequences marked, and the faults that do not follow from each other, worst first."""
    # First, because a service that Docker still calls healthy may be the root of all other faults.
    results = look_again(client, graph, services)
    broken = [one for one in results if not one.is_ok]
    lookout = Lookout(client, project, results, containers)
    seen = {one.name: one for one in ask_all(lookout.gather, broken)}
    faults = {name: name_fault(one) for name, one in seen.items()}
    blamed = blame(graph, faults, [name for name, one in seen.items() if one.has_ended])
    roots = rank_roots(graph, faults, blamed)
    marked = tuple(mark_consequences(one, blamed) for one in results)
    found = [make_diagnosis(seen[name], with_waiting(faults[name], name, graph, results)) for name in roots]
    return marked, join_absent(found, results)


def with_waiting(fault: Fault, name: str, graph: CheckGraph, results: Sequence[ServiceResult]) -> Fault:
    """The fault with a repair that also starts the services which do not run because of this one."""
    waiting = (
        one
        for one in results
        if one.container is None
        or one.container.status == "created"
        or (one.container.status in ("exited", "dead") and not one.is_ok)
    )
    if not any(name in graph.all_needs(one.service) for one in waiting if one.service != name):
        return fault
    return replace(fault, repair=re.sub(rf"\binvoke up {re.escape(name)}$", "invoke up", fault.repair))


def look_again(client: EngineClient, graph: CheckGraph, results: Sequence[ServiceResult]) -> list[ServiceResult]:
    """The results, in which services that seemed fine are broken if their health check fails now."""
    broken = [one.service for one in results if not one.is_ok]
    # Only what a broken service needs can explain it; the others are left in peace.
    suspects = {need for name in broken for need in graph.all_needs(name)} - set(broken)
    return ask_all(lambda one: _ask_again(client, one) if one.service in suspects else one, results)


def _ask_again(client: EngineClient, result: ServiceResult) -> ServiceResult:
    one = result.container
    probe = probe_health(client, one) if one else None
    # On a busy machine a check may be late without any fault: only a halted program makes silence a proof.
    if one is None or probe is None or probe.is_ok or not (probe.has_answered or stopped_programs(client, one.id)):
        return result
    said = mask(short(probe.output), one.environment) or "it says nothing"
    reason = f"fails its health check now, but Docker has not recorded it yet: {said}"
    failed = CheckResult(HEALTH_CHECK, False, 0.0, reason, "health", answer=probe.output)
    checks = tuple(failed if check.link == "health" else check for check in result.checks)
    return replace(result, state="unhealthy", checks=checks, verdict=Verdict("failed", "unhealthy", reason))
