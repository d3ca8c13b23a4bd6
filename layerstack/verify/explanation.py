"""What is wrong with a stack that does not work: the faults, named, and what follows from them."""

from collections.abc import Mapping, Sequence

from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container
from layerstack.engine.place import EnginePlace
from layerstack.project.project import Project
from layerstack.verify.check_graph import CheckGraph
from layerstack.verify.diagnosis import (
    Diagnosis,
    blame,
    join_absent,
    make_diagnosis,
    mark_consequences,
    name_fault,
    rank_roots,
)
from layerstack.verify.evidence import Lookout
from layerstack.verify.examination import ServiceResult
from layerstack.verify.second_look import look_again
from layerstack.wait import ask_all


def explain(
    client: EngineClient,
    project: Project,
    graph: CheckGraph,
    engine_place: EnginePlace,
    containers: Mapping[str, tuple[Container, ...]],
    services: Sequence[ServiceResult],
) -> tuple[tuple[ServiceResult, ...], tuple[Diagnosis, ...]]:
    """The services with the consequences marked, and the faults that do not follow from each other, worst first."""
    # First, because a service that Docker still calls healthy may be the root of all other faults.
    results = look_again(client, graph, services)
    broken = [one for one in results if not one.is_ok]
    lookout = Lookout(client, project, results, engine_place=engine_place, containers=containers)
    seen = {one.name: one for one in ask_all(lookout.gather, broken)}
    faults = {name: name_fault(one) for name, one in seen.items()}
    blamed = blame(graph, faults, [name for name, one in seen.items() if one.has_ended])
    roots = rank_roots(graph, faults, blamed)
    marked = tuple(mark_consequences(one, blamed) for one in results)
    return marked, join_absent([make_diagnosis(seen[name], faults[name]) for name in roots], results)
