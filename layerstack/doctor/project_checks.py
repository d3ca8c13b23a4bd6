"""Can the project be read, and do its ports, tags, names and containers collide with something."""

import re
from collections.abc import Iterator
from pathlib import Path

from layerstack.doctor.env_checks import check_env_file
from layerstack.engine import ports
from layerstack.engine.client import EngineClient
from layerstack.engine.container import read_all
from layerstack.errors import StackError, UsageError
from layerstack.finding import Finding, error, has_errors, ok, or_ok, warning
from layerstack.project.compose_source import ComposeSource, read_source
from layerstack.project.declaration import source_of
from layerstack.project.dependency import in_start_order
from layerstack.project.env_file import read_env_file
from layerstack.project.project import Project, find_compose_files
from layerstack.run.conflict import (
    KEY,
    find_name_holder,
    find_orphans,
    find_shared_ports,
    freeing,
    holder_words,
    is_own,
    orphan_words,
)

NAME, ORPHAN = "container-name", "orphan"

# How Compose names the faulty part: `services.web.ports must be a list`, `service "web" refers to undefined network x`
_PATHS = (
    re.compile(r"(services|networks|volumes|secrets|configs)\.([\w.-]+)"),
    re.compile(r"(service) \"([\w.-]+)\""),
)
# `services.web additional properties 'prots' not allowed`
_ADDITIONAL = re.compile(r"additional propert(?:y|ies) '([^']+)'")


def check_readable(root: Path, problem: StackError) -> Iterator[Finding]:
    """The finding for an unreadable project, with file and line where known."""
    try:
        source = read_source(root, find_compose_files(root, "gpu"))
    except UsageError as broken:
        place = next(iter(re.findall(r"^.+?:\d+(?=:)", str(broken.args[0]))), "")
        yield error("project", str(broken.args[0]).removeprefix(f"{place}: "), broken.advice, place=place)
        return
    said = str(problem.args[0])
    is_of_values = "required variable" in said or any(line.is_broken for line in read_env_file(root / ".env").lines)
    # Which of them are missing only that check knows: one that it does not find has to be reported here.
    if is_of_values and has_errors(check_env_file(root, source)):
        return  # the finding named `.env` reports it with its line
    yield error("project", said, problem.advice, place=_place(source, said))


def _place(source: ComposeSource, said: str) -> str:
    """The place of the part that Compose names, "" when it names none."""
    for pattern in _PATHS:
        if match := pattern.search(said):
            words = ["services" if match[1] == "service" else match[1], *match[2].strip(".").split(".")]
            added = _ADDITIONAL.search(said)
            return source.place(*words, *([added[1]] if added else []))
    return ""


def check_ports(project: Project, client: EngineClient | None) -> Iterator[Finding]:
    """Is every port free or held by the project itself?"""
    for service in project.services.values():
        for port in service.ports:
            holder = ports.find_holder(client, port)
            check = f"port {port.published}"
            if holder is None:
                yield ok(check, f"free for {service.name}")
            elif is_own(project, holder):
                yield ok(check, f"held by {service.name} of this project")
            else:
                command = freeing(project, holder)
                free = f"{command}, or " if command else ""
                remedy = f"{free}choose another port: {source_of(project, service, port)}"
                yield error(
                    check,
                    f"{service.name} needs it, but {holder_words(project, holder)} holds it",
                    remedy,
                    service.name,
                )


def check_shared_ports(project: Project, source: ComposeSource) -> Iterator[Finding]:
    """Do two containers publish the same port?"""
    for shared in find_shared_ports(project):
        place = source.place("services", shared.second, "ports")
        yield error(
            f"port {shared.port.published}",
            shared.words,
            f"{shared.change[0].upper()}{shared.change[1:]}",
            shared.second,
            place,
        )


def check_shared_tags(project: Project, source: ComposeSource) -> Iterator[Finding]:
    """Do two different builds use the same tag?"""
    for tag, names in project.shared_tags.items():
        place = source.place("services", names[-1], "image")
        detail = f"{' and '.join(names)} are built differently and take the tag {tag} from each other"
        yield warning("shared-tag", detail, f"Give {names[-1]} an `image:` of its own.", names[-1], place)


@or_ok(NAME, "no other container has a name of this project")
def check_names(client: EngineClient, project: Project, source: ComposeSource) -> Iterator[Finding]:
    """Is every `container_name` free? Raises EngineError."""
    for service in project.services.values():
        if holder := find_name_holder(client, project, service):
            detail = f"{service.name} needs the name {holder.name}, but {holder.words} has it"
            remedy = f"{holder.remedy}, or choose another {KEY}"
            yield error(NAME, detail, remedy, service.name, source.place("services", service.name, KEY))


@or_ok(ORPHAN, "every container of this project belongs to a service of it")
def check_orphans(client: EngineClient, project: Project) -> Iterator[Finding]:
    """Are there containers of renamed or removed services? `up` does not remove them. Raises EngineError."""
    for one in find_orphans(project, read_all(client, project.name)):
        does = "still runs" if one.is_running else "is still there"
        yield warning(ORPHAN, f"{orphan_words(project, one)}, {does}", f"docker rm -f {one.name}", one.service)


def check_project(project: Project) -> Iterator[Finding]:
    """Does the project have anything to run?"""
    try:
        in_start_order(project)
    except UsageError as nothing:
        yield warning("project", str(nothing.args[0]).rstrip("."), nothing.advice)
    else:
        yield ok("project", f"{project.name}: {len(project.services)} services")
