"""Health checks that cannot pass: BusyBox asked for `localhost`, a program that the image lacks, or no check at all."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

from layerstack.dockerfile.image import Image
from layerstack.dockerfile.recipe import parse_dockerfile, read_recipe
from layerstack.doctor.mounts import declared_targets
from layerstack.engine.client import EngineClient
from layerstack.engine.image_tree import read_image_trees
from layerstack.errors import EngineError, NotInEngine, UsageError
from layerstack.finding import Finding, error, or_ok, warning
from layerstack.project.compose_source import ComposeSource
from layerstack.project.project import Project, Service
from layerstack.run.health_program import TOOLS, paths_of, wanted_programs
from layerstack.run.unmet import waits_in_vain

LOCALHOST, PROGRAM, MISSING = "health-localhost", "health-program", "health-missing"
LOOK_SECONDS = 10.0
BUSYBOX = "/bin/busybox"
TOOL_FOLDERS = ("/usr/bin", "/bin")
# Not as a part of another name, such as `localhost.localdomain`.
_LOCALHOST = re.compile(r"(?<![\w.-])localhost(?![\w.-])")
# `wget -q --spider http://localhost/`, `/usr/bin/wget`, `busybox nc -z localhost 80`
_TOOL = re.compile(r"(?<![\w/.-])(?:(?:/usr)?/bin/)?(?:busybox\s+)?(wget|nc)\b")
# Images by whose names one can expect BusyBox.
_SMALL = re.compile(r"alpine|busybox")


@or_ok(LOCALHOST, "no health check asks BusyBox for localhost")
def check_localhost(client: EngineClient | None, project: Project, source: ComposeSource) -> Iterator[Finding]:
    """Does a check ask `localhost` with BusyBox, which resolves it to ::1?

    Without an engine (`client` is None) only the names of images say what is in them.
    """
    for service in project.services.values():
        yield from _find_localhost(client, project, service, source)


def _find_localhost(
    client: EngineClient | None, project: Project, service: Service, source: ComposeSource
) -> Iterator[Finding]:
    image, health = project.image_of(service), service.definition.get("healthcheck") or {}
    if health.get("disable"):
        return
    written = health.get("test")
    text, place = _text(written), source.place("services", service.name, "healthcheck", "test")
    if not written and image:
        text, place = _of_dockerfile(project, image)
    tool = _TOOL.search(text)
    if not tool or not _LOCALHOST.search(text):
        return
    reference = service.image
    if _has_busybox(client, project, reference, image, tool[1]):
        detail = f"the health check of {service.name} asks `localhost` with BusyBox's {tool[1]}"
        yield warning(LOCALHOST, detail, "Write 127.0.0.1 instead of localhost.", service.name, place)


def _text(test: Any) -> str:
    return test if isinstance(test, str) else " ".join(str(word) for word in test or ())


def _of_dockerfile(project: Project, image: Image) -> tuple[str, str]:
    """The HEALTHCHECK of the stage that is built, and its place."""
    try:
        parsed = parse_dockerfile(project.root, image)
    except UsageError:
        return "", ""
    stage = parsed.stage(image.target)
    checks = [one for one in (stage.instructions if stage else ()) if one.keyword == "HEALTHCHECK"]
    # Of several, Docker takes the last one.
    return (checks[-1].text, f"{image.dockerfile_place}:{checks[-1].line}") if checks else ("", "")


def _has_busybox(client: EngineClient | None, project: Project, reference: str, image: Image | None, tool: str) -> bool:
    """Whether the image's tool is BusyBox, by file content; by the image's name when it is not stored here."""
    if client and reference:
        try:
            image_id = client.api.inspect_image(reference)["Id"]
            paths = (BUSYBOX, *(f"{folder}/{tool}" for folder in TOOL_FOLDERS))
            trees = read_image_trees(client, project.root, image_id, paths, time.monotonic() + LOOK_SECONDS)
        except EngineError:
            # Not stored here: its name has to do.
            pass
        else:
            busybox = trees[BUSYBOX].get("")
            # The tools of BusyBox are links to it: followed, they are the same file.
            return bool(busybox) and busybox in (trees[path].get("") for path in paths[1:])
    names = [reference, *(_bases(project, image) if image else ())]
    return any(_SMALL.search(name) for name in names)


def _bases(project: Project, image: Image) -> Iterator[str]:
    """All ancestors of an image, down to the system images."""
    try:
        yield from read_recipe(project.root, image).parents
    except UsageError:
        return
    for name in image.parents:
        yield from _bases(project, project.image(name))


@or_ok(PROGRAM, "every health check whose image is here has its program")
def check_programs(client: EngineClient, project: Project, source: ComposeSource) -> Iterator[Finding]:
    """Does every health check find its program in the image? Raises EngineError."""
    for service in project.services.values():
        with suppress(NotInEngine):  # the image is not here yet
            yield from _find_missing(client, project, service, source)


def _find_missing(client: EngineClient, project: Project, service: Service, source: ComposeSource) -> Iterator[Finding]:
    facts = client.api.inspect_image(service.image)
    for program in wanted_programs(_test(service, facts)):
        if _is_mounted(service, program) or _has_program(client, project, facts, program):
            continue
        others = [name for name in TOOLS if name != program and _has_program(client, project, facts, name)]
        asked = f"let the health check run {others[0] if others else 'a program that the image has'}."
        image = project.image_of(service)
        remedy = f"Install {program} in {image.dockerfile_place}, or {asked}" if image else asked.capitalize()
        place = source.place("services", service.name, "healthcheck", "test")
        detail = f"the health check of {service.name} runs {program}, and its image has none"
        yield warning(PROGRAM, detail, remedy, service.name, place)
        return


def _test(service: Service, facts: Mapping[str, Any]) -> Any:
    """The health check that a container has: of the Compose file, else of the image; None for none."""
    health = service.definition.get("healthcheck") or {}
    of_image = ((facts.get("Config") or {}).get("Healthcheck") or {}).get("Test")
    test = health.get("test") or of_image
    return None if health.get("disable") or not test or test[0] == "NONE" else test


@or_ok(MISSING, "whatever waits for the health of a service waits for one with a health check")
def check_waits(client: EngineClient, project: Project, source: ComposeSource) -> Iterator[Finding]:
    """Does a service wait for the health of one without a health check? Compose refuses that. Raises EngineError."""
    for service in project.services.values():
        wait = waits_in_vain(project, service.name, tuple(project.services))
        with suppress(NotInEngine):  # its image may have a health check
            if wait and not _test(service, client.api.inspect_image(service.image)):
                place = source.place("services", wait.service, "depends_on", service.name)
                remedy = f"{wait.change[0].upper()}{wait.change[1:]}."
                yield error(MISSING, f"{wait.service} {wait.words}", remedy, wait.service, place)


def _has_program(client: EngineClient, project: Project, facts: Mapping[str, Any], program: str) -> bool:
    paths = paths_of(program, facts.get("Config") or {})
    trees = read_image_trees(client, project.root, facts["Id"], paths, time.monotonic() + LOOK_SECONDS)
    return any(trees.values())


def _is_mounted(service: Service, program: str) -> bool:
    """Whether the program may come from a mount."""
    path = PurePosixPath(program)
    return "/" in program and any(path.is_relative_to(target) for target in declared_targets(service))
