"""The dependencies between services, with their conditions."""

from collections.abc import Iterable

from layerstack.errors import UsageError
from layerstack.project.project import Project, Service


def dependencies(service: Service) -> dict[str, str]:
    """Service it depends on → the condition it waits for."""
    declared = service.definition.get("depends_on") or {}
    return {name: (rule or {}).get("condition", "service_started") for name, rule in declared.items()}


def in_start_order(project: Project, names: Iterable[str] = ()) -> tuple[str, ...]:
    """The named services (all without a name) and what they depend on, dependencies first.

    Raises UsageError for an unknown name and when no service is active or all are scaled to zero; Compose itself
    refuses circles.
    """
    project.require_services()
    ordered: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in ordered:
            return
        for needed in dependencies(project.service(name)):
            # An optional dependency may belong to a profile that is not active.
            if needed in project.services:
                visit(needed)
        ordered[name] = None

    for name in tuple(names) or tuple(project.services):
        visit(name)
    wanted = tuple(name for name in ordered if not is_scaled_to_zero(project.services[name]))
    if not wanted:
        msg = f"Nothing is to run: {', '.join(ordered)} {'is' if len(ordered) == 1 else 'are'} scaled to zero."
        raise UsageError(msg, "Set `scale` or `deploy.replicas` above zero.")
    return wanted


def all_dependencies(project: Project, name: str) -> set[str]:
    """All services that this one depends on, directly or not."""
    needed: set[str] = set()
    waiting = [name]
    while waiting:
        for other in dependencies(project.services[waiting.pop()]):
            if other in project.services and other not in needed:
                needed.add(other)
                waiting.append(other)
    return needed


def is_one_shot(project: Project, service: Service) -> bool:
    """Whether this service is meant to end: something waits for its end, or nothing indicates a server."""
    waits = (dependencies(other).get(service.name) for other in project.services.values())
    if "service_completed_successfully" in waits:
        return True
    restarts = str(service.definition.get("restart") or "no")
    serves = service.has_health_check or bool(service.definition.get("ports"))
    # `on-failure` starts a program again only after an error, so that it may be meant to end.
    return (restarts == "no" or restarts.startswith("on-failure")) and not serves


def is_scaled_to_zero(service: Service) -> bool:
    """Whether it is declared with no containers."""
    return service.replicas == 0
