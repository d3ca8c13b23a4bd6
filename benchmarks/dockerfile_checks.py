"""BuildKit's own Dockerfile checks for every image, without a build and without touching a tag."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from layerstack import command
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.recipe import read_recipe
from layerstack.dockerfile.references import familiar
from layerstack.errors import BuildFailed, UsageError
from layerstack.project.project import Project


@dataclass(frozen=True)
class Warning:
    """One finding of the checks: the rule's name, what it says and where."""

    rule: str
    detail: str
    place: str


def check_dockerfiles(project: Project) -> list[Warning]:
    """All warnings of all images. Raises BuildFailed when a Dockerfile does not parse."""
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda image: check_dockerfile(project, image), project.images.values())
    return sorted({warning for warnings in found for warning in warnings}, key=lambda warning: warning.place)


def check_dockerfile(project: Project, image: Image) -> list[Warning]:
    """`docker buildx build --call=check`: bake's own `--check` overwrites tags and fails on `target:` contexts.

    The check only needs to know that a parent exists, so every image from outside is replaced by an empty one: it
    works before anything is built and where no registry answers.
    """
    argv = ("docker", "buildx", "build", "--call=check,format=json", *_options(project, image), image.context)
    # The exit code is not used: the document alone tells warnings from errors.
    result = command.run(argv, cwd=project.root, env=project.environment)
    try:
        answer: dict[str, Any] = json.loads(result.stdout)
    except json.JSONDecodeError:
        raise BuildFailed(f"The Dockerfile of {image.name} cannot be checked:\n{result.stderr.strip()}") from None
    if broken := answer.get("buildError"):
        raise BuildFailed(f"{_place(image, broken)}: {broken.get('message', 'cannot be built')}")
    return [_warning(image, entry) for entry in answer.get("warnings") or ()]


def _options(project: Project, image: Image) -> Iterator[str]:
    yield from ("--file", f"{image.context}/{image.dockerfile}")
    if image.target:
        yield from ("--target", image.target)
    for name, value in image.args.items():
        yield from ("--build-arg", f"{name}={value}")
    folders = {name: path for name, path in image.folders.items() if name and (project.root / path).is_dir()}
    for name in dict.fromkeys((*image.contexts, *map(familiar, _parents(project, image)))):
        yield from ("--build-context", f"{name}={folders.get(name, 'docker-image://scratch')}")


def _parents(project: Project, image: Image) -> Sequence[str]:
    try:
        return read_recipe(project.root, image).parents
    except UsageError:
        return ()  # the check itself says what is wrong


def _warning(image: Image, entry: dict[str, Any]) -> Warning:
    return Warning(entry.get("ruleName", ""), entry.get("detail", ""), _place(image, entry))


def _place(image: Image, entry: dict[str, Any]) -> str:
    ranges = (entry.get("location") or {}).get("ranges") or [{}]
    line = (ranges[0].get("start") or {}).get("line", "?")
    return f"{image.context}/{image.dockerfile}:{line}"
