"""Examines one service: the links and checks of its containers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container
from layerstack.engine.place import EnginePlace
from layerstack.project.dependency import is_one_shot
from layerstack.project.project import Project, Service
from layerstack.run.health import Verdict, absent, judge_now
from layerstack.verify.checks import CheckResult, Target, as_check, guess, not_asked, run_declared
from layerstack.verify.health_probe import probe_health
from layerstack.verify.masking import mask
from layerstack.verify.state_links import CLOSED, container_link, image_link, links_of
from layerstack.wait import ask_all

RECOVERING = Verdict("waiting", "recovering: its health check passes again, but Docker has not recorded it yet")


@dataclass(frozen=True)
class ServiceResult:
    """One service; `state` is its health where it has a check, else Docker's word, or `absent`.

    `container` is the worst of its containers, `verdict` the one on it.
    """

    service: str
    state: str
    checks: tuple[CheckResult, ...]
    verdict: Verdict
    container: Container | None = None
    because_of: str = ""

    @property
    def is_ok(self) -> bool:
        return all(check.is_ok for check in self.checks)

    @property
    def unopened(self) -> tuple[str, ...]:
        """Its published ports, when no program listens on any of them so far; they may open yet."""
        ports = [check for check in self.checks if check.link == "port"]
        is_closed = bool(ports) and all(check.is_ok and CLOSED in check.detail for check in ports)
        return tuple(check.check for check in ports) if is_closed else ()

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        return tuple(check for check in self.checks if not check.is_ok)

    def to_json(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "ok": self.is_ok,
            "state": self.state,
            "because_of": self.because_of or None,
            "image": self.container.image if self.container else None,
            "stand_in_for": (self.container.stand_in_for or None) if self.container else None,
            "checks": [check.to_json() for check in self.checks],
        }


def examine(
    client: EngineClient,
    project: Project,
    service: Service,
    containers: Sequence[Container],
    engine_place: EnginePlace,
    is_doomed: bool,
) -> ServiceResult:
    """Ask one service everything that can be asked; bounded by the time limits of its checks (`is_doomed`: see Target).

    Raises EngineError or OSError when the engine itself fails.
    """
    links = [image_link(client, service.image, containers), container_link(service, containers)]
    if not containers:
        asked = not_asked(_declared(service), "there is no container")
        return ServiceResult(service.name, "absent", (*links, *asked), absent(service.name))
    is_job = is_one_shot(project, service)

    def look(container: Container) -> ServiceResult:
        verdict = _judge(client, container, service, is_job)
        checks = _ask(Target(client, container, project.root, engine_place, is_doomed), service, verdict)
        if len(containers) > 1:
            checks = [replace(check, container=container.name) for check in checks]
        state = "finished" if verdict.words == "finished" else container.state
        return ServiceResult(service.name, state, tuple(checks), verdict, container)

    replicas = ask_all(look, containers)
    phases = ("failed", "waiting", "ready")
    worst = min(replicas, key=lambda one: (phases.index(one.verdict.phase), one.is_ok))
    return replace(worst, checks=(*links, *(check for one in replicas for check in one.checks)))


def _declared(service: Service) -> list[Mapping[str, Any]]:
    return [as_check(entry) for entry in service.settings.verify]


def _judge(client: EngineClient, container: Container, service: Service, is_job: bool) -> Verdict:
    verdict = judge_now(container, service, is_job)
    if verdict.words == "unhealthy":
        # Docker's word is as old as its last check, and with a long interval the service may be well again since.
        probe = probe_health(client, container)
        if probe and probe.is_ok:
            return RECOVERING
    return verdict


def _ask(target: Target, service: Service, verdict: Verdict) -> list[CheckResult]:
    """The links of one container, then its declared checks in parallel, without passwords."""
    one, declared = target.container, _declared(service)
    links = links_of(target.client, one, service, verdict, target.place)
    # A service with a failed health check or port is asked all the same: its answer may say why.
    broken = next((link for link in links if not link.is_ok and link.link in ("running", "network")), None)
    asked: list[CheckResult] = []
    if broken:
        reason = f"is {one.state}" if broken.link == "running" else broken.detail
        asked = not_asked(declared, f"the container {reason}")
    elif verdict.words != "finished":
        asked = ask_all(lambda check: run_declared(check, target), declared) if declared else guess(target)
    # `answer` stays as it is: the rules read it, and it is part of no report.
    return [replace(check, detail=mask(check.detail, one.environment)) for check in (*links, *asked)]
