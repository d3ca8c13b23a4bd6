"""What of `docker compose up` is left once its first half, `up --no-start`, has made and replaced the containers.

The second half goes from service to service and waits at least half a second for each of its dependencies, running or
not: seconds for a stack that is up already. Where everything else is ready, nothing is left of it but to start what
does not run, in order: `docker compose up --no-deps` of these services alone.
"""

from collections.abc import Iterable, Mapping, Sequence

from layerstack.engine.container import Container
from layerstack.project.dependency import dependencies, is_one_shot
from layerstack.project.project import Project, Service
from layerstack.run.health import judge_now

Found = Mapping[str, Sequence[Container]]

COMPLETED, HEALTHY = "service_completed_successfully", "service_healthy"
# Another program's services, a digest of another container in the definition, names of other containers: Compose needs
# to know those others as well.
REFERRING = ("provider", "models", "links", "volumes_from")
SHARED = ("network_mode", "ipc", "pid")
# What is pulled at every start is not to be pulled twice.
USUAL_PULLS = ("", "missing", "if_not_present", "never", "build")


def can_be_split(project: Project, wanted: Iterable[str], found: Found) -> bool:
    """Whether a start in two halves ends as one in a single call, and something runs that need not be waited for."""
    is_plain = all(_is_plain(service) for service in project.services.values())
    return is_plain and any(_is_ready(project, name, found) for name in wanted)


def remainder(project: Project, wanted: Sequence[str], found: Found) -> tuple[str, ...] | None:
    """The services that are to be started, now that all containers are made; None where only Compose can tell."""
    idle = tuple(name for name in wanted if any(one.status in ("created", "exited") for one in found.get(name, ())))
    is_known = all(name in idle or _is_ready(project, name, found) for name in wanted)
    is_met = all(_can_be_met(needed, condition, idle, found) for needed, condition in _needs(project, wanted))
    return idle if is_known and is_met else None


def awaited_jobs(project: Project, wanted: Iterable[str]) -> frozenset[str]:
    """Services whose end others of these wait for."""
    return frozenset(needed for needed, condition in _needs(project, wanted) if condition == COMPLETED)


def _is_plain(service: Service) -> bool:
    definition = service.definition
    return (
        not any(definition.get(key) for key in REFERRING)
        and not any(str(definition.get(key) or "").startswith("service:") for key in SHARED)
        and str(definition.get("pull_policy") or "") in USUAL_PULLS
    )


def _is_ready(project: Project, name: str, found: Found) -> bool:
    service, containers = project.services[name], found.get(name, ())
    is_job = is_one_shot(project, service)
    return bool(containers) and all(
        one.is_running and judge_now(one, service, is_job).phase == "ready" for one in containers
    )


def _needs(project: Project, wanted: Iterable[str]) -> list[tuple[str, str]]:
    return [pair for name in wanted for pair in dependencies(project.services[name]).items()]


def _can_be_met(needed: str, condition: str, idle: Sequence[str], found: Found) -> bool:
    """Compose refuses to wait for the health of what has no check, and waits for the end of a job that runs."""
    if condition == COMPLETED:
        return needed in idle
    return condition != HEALTHY or all(one.has_health_check for one in found.get(needed, ()))
