"""The first broken link: the service that makes others fail, the cause, and what to type."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from layerstack.run.fault import Fault
from layerstack.verify import (
    address_faults,
    answer_faults,
    code_faults,
    config_faults,
    container_faults,
    data_faults,
    health_faults,
    missing_files,
    mount_faults,
    network_faults,
    port_faults,
    program_faults,
    right_faults,
    setting_faults,
)
from layerstack.verify.check_graph import CheckGraph
from layerstack.verify.checks import CheckResult
from layerstack.verify.evidence import Evidence, Rule
from layerstack.verify.examination import ServiceResult
from layerstack.verify.last_words import telling_lines
from layerstack.verify.masking import mask

EVIDENCE_CHARACTERS = 300
SHOWN_HEALTH_LINES = 2
# The surest evidence first: what the engine knows, then what the service says, then how it ended.
RULES: tuple[Rule, ...] = (
    health_faults.malformed,
    *container_faults.FIRST,
    *port_faults.RULES,
    *mount_faults.RULES,
    *program_faults.FIRST,
    right_faults.unreadable,
    missing_files.misnamed,
    *code_faults.RULES,
    *config_faults.RULES,
    *data_faults.RULES,
    *right_faults.RULES,
    missing_files.file_missing,
    setting_faults.variable_missing,
    setting_faults.value_empty,
    setting_faults.value_quoted,
    setting_faults.command_unfilled,
    setting_faults.scheme_missing,
    program_faults.user_nameless,
    program_faults.without_new_rights,
    *program_faults.RULES,
    container_faults.command_missing,
    health_faults.proxied,
    health_faults.wrong_port,
    health_faults.other_family,
    health_faults.other_address,
    health_faults.wrong_path,
    health_faults.login_wanted,
    health_faults.unknown_host,
    network_faults.certificate_refused,
    network_faults.internal_only,
    *address_faults.RULES,
    network_faults.no_name_server,
    network_faults.packets_dropped,
    setting_faults.refused_at_end,
    setting_faults.scheme_wrong,
    setting_faults.value_wrong,
    setting_faults.command_wrong,
    *container_faults.LAST,
    # `ended` has a word for every program that is gone: the rules below are for those that run.
    address_faults.loopback_only,
    network_faults.port_of_nobody,
    setting_faults.refused,
    *answer_faults.RULES,
)


@dataclass(frozen=True)
class Diagnosis(Fault):
    """The fault of the service that makes the others fail. `facts` are the evidence for programs."""

    service: str = ""
    evidence: str = ""
    container: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "kind": self.kind,
            "cause": self.cause,
            "evidence": self.evidence,
            "repair": self.repair,
            "change": self.change or None,
            "container": self.container or None,
            "facts": dict(self.facts),
        }


def name_fault(seen: Evidence) -> Fault:
    """The first rule that knows this evidence."""
    found = next((fault for rule in RULES if (fault := _ask(rule, seen))), None)
    failed = seen.result.failed[0]
    return found or Fault("wrong-answer", f"`{failed.check}` fails: {failed.detail}", seen.logs)


def _ask(rule: Rule, seen: Evidence) -> Fault | None:
    # A file of this machine may be closed to whoever runs this, gone meanwhile, or named as no file can be: such a rule
    # has no answer, and the others still have.
    with suppress(OSError):
        return rule(seen)
    return None


def blame(graph: CheckGraph, faults: Mapping[str, Fault], ended: Collection[str] = ()) -> dict[str, str]:
    """Broken service → the broken service that it fails because of; a root fails because of itself.

    `ended` are those whose program is gone: it does not come back by itself when what it needs is up.
    """
    roots = {
        name for name, fault in faults.items() if fault.is_own or _stands_alone(name, name in ended, graph, faults)
    }
    blamed = {name: name for name in roots}
    for name in graph.order:
        if name in faults and name not in blamed:
            needs = graph.all_needs(name)
            # A failure explains more than something that is still on its way.
            blamed[name] = min(
                (root for root in graph.order if root in roots & needs), key=lambda one: faults[one].can_pass
            )
    return blamed


def _stands_alone(name: str, is_over: bool, graph: CheckGraph, faults: Mapping[str, Fault]) -> bool:
    """Whether no dependency explains it. One that is merely starting does not explain a program that is gone."""
    needs = [faults[need] for need in graph.all_needs(name) if need in faults]
    return not needs or (is_over and all(need.can_pass for need in needs))


def rank_roots(graph: CheckGraph, faults: Mapping[str, Fault], blamed: Mapping[str, str]) -> list[str]:
    """The roots, the one that matters most first: named faults, then what drags most others down, then start order."""

    def weight(name: str) -> tuple[bool, bool, int, int]:
        fault = faults[name]
        dragged = sum(other == name for other in blamed.values())
        return fault.can_pass, fault.kind == "not-started", -dragged, graph.order.index(name)

    return sorted((name for name in blamed if blamed[name] == name), key=weight)


def make_diagnosis(seen: Evidence, fault: Fault) -> Diagnosis:
    """The diagnosis of one root, without passwords."""
    environment = seen.environment
    return Diagnosis(
        fault.kind,
        mask(fault.cause, environment),
        mask(fault.repair, environment),
        mask(fault.change, environment),
        seen.name,
        mask(_evidence(seen, fault), environment),
        seen.container.name if seen.container else "",
        _masked(seen.facts(), environment),
    )


def join_absent(diagnoses: Sequence[Diagnosis], results: Sequence[ServiceResult]) -> tuple[Diagnosis, ...]:
    """One diagnosis for all that only has to be started: the same command starts it."""
    absent = [one for one in diagnoses if one.kind == "not-started"]
    if not absent:
        return tuple(diagnoses)
    first, *others = absent
    cause = first.cause + (f"; likewise {', '.join(one.service for one in others)}" if others else "")
    if all(result.container is None for result in results):
        cause = "nothing of this project is running"
    return tuple(replace(one, cause=cause) if one is first else one for one in diagnoses if one not in others)


def mark_consequences(result: ServiceResult, blamed: Mapping[str, str]) -> ServiceResult:
    """The result with `because_of` in every link that fails because of another one."""
    root = blamed.get(result.service, "")
    if not root:
        return result
    checks = list(result.checks)
    # The links stand in the order in which they break: all after the first broken one follows from it.
    own = (
        next((place for place, check in enumerate(checks) if not check.is_ok), None) if root == result.service else None
    )
    marked = tuple(_mark(check, root, place != own) for place, check in enumerate(checks))
    return replace(result, checks=marked, because_of=root if root != result.service else "")


def _mark(check: CheckResult, root: str, is_consequence: bool) -> CheckResult:
    return replace(check, because_of=root) if is_consequence and not check.is_ok else check


def _evidence(seen: Evidence, fault: Fault) -> str:
    health = seen.container.health_output if seen.container and seen.container_is_bad else ""
    said = [f"health check: {line}" for line in telling_lines(health.splitlines())[-SHOWN_HEALTH_LINES:]]
    told = (check for check in seen.result.failed if check.is_asked and check.link != "health")
    # What the first line says already is not repeated.
    asked = [f"{check.check}: {check.detail}" for check in told if check.detail not in fault.cause][:2]
    # Who pauses a container does it from outside: nothing in its log tells of that.
    log = () if fault.kind == "paused" else telling_lines(seen.log)
    lines = [*asked, *said, *log]
    shown = dict.fromkeys(part for line in lines for part in line.splitlines() if part.strip())
    return "\n".join(line if len(line) <= EVIDENCE_CHARACTERS else f"{line[:EVIDENCE_CHARACTERS]}…" for line in shown)


def _masked(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return mask(value, environment)
    if isinstance(value, Sequence):
        return [_masked(one, environment) for one in value]
    if isinstance(value, Mapping):
        return {key: _masked(one, environment) for key, one in value.items()}
    return value
