"""Health checks that run a program which the image does not have, for images that are here."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from layerstack.engine.image_tree import read_image_trees
from layerstack.errors import NotInEngine
from layerstack.finding import Finding, ok, warning
from layerstack.project.compose_source import ComposeSource
from layerstack.project.project import Project, Service
from layerstack.run.health_program import TOOLS, paths_of, wanted_programs

CHECK = "health-program"
LOOK_SECONDS = 10.0


def check_programs(client: Any, project: Project, source: ComposeSource) -> Iterator[Finding]:
    """A finding for each service whose health check cannot run. Raises EngineError."""
    found: list[Finding] = []
    for service in project.services.values():
        try:
            found += _check(client, project, service, source)
        except NotInEngine:
            continue  # the image is not here yet
    yield from found
    if not found:
        yield ok(CHECK, "every health check whose image is here has its program")


def _check(client: Any, project: Project, service: Service, source: ComposeSource) -> Iterator[Finding]:
    facts = client.api.inspect_image(service.image)
    config = facts.get("Config") or {}
    health = service.definition.get("healthcheck") or {}
    test = None if health.get("disable") else health.get("test") or (config.get("Healthcheck") or {}).get("Test")
    for program in wanted_programs(test):
        if _is_mounted(service, program) or _has(client, project, facts, program):
            continue
        others = [name for name in TOOLS if name != program and _has(client, project, facts, name)]
        asked = f"let the health check run {others[0] if others else 'a program that the image has'}."
        image = project.image_of(service)
        remedy = f"Install {program} in {image.dockerfile_place}, or {asked}" if image else asked.capitalize()
        place = source.place("services", service.name, "healthcheck", "test")
        detail = f"the health check of {service.name} runs {program}, and its image has none"
        yield warning(CHECK, detail, remedy, service.name, place)
        return


def _has(client: Any, project: Project, facts: Mapping[str, Any], program: str) -> bool:
    paths = paths_of(program, facts.get("Config") or {})
    trees = read_image_trees(client, project.root, facts["Id"], paths, time.monotonic() + LOOK_SECONDS)
    return any(trees.values())


def _is_mounted(service: Service, program: str) -> bool:
    """Whether a mount may bring the program."""
    targets = [str(one.get("target", "")).rstrip("/") for one in service.definition.get("volumes") or ()]
    return "/" in program and any(program == one or program.startswith(f"{one}/") for one in targets)
