"""The Dockerfiles of a project as doctor reads them."""

from collections.abc import Iterator
from contextlib import suppress

from layerstack.dockerfile.dockerfile import Dockerfile
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.recipe import parse_dockerfile
from layerstack.errors import UsageError
from layerstack.project.compose_source import ComposeSource
from layerstack.project.project import Project


def read_dockerfiles(project: Project) -> Iterator[tuple[Image, Dockerfile]]:
    """Those that can be read; a build says what is wrong with the others."""
    for image in project.images.values():
        with suppress(UsageError):
            yield image, parse_dockerfile(project.root, image)


def instruction_texts(project: Project) -> Iterator[str]:
    """The text of every instruction in every stage, with its heredocs."""
    for _, parsed in read_dockerfiles(project):
        yield from ("\n".join((one.text, *one.heredocs)) for stage in parsed.stages for one in stage.instructions)


def instruction_place(source: ComposeSource, image: Image, line: int) -> str:
    """File and line; for a Dockerfile inside the Compose file those of the Compose file."""
    keys = ("services", image.name, "build", "dockerfile_inline")
    text = source.value(*keys)
    if not image.definition.get("dockerfile-inline") or not isinstance(text, str):
        return f"{image.dockerfile_place}:{line}"
    name, _, first = source.place(*keys).rpartition(":")
    # A block (`|`) begins on the line below its key.
    number = int(first) + (line if "\n" in text else 0)
    return f"{name}:{number}"
