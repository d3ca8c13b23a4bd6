"""The order of services in which a fault spreads."""

from collections.abc import Mapping
from dataclasses import dataclass

from layerstack.project.addresses import names_of, references
from layerstack.project.dependency import dependencies, is_scaled_to_zero
from layerstack.project.project import Project


@dataclass(frozen=True)
class CheckGraph:
    """`needs` maps a service to those that it uses directly; `order` has what is needed first."""

    order: tuple[str, ...]
    needs: Mapping[str, frozenset[str]]

    def all_needs(self, name: str) -> frozenset[str]:
        """Everything that a service uses, directly or not."""
        return _closure(self.needs, name)


def read_graph(project: Project, among: frozenset[str] = frozenset()) -> CheckGraph:
    """`depends_on`, and the services that environment variables name. A circle of addresses is cut where it closes.

    `among` leaves out all other services; empty for none.
    """
    names = [
        name
        for name, service in project.services.items()
        if not is_scaled_to_zero(service) and (not among or name in among)
    ]
    # An optional dependency may belong to a profile that is not active.
    needs = {name: frozenset(dependencies(project.services[name])) & frozenset(names) for name in names}
    for name in names:
        for other in _addressed(project, name):
            # `depends_on` is in the graph first and has no circles, as Compose refuses them: an address that would
            # close one is left out.
            if other in needs and other != name and name not in _closure(needs, other):
                needs[name] |= {other}
    return CheckGraph(_ordered(names, needs), needs)


def service_names(project: Project) -> dict[str, str]:
    """Host name → the service that answers to it."""
    return {host: name for name, service in project.services.items() for host in names_of(name, service.definition)}


def _addressed(project: Project, name: str) -> list[str]:
    hosts = service_names(project)
    environment = project.services[name].definition.get("environment") or {}
    return [hosts[one.host] for one in references(environment, hosts) if one.host in hosts]


def _closure(needs: Mapping[str, frozenset[str]], name: str) -> frozenset[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = needs.get(waiting.pop(), frozenset()) - found
        found |= new
        waiting += new
    return frozenset(found)


def _ordered(names: list[str], needs: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    ordered: dict[str, None] = {}

    def visit(name: str) -> None:
        # A set has another order in each process: of two faults, now one and now the other would come first.
        for needed in sorted(needs[name], key=names.index):
            if needed not in ordered:
                visit(needed)
        ordered[name] = None

    for name in names:
        visit(name)
    return tuple(ordered)
