"""External images whose runtime or distribution no longer gets security fixes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timezone

from layerstack.dockerfile.dockerfile import Stage
from layerstack.dockerfile.image import Image
from layerstack.doctor.dockerfiles import read_dockerfiles
from layerstack.finding import Finding, or_ok, warning
from layerstack.image_runtimes import read_runtimes, suggest
from layerstack.lifetimes import Runtime
from layerstack.project.compose_source import ComposeSource
from layerstack.project.env_file import sole_variable
from layerstack.project.project import Project
from layerstack.project.system_references import system_references

CHECK = "end-of-life"


@dataclass(frozen=True)
class Use:
    """One place that names an image; `variable` is the one that holds the name, "" for a literal name."""

    reference: str
    place: str
    variable: str = ""
    service: str = ""


@or_ok(CHECK, "no image that this project is built on is known to be past its end of life")
def check_end_of_life(project: Project, source: ComposeSource, today: date | None = None) -> Iterator[Finding]:
    """A finding for each image with an unsupported version, at the first place that names it."""
    day = today or datetime.now(timezone.utc).date()
    # An image that the project builds may have the name of an official one.
    wanted = set(system_references(project))
    first: dict[str, Use] = {}
    for use in (*_run(project, source), *_built_on(project)):
        if use.reference in wanted:
            first.setdefault(use.reference, use)
    yield from filter(None, (_judge(use, day) for use in first.values()))


def _judge(use: Use, today: date) -> Finding | None:
    ended = tuple(one for one in read_runtimes(use.reference) if one.has_ended(today))
    if not ended:
        return None
    remedy = _remedy(use, suggest(use.reference, today), _least(ended, today))
    detail = f"{use.reference}: {', '.join(one.ended_text for one in ended)}"
    return warning(CHECK, detail, remedy, use.service, use.place)


def _remedy(use: Use, newer: str, least: str) -> str:
    if newer:
        return f"Set {use.variable}={newer}" if use.variable else f"Name a newer image: {newer}"
    return f"Set {use.variable} to an image {least}" if use.variable else f"Name an image {least}"


def _least(ended: tuple[Runtime, ...], today: date) -> str:
    """`with Ubuntu 22.04 or newer`"""
    newer = [one.next_supported(today) for one in ended]
    names = [f"{one.text} or newer" if one else f"a newer {old.kind}" for one, old in zip(newer, ended, strict=True)]
    return f"with {' and '.join(names)}"


def _run(project: Project, source: ComposeSource) -> Iterator[Use]:
    """Images that services run without building them."""
    for service in project.services.values():
        if service.image and not service.is_built:
            keys = ("services", service.name, "image")
            variable = sole_variable(str(source.value(*keys) or ""))
            yield Use(service.image, source.place(*keys), variable, service.name)


def _built_on(project: Project) -> Iterator[Use]:
    """Images that the Dockerfiles' stages start from."""
    for image, parsed in read_dockerfiles(project):
        for stage in parsed.reachable(image.target):
            if parsed.base_of(stage) is None:
                service = image.name if image.name in project.services else ""
                yield Use(stage.base, f"{image.dockerfile_place}:{stage.line}", _argument(image, stage), service)


def _argument(image: Image, stage: Stage) -> str:
    """The build argument that holds the whole image name; `the ARG NAME` when only the Dockerfile sets it."""
    words = [word for word in stage.written.split() if not word.startswith("--")]
    name = sole_variable(words[0].strip("\"'")) if words else ""
    # Only what Compose or bake passes can be set from outside the Dockerfile.
    return name if not name or name in image.args else f"the ARG {name}"
