"""Containers on the engine that block this project: orphans of its own, and those that have its names."""

from collections.abc import Iterator
from typing import Any

from layerstack.engine.container import read_all
from layerstack.finding import Finding, error, ok, warning
from layerstack.project.compose_source import ComposeSource
from layerstack.project.project import Project
from layerstack.run.conflict import KEY, find_name_holder, find_orphans, orphan_words

NAME, ORPHAN = "container-name", "orphan"


def check_names(client: Any, project: Project, source: ComposeSource) -> Iterator[Finding]:
    """Every `container_name`: free, or another container's. Raises EngineError."""
    taken = False
    for service in project.services.values():
        if holder := find_name_holder(client, project, service):
            taken = True
            detail = f"{service.name} needs the name {holder.name}, but {holder.words} has it"
            remedy = f"{holder.remedy}, or choose another {KEY}"
            yield error(NAME, detail, remedy, service.name, source.place("services", service.name, KEY))
    if not taken:
        yield ok(NAME, "no other container has a name of this project")


def check_orphans(client: Any, project: Project) -> Iterator[Finding]:
    """Containers of services that were renamed or taken out: `up` leaves them alone. Raises EngineError."""
    orphans = find_orphans(project, read_all(client, project.name))
    for one in orphans:
        does = "still runs" if one.is_running else "is still there"
        yield warning(ORPHAN, f"{orphan_words(project, one)}, {does}", f"docker rm -f {one.name}", one.service)
    if not orphans:
        yield ok(ORPHAN, "every container of this project belongs to a service of it")
