"""Runs one `docker buildx bake` call, reads its stream, and explains its failure."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from layerstack import command
from layerstack.build.buildlog import BuildLog, BuildReport
from layerstack.build.cache_place import NO_PLACES, CachePlaces
from layerstack.build.elsewhere import Elsewhere
from layerstack.build.placement import Placement
from layerstack.build.progress import BuildObserver
from layerstack.build.vertex import Vertex
from layerstack.dockerfile.image import Image, target_of
from layerstack.project.project import Project

# A running step may print nothing for minutes, and both keeper and progress depend on the clock.
TICK_SECONDS = 0.1
# BuildKit collected a record of its cache between finding and using it; the next call does without it.
CACHE_RACE = "failed to get dead record"


@dataclass(frozen=True)
class BakeCall:
    """What is asked of bake: images by name, and what is said besides their definitions.

    `labels` maps an image to labels of ours, `kept` are images that are used as they are stored, `pulled` those that a
    team's registry had. `on_images` maps an image to parents whose stored image it is built on, `without_cache` are
    those that are built without the cache. `pulls` asks the registry for newer system images; `sets` are bake's
    overrides, `caches` places of caches besides the builder's own. `elsewhere` is for a builder that does not share the
    engine's images.
    """

    names: tuple[str, ...]
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    pulled: frozenset[str] = frozenset()
    on_images: Mapping[str, frozenset[str]] = field(default_factory=dict)
    without_cache: frozenset[str] = frozenset()
    pulls: bool = False
    sets: tuple[str, ...] = ()
    caches: CachePlaces = NO_PLACES
    allowed_paths: tuple[Path, ...] = ()
    elsewhere: Elsewhere | None = None

    @property
    def unasked(self) -> frozenset[str]:
        """Images that are not built, and that others are built on as they are stored."""
        return self.kept | self.pulled


Watch = Callable[[BuildLog, Sequence[Vertex]], None]


def bake(project: Project, call: BakeCall, observer: BuildObserver, watch: Watch | None = None) -> BuildReport:
    """Run the call. `watch` sees the stream as it comes, and often without news; what it raises ends the call.

    Raises BuildFailed with the failed step, its last lines and the place in the Dockerfile; EngineError.
    """
    wanted = project.with_parents(call.names)
    log = BuildLog((image.name for image in wanted), Placement(project.root, wanted).place)

    def take(_: command.Stream, line: str) -> None:
        changed = log.feed(line)
        if watch:
            watch(log, changed)
        observer.update(log, changed)

    def tick() -> None:
        if watch:
            watch(log, ())
        observer.tick()

    result = command.stream(
        bake_argv(project, call),
        take,
        cwd=project.root,
        env=project.environment,
        stdin=json.dumps(document(project, call)),
        tick_seconds=TICK_SECONDS,
        on_tick=tick,
    )
    report = log.report(result.ok, result.seconds)
    observer.end(report)
    if not result.ok:
        # Only a failed build pays for loading it.
        from layerstack.build.build_failure import failure

        raise failure(report, project)
    return report


def bake_argv(project: Project, call: BakeCall) -> tuple[str, ...]:
    """The exact argument list, to be run in the project's root with `document` on its standard input."""
    images = project.with_parents(call.names)
    # Buildx 0.37.2 and newer ask before they read outside the working directory, even without a terminal.
    paths = (*_folders_outside(project, images), *call.allowed_paths)
    allowed = [f"fs.read={path}" for path in paths] + _entitlements(images)
    # With `--file` bake does not look for files itself: the document already contains what they say.
    return (
        *("docker", "buildx", "bake", "--file", "-", "--progress=rawjson"),
        *(["--metadata-file", call.elsewhere.digests_file] if call.elsewhere and call.elsewhere.digests_file else []),
        *(["--pull"] if call.pulls else []),
        # `fs` allows both reading and writing, as one folder may be a source and a target.
        *(f"--allow=fs={path}" for path in call.caches.folders(project.root)),
        *(f"--allow={one}" for one in dict.fromkeys(allowed)),
        *(part for value in call.sets for part in ("--set", value)),
        *(name for name in call.names if name not in call.unasked),
    )


def document(project: Project, call: BakeCall) -> dict[str, Any]:
    """The definitions as bake reads them: resolved by Compose and bake before, with what the call says on top."""
    targets = {}
    for image in project.with_parents(call.names):
        if image.name in call.unasked:
            continue
        # The texts stay as bake printed them, with escapes that bake removes again.
        # An image without a tag is tagged with its name: a build on the stored image needs a reference to it.
        definition = {"tags": list(image.names), **image.definition}
        if labels := call.labels.get(image.name):
            definition["labels"] = {**(definition.get("labels") or {}), **labels}
        written = definition.get("contexts") or image.contexts
        stored = call.unasked | call.on_images.get(image.name, frozenset())
        names = call.elsewhere.bases if call.elsewhere else {}
        if contexts := {name: _context(project, value, stored, names) for name, value in written.items()}:
            definition["contexts"] = contexts
        for key, values in _caches(call, image).items():
            # A cache on the command line does not replace those of the definition.
            definition[key] = [*(definition.get(key) or ()), *values]
        if image.name in call.without_cache:
            definition["no-cache"] = True
        targets[image.name] = call.elsewhere.adapted(image.name, definition) if call.elsewhere else definition
    return {"target": targets}


def _caches(call: BakeCall, image: Image) -> dict[str, list[str]]:
    """The caches of a definition, besides those that it names itself."""
    found = {"cache-from": call.caches.sources_of(image.name), "cache-to": call.caches.targets_of(image.name)}
    return {key: values for key, values in found.items() if values}


def _context(project: Project, value: str, stored: frozenset[str], names: Mapping[str, str]) -> str:
    """`names` are those by which images are found by a builder that does not share the engine's."""
    # With a `target:` context bake would solve the parent and run the steps that BuildKit has lost.
    name = target_of(value)
    return f"docker-image://{names.get(name) or project.image(name).tag}" if name in stored else value


def _folders_outside(project: Project, images: Iterable[Image]) -> Iterable[Path]:
    for image in images:
        for folder in image.folders.values():
            path = (project.root / folder).resolve()
            if not path.is_relative_to(project.root.resolve()):
                yield path


def _entitlements(images: Iterable[Image]) -> list[str]:
    """The privileges that a definition requests of the builder; `docker compose build` grants them too."""
    found: list[str] = []
    for image in images:
        found += [str(one) for one in image.definition.get("entitlements") or ()]
        if image.definition.get("network") == "host":
            found.append("network.host")
    return found
