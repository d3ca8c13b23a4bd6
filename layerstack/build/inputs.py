"""The inputs of an image: a manifest of everything that can change its content, and its digest.

The manifest holds too much rather than too little: a skip must never be wrong. Modification times, comments and files
that no instruction reads are not part of it.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from layerstack.dockerfile import context, copy_sources, references
from layerstack.dockerfile.context import Entry
from layerstack.dockerfile.copy_sources import EVERYTHING, Source
from layerstack.dockerfile.file_digests import FileDigests
from layerstack.dockerfile.image import Image, target_of
from layerstack.dockerfile.inherited import NOTHING_KNOWN, Inherited, from_config
from layerstack.dockerfile.named_context import find_context, find_context_name
from layerstack.dockerfile.recipe import Recipe, read_recipe
from layerstack.dockerfile.recipe_stage import RecipeLine, RecipeStage
from layerstack.engine.images import StoredImage
from layerstack.errors import UsageError
from layerstack.project.project import Project

# To be raised when the content of a manifest changes: records of another version are ignored.
MANIFEST_VERSION = 3
IMAGE_SCHEME = "docker-image://"
# Prefix of the identity of an image from outside that is not on this engine.
ABSENT = "not on this machine: "
# Keys of a bake target that do not change what is in the image, or are read in their own way.
UNRELATED_KEYS = {"tags", "output", "cache-from", "cache-to", "context", "contexts", "dockerfile", "dockerfile-inline"}
UNRELATED_KEYS |= {"args", "secret", "ssh", "call", "attest", "no-cache", "no-cache-filter", "pull", "target"}
# Build arguments that BuildKit itself obeys, declared or not.
ENGINE_ARGUMENTS = ("BUILDKIT_", "SOURCE_DATE_EPOCH")
# What a digest leaves out: places, and how a name was derived.
UNCOUNTED = ("image", "dockerfile", "arguments", "ignore_rules", "unknown")
UNCOUNTED_IN_LINES = ("line", "variables", "trigger_of", "remote")
# Compose labels an image with its own version: machines with different versions would never agree.
UNCOUNTED_LABELS = ("com.docker.compose.version",)
# Bits that depend on the umask of a checkout: git stores only whether a file is executable.
UMASK_BITS = 0o022


@dataclass(frozen=True)
class Manifest:
    """Everything an image depends on.

    `files` maps a context ("" is the build context) to path → `mode digest`, for what the steps read; `parents` maps a
    name to an identity: the digest of an image of the project, what the caller says of another. `unknown` has every
    reason why this may not be all that BuildKit looks at.
    """

    image: str
    dockerfile: str
    platform: str
    target: str
    stages: tuple[RecipeStage, ...]
    directives: tuple[str, ...]
    arguments: dict[str, str]
    parents: dict[str, str]
    files: dict[str, dict[str, str]]
    ignore_rules: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    volatile: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    version: int = MANIFEST_VERSION

    @property
    def digest(self) -> str:
        """`sha256:…` of everything that determines the content."""
        counted = {key: value for key, value in self.to_json().items() if key not in UNCOUNTED}
        counted["stages"] = [_counted(stage) for stage in counted["stages"]]
        # The spelling is canonical because machines compare these digests through a registry.
        canonical = json.dumps(counted, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()

    def stage(self, name: str) -> RecipeStage | None:
        return next((stage for stage in self.stages if stage.name.lower() == name.lower()), None)

    def files_of(self, sources: Iterable[Source]) -> dict[str, str]:
        """`path` or `context:path` → identity of the context files that these sources name."""
        found: dict[str, str] = {}
        for source in sources:
            files = self.files.get(source.origin, {})
            shown = f"{source.origin}:" if source.origin else ""
            found |= {shown + path: files[path] for path in copy_sources.read_by(files, [source])}
        return found

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "stages": [asdict(stage) for stage in self.stages]}


def unreadable(image: Image, reason: str) -> Manifest:
    """What stands for the manifest of an image that could not be read."""
    return Manifest(
        image=image.name,
        dockerfile=image.dockerfile_place,
        platform="",
        target=image.target,
        stages=(),
        directives=(),
        arguments={},
        parents={},
        files={},
        unknown=(reason,),
    )


FindStored = Callable[[Iterable[str]], Mapping[str, StoredImage]]


class InputReader:
    """Reads manifests of one project; remembers recipes, contexts and manifests while it lives.

    `platform` is what is built for where a definition does not say: DOCKER_DEFAULT_PLATFORM, or empty. It reads beside
    a build, which began at `began_ns` (now): a file that was saved since may be another one than BuildKit got.
    """

    def __init__(self, project: Project, platform: str, known: FileDigests, began_ns: int = 0) -> None:
        self._began_ns = began_ns or time.time_ns()
        self._project = project
        self._platform = platform
        self._known = known
        self._recipes: dict[str, Recipe] = {}
        self._being_read: set[str] = set()
        self._manifests: dict[str, Manifest] = {}
        self._handed_on: dict[str, Inherited] = {}

    def find_external(self, images: Sequence[Image], find: FindStored) -> dict[str, StoredImage]:
        """The images from outside that are there, by reference, with those that the ONBUILD of others names."""
        asked: set[str] = set()
        stored: dict[str, StoredImage] = {}
        # ONBUILD of an image that was just found may name another one.
        while new := self.external_images(images) - asked:
            asked |= new
            if found := find(new):
                stored |= found
                self.use_configs({name: one.config for name, one in stored.items()})
        return stored

    def use_configs(self, configs: Mapping[str, Mapping[str, Any]]) -> None:
        """What images from outside hand on: reference → `Config` of `docker image inspect`.

        Their ONBUILD may name further images: `external_images` has those afterwards.
        """
        self._handed_on = {references.familiar(name): from_config(name, config) for name, config in configs.items()}
        # Recipes that were read before lack what is inherited.
        self._recipes.clear()
        self._manifests.clear()

    def external_images(self, images: Iterable[Image]) -> set[str]:
        """References of images from outside the project that these are built on or copy from."""
        pairs = ((image, name) for image in images for name in self._recipe(image).parents)
        values = (self._value(image, name) for image, name in pairs)
        return {_reference(value) for value in values if value.startswith(IMAGE_SCHEME)}

    def read(self, image: Image, identities: Mapping[str, str]) -> Manifest:
        """The manifest of an image; parents are read first. Raises UsageError for unreadable files.

        `identities` maps references of images from outside the project to what they are, the same on every machine.
        """
        if image.name not in self._manifests:
            try:
                self._manifests[image.name] = self._read(image, identities)
            except OSError as error:
                raise UsageError(f"The build context of {image.name} cannot be read: {error}.") from error
        return self._manifests[image.name]

    def _recipe(self, image: Image) -> Recipe:
        if image.name not in self._recipes:
            self._being_read.add(image.name)
            find = partial(self._inherited, image)
            self._recipes[image.name] = read_recipe(self._project.root, image, self._platform, find)
            self._being_read.discard(image.name)
        return self._recipes[image.name]

    def _value(self, image: Image, name: str) -> str:
        return find_context(image, name, self._platform) or f"{IMAGE_SCHEME}{name}"

    def _inherited(self, image: Image, name: str) -> Inherited:
        """The settings inherited from the image of a FROM; none from a folder."""
        value = self._value(image, name)
        if target := target_of(value):
            parent = self._project.image(target)
            # Images that are built on each other are refused by bake, with their names.
            return NOTHING_KNOWN if parent.name in self._being_read else self._recipe(parent).handed_on
        if value.startswith(IMAGE_SCHEME):
            doubt = f"what {name.partition('@')[0]} passes on (ENV, ONBUILD) is unknown"
            return self._handed_on.get(_reference(value)) or replace(NOTHING_KNOWN, doubts=(doubt,))
        return NOTHING_KNOWN if copy_sources.is_remote(value) else Inherited()

    def _read(self, image: Image, identities: Mapping[str, str]) -> Manifest:
        recipe = self._recipe(image)
        contexts = _Contexts(self._project.root, image, self._platform)
        stages = tuple(contexts.with_links_followed(stage) for stage in recipe.stages)
        files = {name: dict(contexts.identities(name, stages, self._known)) for name in contexts.read_by(stages)}
        return Manifest(
            image=image.name,
            dockerfile=image.dockerfile_place,
            platform=references.target_platform(image.definition, self._platform),
            target=image.target,
            stages=stages,
            directives=recipe.directives,
            arguments=dict(recipe.arguments),
            parents=dict(self._parents(recipe, identities)),
            files=files,
            ignore_rules=contexts.rules,
            settings=_settings(image),
            volatile=recipe.volatile,
            unknown=(*recipe.unknown, *contexts.saved_since(self._began_ns, files, self._known)),
        )

    def _parents(self, recipe: Recipe, identities: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """(name, identity) of every parent outside this Dockerfile, except folders."""
        for name in recipe.parents:
            value = self._value(recipe.image, name)
            if target := target_of(value):
                yield name, self.read(self._project.image(target), identities).digest
            elif value.startswith(IMAGE_SCHEME):
                reference = value.removeprefix(IMAGE_SCHEME)
                known = identities.get(reference) or identities.get(_reference(value))
                yield name, known or f"{ABSENT}{reference}"
            elif copy_sources.is_remote(value):
                yield name, value


def _reference(value: str) -> str:
    """The engine's name for the image of a `docker-image://` address."""
    return references.familiar(value.removeprefix(IMAGE_SCHEME))


class _Contexts:
    """The folders that an image's steps may read, each walked once and only when a step does."""

    def __init__(self, root: Path, image: Image, platform: str) -> None:
        self._image = image
        self._platform = platform
        self._contexts = context.contexts_of(root, image)
        self._entries: dict[str, dict[str, Entry]] = {}
        self._links: dict[str, dict[str, str]] = {}
        self.rules: dict[str, str] = {}

    def read_by(self, stages: Iterable[RecipeStage]) -> list[str]:
        """Names of the contexts that the stages read."""
        # Sorted, because manifests are compared and stored: the order of a set changes from run to run.
        return sorted({source.origin for source in _all_sources(stages)} & self._contexts.keys())

    def with_links_followed(self, stage: RecipeStage) -> RecipeStage:
        """The stage with one source more for every place that a link leads to; a FROM folder is read whole."""
        lines = tuple(replace(line, sources=self._followed(line.sources)) for line in stage.lines)
        name = find_context_name(self._image, stage.base, stage.platform or self._platform)
        if name and name in self._contexts and not stage.is_on_stage:
            self._walk(name)
            lines = (RecipeLine("FROM", stage.base, 0, (Source(name, EVERYTHING),)), *lines)
        return replace(stage, lines=lines)

    def identities(self, name: str, stages: Sequence[RecipeStage], known: FileDigests) -> Iterator[tuple[str, str]]:
        """(path, `mode digest`) of what the stages read of one context."""
        entries, folder = self._entries[name], self._contexts[name].folder
        sources = [source for source in _all_sources(stages) if source.origin == name]
        copied = set(copy_sources.read_by(entries, [source for source in sources if not source.is_mounted]))
        for path in copy_sources.read_by(entries, sources):
            entry = entries[path]
            # A layer stores the mode of a copied file; that of a mounted one ends up nowhere.
            mode = entry.mode & 0o7777 & ~(0 if path in copied else UMASK_BITS)
            yield path, f"{mode:04o} {known.of(folder / path, entry)}"

    def saved_since(self, began_ns: int, files: Mapping[str, Iterable[str]], known: FileDigests) -> Iterator[str]:
        """Why these files may not be those that a build got which began then."""
        read = ((name, self._entries[name][path]) for name, paths in files.items() for path in paths)
        for name, one in read:
            # Joining the paths of a large context takes longer than all else.
            is_moved = bool(known.saved) and str(self._contexts[name].folder / one.path) in known.saved
            if one.is_file and (is_moved or one.changed_ns > began_ns):
                yield f"{one.path} was saved while the build context was read"
                return

    def _followed(self, sources: Iterable[Source]) -> tuple[Source, ...]:
        found: list[Source] = []
        for source in sources:
            if source.origin not in self._contexts:
                found.append(source)
                continue
            self._walk(source.origin)
            links = self._links[source.origin]
            written, *followed = copy_sources.follow_links(source.pattern, links)
            found += [replace(source, pattern=written)]
            # --exclude counts from the link that is written: BuildKit leaves out nothing of what it leads to.
            found += [replace(source, pattern=pattern, excludes=()) for pattern in followed]
            if source.excludes or source.only:
                # With a filter BuildKit looks at every link below as well, and at all of what it leads to.
                inner = (
                    copy_sources.follow_links(link, links)[1:]
                    for link in copy_sources.read_by(links, [replace(source, pattern=written)])
                )
                found += [Source(source.origin, pattern) for patterns in inner for pattern in patterns]
        return tuple(dict.fromkeys(found))

    def _walk(self, name: str) -> None:
        if name in self._entries:
            return
        found = self._contexts[name]
        folder = found.folder
        if not folder.is_dir():
            raise UsageError(f"The build context of {self._image.name} is not a folder: {folder}.")
        self.rules[name] = found.rules
        self._entries[name] = {entry.path: entry for entry in found.walk()}
        links = (entry.path for entry in self._entries[name].values() if entry.is_link)
        self._links[name] = {path: str((folder / path).readlink()) for path in links}


def _settings(image: Image) -> dict[str, Any]:
    """All other keys of the definition, and build arguments that change what the engine does."""
    kept = {key: value for key, value in image.definition.items() if key not in UNRELATED_KEYS}
    if labels := kept.get("labels"):
        kept["labels"] = {name: value for name, value in labels.items() if name not in UNCOUNTED_LABELS}
    if hosts := kept.get("extra-hosts"):
        # BuildKit caches a RUN by the names that it may ask for, not by their addresses.
        kept["extra-hosts"] = sorted(hosts)
    return {**kept, **{name: value for name, value in image.args.items() if name.startswith(ENGINE_ARGUMENTS)}}


def _all_sources(stages: Iterable[RecipeStage]) -> Iterator[Source]:
    return (source for stage in stages for line in stage.lines for source in line.sources)


def _counted(stage: Mapping[str, Any]) -> dict[str, Any]:
    lines = [{key: line[key] for key in line if key not in UNCOUNTED_IN_LINES} for line in stage["lines"]]
    return {**{key: stage[key] for key in stage if key != "written"}, "lines": lines}
