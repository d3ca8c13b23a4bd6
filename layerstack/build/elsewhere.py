"""A builder that does not share the engine's images: what it builds on, and what it makes, goes through a registry.

The engine's own builder (driver `docker`) finds and leaves images on the engine. Any other one finds a local tag
nowhere, or an image of its own machine under it; and what it sends to the engine is one large file, three times as slow
as a push and a pull.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from layerstack import command
from layerstack.build.plan import Plan
from layerstack.docker_plugin import config_file
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.references import familiar
from layerstack.engine import engine
from layerstack.engine.endpoint import find_endpoint
from layerstack.engine.images import StoredImage
from layerstack.errors import BuildFailed, EngineError, UsageError
from layerstack.project.project import Project
from layerstack.project.settings import BUILDER_VARIABLE
from layerstack.registry import transfer
from layerstack.registry.look_up import look_up
from layerstack.registry.team import TeamRegistry
from layerstack.registry.trouble import RegistryFailed

INSPECT_SECONDS = 30.0
# Of the builder that every engine has in it.
OWN_BUILDER, OWN_DRIVER = "default", "docker"
BUILD_HERE = f"`{BUILDER_VARIABLE}={OWN_BUILDER}` in front of the command builds with the engine itself"
Note = Callable[[str], None]


@dataclass(frozen=True)
class Elsewhere:
    """What one call says to such a builder.

    `outside` maps an image to its images from outside, name → the name by which any machine finds it; `bases` has such
    names of the images that a team's registry has. `targets` are the names under which the builder pushes; without a
    registry there are none, and the engine gets the images as files. `digests_file`: where bake writes what it pushed.
    """

    builder: str
    outside: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    bases: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)
    digests_file: str = ""

    def adapted(self, image: str, definition: Mapping[str, Any]) -> dict[str, Any]:
        """The definition of an image, for this builder."""
        contexts = {**self.outside.get(image, {}), **(definition.get("contexts") or {})}
        found = {**definition, **({"contexts": contexts} if contexts else {})}
        if target := self.targets.get(image):
            # Without a copy among the images of the builder's own machine.
            return {**found, "tags": [target], "output": ["type=registry,store=false"]}
        # Other builders keep what nobody asks them for.
        return {"output": ["type=docker"], **found}

    def fetch(self, images: Iterable[Image]) -> dict[str, str]:
        """Pull what was pushed and give it its tags; tag → image id. Raises BuildFailed, EngineError."""
        written = json.loads(Path(self.digests_file).read_text())
        found: dict[str, str] = {}
        for image in images:
            digest = (written.get(image.name) or {}).get("containerimage.digest")
            if digest and image.name in self.targets:
                found |= self._take(image, f"{self.targets[image.name].rpartition(':')[0]}@{digest}")
        return found

    def _take(self, image: Image, pinned: str) -> dict[str, str]:
        try:
            transfer.pull(pinned)
        except RegistryFailed as failure:
            host = pinned.partition("/")[0]
            raise BuildFailed(
                f"{image.name} was built by {self.builder}, and cannot be pulled: {failure.trouble.sentence(host)}",
                f"{BUILD_HERE}.",
            ) from failure
        client = engine.client()
        pulled = client.images.get(pinned)
        for tag in image.names:
            pulled.tag(tag)
        # So that the engine's lists show only the names that the project uses.
        client.api.remove_image(pinned)
        return {familiar(tag): str(pulled.id) for tag in image.names}


def find_builder(project: Project) -> str:
    """The current builder, where it is another one than the engine's own; "" for that. Raises BuildFailed."""
    name = {**os.environ, **project.environment}.get(BUILDER_VARIABLE) or _chosen()
    if name in ("", OWN_BUILDER):
        return ""
    asked = inspect_builder(project.environment)
    if not asked.ok:
        said = (asked.stderr.strip().splitlines() or ["no answer"])[-1].removeprefix("ERROR: ")
        raise BuildFailed(f"The builder {name} cannot be used: {said}", f"{BUILD_HERE}; `docker buildx ls` lists all.")
    return "" if read_fields(asked.stdout).get("Driver") == OWN_DRIVER else name


def require_own_builder(project: Project, task: str) -> None:
    """Raises UsageError for a builder that does not share the engine's images."""
    if name := find_builder(project):
        raise UsageError(
            f"{task} works with the engine's own builder only, and {name} is another one.", f"{BUILD_HERE}."
        )


def own_builder() -> dict[str, str]:
    """The variables for a call that is to be the engine's own, whichever builder is chosen."""
    # Buildx names it after the context.
    return {BUILDER_VARIABLE: find_endpoint().context or OWN_BUILDER}


def inspect_builder(environment: Mapping[str, str] | None = None) -> command.CommandResult:
    # Without --bootstrap, which would start the builder or pull its image.
    return command.run(("docker", "buildx", "inspect"), env=environment, timeout_seconds=INSPECT_SECONDS)


def read_fields(text: str) -> dict[str, str]:
    """The first value of each name that `docker buildx inspect` prints: the builder stands before its nodes."""
    found: dict[str, str] = {}
    for name, _, value in (line.partition(":") for line in text.splitlines()):
        found.setdefault(name.strip(), value.strip())
    return found


def _chosen() -> str:
    """What `docker buildx use` has written; asking Buildx would cost every build 0.1 s."""
    folder = Path(os.environ.get("BUILDX_CONFIG") or config_file().parent / "buildx")
    try:
        return str(json.loads((folder / "current").read_bytes()).get("Name") or "")
    except (OSError, ValueError, AttributeError):
        return ""


@contextmanager
def prepared(
    builder: str, project: Project, plan: Plan, team: TeamRegistry | None, bases: Mapping[str, str], note: Note
) -> Iterator[Elsewhere]:
    """What a call for these images says. Pushes system images that the registry does not have. Raises EngineError."""
    if team is None:
        note(f"{builder} has no registry in common with this engine: images come as files, which is slower")
        yield Elsewhere(builder)
        return
    outside = {one.name: one.externals for one in plan.images}
    pinned = _offer(team, {name: one for found in outside.values() for name, one in found.items()}, note)
    with TemporaryDirectory(prefix="layerstack-digests-") as folder:
        yield Elsewhere(
            builder,
            {
                image: {name: f"docker-image://{pinned[name]}" for name in found if name in pinned}
                for image, found in outside.items()
            },
            bases,
            # One name for each project, which moves: the images are pulled by their digests.
            {one.name: team.built_reference(one.name, project.name) for one in plan.images},
            str(Path(folder) / "digests.json"),
        )


def _offer(team: TeamRegistry, externals: Mapping[str, StoredImage], note: Note) -> dict[str, str]:
    """The names by digest of this engine's system images; one that the registry refuses is left to the builder."""
    # By content: under its own name the registry may have another image, and the base would be another one.
    references = {name: team.system_content_reference(name, one.identity) for name, one in externals.items()}
    answers = look_up(references.values())
    found = {}
    for name, reference in references.items():
        answer = answers[reference]
        try:
            if answer.trouble:
                raise RegistryFailed(answer.trouble)
            digest = answer.digest or transfer.push(externals[name].id, reference, lambda _: None)
            found[name] = f"{reference.rpartition(':')[0]}@{digest}"
        except RegistryFailed as failure:
            note(f"{name}: {failure.trouble.sentence(team.host)}")
        except EngineError as error:
            note(f"{name} cannot be pushed: {error.args[0]}")
    return found
