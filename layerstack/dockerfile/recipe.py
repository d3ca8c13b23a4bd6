"""How an image is made, as far as its Dockerfile and its build arguments say: stages, and what each step reads."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from layerstack.dockerfile import copy_sources, dockerfile, references, understood
from layerstack.dockerfile.dockerfile import Dockerfile
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.inherited import NOTHING_KNOWN, Inherited
from layerstack.dockerfile.named_context import find_context
from layerstack.dockerfile.recipe_stage import RecipeStage
from layerstack.dockerfile.shell_words import variables
from layerstack.dockerfile.stage_reader import SCRATCH, FindInherited, StageReader
from layerstack.errors import UsageError

NO_CACHE = "its definition says no-cache"


@dataclass(frozen=True)
class Recipe:
    """`arguments` are those before the first FROM; `volatile` says what may change without a trace here.

    `unknown` has every reason why this reading may not be BuildKit's; it is empty when all of it is understood.
    `handed_on` is what the finished image hands on.
    """

    image: Image
    stages: tuple[RecipeStage, ...]
    directives: tuple[str, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict)
    volatile: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    handed_on: Inherited = NOTHING_KNOWN

    @property
    def parents(self) -> tuple[str, ...]:
        """Names of everything from outside this Dockerfile that a FROM or `from=` reads, sorted."""
        own = {stage.name.lower() for stage in self.stages} | {"", SCRATCH}  # "" is the build context
        origins = {source.origin for stage in self.stages for line in stage.lines for source in line.sources}
        bases = {stage.base for stage in self.stages if not stage.is_on_stage} - {SCRATCH}
        named = {name for name in origins if name and find_context(self.image, name)}
        return tuple(sorted({name for name in origins if name.lower() not in own} | named | bases))


def read_recipe(
    root: Path, image: Image, platform: str = "", find_inherited: FindInherited = lambda name: NOTHING_KNOWN
) -> Recipe:
    """`platform` is what is built for where the definition does not say.

    Raises UsageError when the Dockerfile or the target stage is not there.
    """
    if copy_sources.is_remote(image.context):
        address = copy_sources.without_login(image.context)
        reason = f"what the build context {address} holds may have changed: it is not on this machine"
        return Recipe(image, (), volatile=(reason,), unknown=(reason,))
    parsed = parse_dockerfile(root, image, platform)
    if image.target and parsed.stage(image.target) is None:
        names = ", ".join(stage.name for stage in parsed.stages)
        raise UsageError(f"{parsed.path} has no stage `{image.target}`.", f"Its stages: {names}.")
    reader = StageReader(image, parsed, platform, find_inherited)
    stages = reader.read()
    volatile = tuple(dict.fromkeys(_volatile(image, stages)))
    doubts = (*understood.doubts(parsed), *reader.doubts, *_doubts(image, stages, platform), *volatile)
    used = {name for stage in stages for name in variables(stage.written)}
    return Recipe(
        image=image,
        stages=stages,
        # `check` only chooses warnings, so it cannot change an image.
        directives=tuple(f"# {name}={value}" for name, value in parsed.directives.items() if name != "check"),
        # The others cannot change what a FROM means; those that a stage declares are in its lines.
        arguments={name: parsed.arguments.get(name, "") for name in sorted(used)},
        volatile=volatile,
        unknown=tuple(dict.fromkeys(doubts)),
        handed_on=reader.handed_on(),
    )


def what_may_change(context: str) -> str:
    """Why a step that reads a named context from elsewhere may run again without a change here."""
    return f"what the context {context} holds may have changed"


def runs_always(base: str) -> str:
    """Why the steps of a stage that begins with a folder are never cached."""
    return f"FROM {base} is a folder: BuildKit runs what follows in every build"


def parse_dockerfile(root: Path, image: Image, platform: str = "") -> Dockerfile:
    """The Dockerfile of an image, also when it is inside the Compose or bake file."""
    inline = image.inline
    path = Path(image.dockerfile_place)
    automatic = references.automatic_arguments(references.target_platform(image.definition, platform))
    automatic["TARGETSTAGE"] = image.target or "default"
    if inline:
        return dockerfile.parse(inline, path, image.args, automatic)
    return dockerfile.read(root / path, image.args, automatic)


def _doubts(image: Image, stages: Iterable[RecipeStage], platform: str) -> Iterator[str]:
    """The parts of the definition that are not understood, as far as the stages use them."""
    platforms = image.definition.get("platforms") or ()
    if len(platforms) > 1:
        yield f"it is built for {len(platforms)} platforms"
    if frontend := image.args.get("BUILDKIT_SYNTAX"):
        yield f"BUILDKIT_SYNTAX={frontend}: another frontend may read the file in its own way"
    if image.definition.get("pull"):
        yield "its definition says pull: the registry may hold other parents"
    if not stages:
        yield "a context takes the place of the whole target"
    for stage in stages:
        base = "" if stage.is_on_stage else find_context(image, stage.base, stage.platform or platform)
        if base and not base.startswith(("target:", "docker-image:")) and not copy_sources.is_remote(base):
            yield runs_always(stage.base)
        for name in (stage.base, *(source.origin for line in stage.lines for source in line.sources)):
            value = find_context(image, name, stage.platform or platform) or ""
            if copy_sources.is_remote(value) or value.startswith("service:"):
                yield f"the context {name} is {value}"


def _volatile(image: Image, stages: Iterable[RecipeStage]) -> Iterator[str]:
    for address in (address for stage in stages for line in stage.lines for address in line.remote):
        yield f"what {address} holds may have changed"
    for name, value in image.contexts.items():
        if copy_sources.is_remote(value) and not copy_sources.is_pinned(value):
            yield what_may_change(name)
    if image.definition.get("no-cache") or image.definition.get("no-cache-filter"):
        yield NO_CACHE
