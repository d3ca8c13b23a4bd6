"""Health checks that ask `localhost` with a tool of BusyBox, which takes it for ::1."""

import re
import time
from collections.abc import Iterator
from typing import Any

from layerstack.dockerfile.image import Image
from layerstack.dockerfile.recipe import parse_dockerfile, read_recipe
from layerstack.engine.image_tree import read_image_trees
from layerstack.errors import UsageError
from layerstack.finding import Finding, ok, warning
from layerstack.project.compose_source import ComposeSource
from layerstack.project.project import Project, Service

CHECK = "health-localhost"
LOOK_SECONDS = 10.0
BUSYBOX = "/bin/busybox"
TOOL_FOLDERS = ("/usr/bin", "/bin")
_LOCALHOST = re.compile(r"(?<![\w.-])localhost(?![\w.-])")
_TOOL = re.compile(r"(?<![\w/.-])(?:busybox\s+)?(wget|nc)\b")
_SMALL = re.compile(r"alpine|busybox")


def check_health_checks(client: Any | None, project: Project, source: ComposeSource) -> Iterator[Finding]:
    """`client` is None without an engine: then only names of images tell what is in them."""
    found = [finding for one in project.services.values() for finding in _check(client, project, one, source)]
    yield from found
    if not found:
        yield ok(CHECK, "no health check asks BusyBox for localhost")


def _check(client: Any | None, project: Project, service: Service, source: ComposeSource) -> Iterator[Finding]:
    image = project.image_of(service)
    written = (service.definition.get("healthcheck") or {}).get("test")
    text, place = _text(written), source.place("services", service.name, "healthcheck", "test")
    if not written and image:
        text, place = _of_dockerfile(project, image)
    tool = _TOOL.search(text)
    if not tool or not _LOCALHOST.search(text):
        return
    reference = service.image
    if _has_busybox(client, project, reference, image, tool[1]):
        detail = f"the health check of {service.name} asks `localhost` with BusyBox's {tool[1]}"
        yield warning(CHECK, detail, "Write 127.0.0.1 instead of localhost.", service.name, place)


def _text(test: Any) -> str:
    return test if isinstance(test, str) else " ".join(str(word) for word in test or ())


def _of_dockerfile(project: Project, image: Image) -> tuple[str, str]:
    """The HEALTHCHECK of the stage that is built, and where it stands."""
    try:
        parsed = parse_dockerfile(project.root, image)
    except UsageError:
        return "", ""
    stage = parsed.stage(image.target)
    checks = [one for one in (stage.instructions if stage else ()) if one.keyword == "HEALTHCHECK"]
    return (checks[-1].text, f"{image.dockerfile_place}:{checks[-1].line}") if checks else ("", "")


def _has_busybox(client: Any | None, project: Project, reference: str, image: Image | None, tool: str) -> bool:
    """Whether the image's tool is BusyBox: the same file by content; from its name where it is not here."""
    from docker.errors import DockerException

    if client and reference:
        try:
            image_id = client.api.inspect_image(reference)["Id"]
            paths = (BUSYBOX, *(f"{folder}/{tool}" for folder in TOOL_FOLDERS))
            trees = read_image_trees(client, project.root, image_id, paths, time.monotonic() + LOOK_SECONDS)
        except DockerException:
            pass
        else:
            busybox = trees[BUSYBOX].get("")
            return bool(busybox) and busybox in (trees[path].get("") for path in paths[1:])
    names = [reference, *(_bases(project, image) if image else ())]
    return any(_SMALL.search(name) for name in names)


def _bases(project: Project, image: Image) -> Iterator[str]:
    """Everything that an image is built on, down to the system images."""
    try:
        yield from read_recipe(project.root, image).parents
    except UsageError:
        return
    for name in image.parents:
        yield from _bases(project, project.image(name))
