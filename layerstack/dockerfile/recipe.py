"""How an image is made, as far as its Dockerfile and its build arguments say: stages, and what each step reads."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from layerstack.dockerfile import copy_sources, dockerfile, references, understood
from layerstack.dockerfile.copy_sources import Source
from layerstack.dockerfile.dockerfile import Dockerfile, Instruction, Stage
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.inherited import NOTHING_KNOWN, Inherited, triggers_of, variables_from, with_environment
from layerstack.dockerfile.shell_words import variables
from layerstack.dockerfile.variables import Variables
from layerstack.errors import UsageError

# Where a blank counts: what a shell or the image keeps, and one path that is not split into words.
KEEPS_BLANKS = {"RUN", "ENV", "LABEL", "CMD", "ENTRYPOINT", "HEALTHCHECK", "ONBUILD", "MAINTAINER"}
KEEPS_BLANKS |= {"WORKDIR", "USER", "STOPSIGNAL", "SHELL"}
SECRET = re.compile(r"secret|token|passw|credential|api_?key|private", re.IGNORECASE)
SCRATCH = "scratch"
_FLAGS = re.compile(r"^(--\S+\s+)*")


@dataclass(frozen=True)
class RecipeLine:
    """One instruction. `text` holds build arguments with their values; `sources` are contexts, stages and images.

    `trigger_of` names the image or stage whose ONBUILD holds it: it then runs in this stage, before its own lines.
    `remote` are the addresses that it reads and whose content may change.
    """

    keyword: str
    text: str
    line: int
    sources: tuple[Source, ...] = ()
    variables: tuple[str, ...] = ()
    trigger_of: str = ""
    remote: tuple[str, ...] = ()

    @property
    def is_step(self) -> bool:
        return self.keyword in dockerfile.STEP_KEYWORDS

    def __str__(self) -> str:
        return f"{self.keyword} {self.text}"


@dataclass(frozen=True)
class RecipeStage:
    """One stage that the build needs; `base` and `platform` have their arguments filled in.

    `is_on_stage` says that `base` is an earlier stage and no image.
    """

    name: str
    base: str
    is_on_stage: bool
    platform: str
    written: str
    lines: tuple[RecipeLine, ...]

    @property
    def steps(self) -> tuple[RecipeLine, ...]:
        return tuple(one for one in self.lines if one.is_step)


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


# What is known of an image that a stage is built on, by the name that FROM gives it.
FindInherited = Callable[[str], Inherited]


def read_recipe(
    root: Path, image: Image, platform: str = "", find_inherited: FindInherited = lambda name: NOTHING_KNOWN
) -> Recipe:
    """`platform` is what is built for where the definition does not say.

    Raises UsageError when the Dockerfile or the target stage is not there.
    """
    if copy_sources.is_remote(image.context):
        reason = f"the build context {image.context} is not on this machine"
        return Recipe(image, (), volatile=(reason,), unknown=(reason,))
    parsed = parse_dockerfile(root, image, platform)
    if image.target and parsed.stage(image.target) is None:
        names = ", ".join(stage.name for stage in parsed.stages)
        raise UsageError(f"{parsed.path} has no stage `{image.target}`.", f"Its stages: {names}.")
    return _RecipeReader(image, parsed, platform, find_inherited).read()


def parse_dockerfile(root: Path, image: Image, platform: str = "") -> Dockerfile:
    """The Dockerfile of an image, also when it stands inside the Compose or bake file."""
    inline = image.inline
    path = Path(image.dockerfile_place)
    automatic = references.automatic_arguments(references.target_platform(image.definition, platform))
    automatic["TARGETSTAGE"] = image.target
    if inline:
        return dockerfile.parse(inline, path, image.args, automatic)
    return dockerfile.read(root / path, image.args, automatic)


def find_context(image: Image, name: str, platform: str = "") -> str | None:
    """What a named context stands for: `target:…`, `docker-image://…`, an address or a folder."""
    key = find_context_name(image, name, platform)
    return None if key is None else image.contexts[key]


def find_context_name(image: Image, name: str, platform: str = "") -> str | None:
    """The key of the context that BuildKit uses for a name; one for the platform goes before one for all."""
    if not image.contexts or name.lower() in ("", SCRATCH, "context"):
        return None
    familiar = references.familiar(name)
    target = references.target_platform(image.definition, platform)
    keys = (f"{familiar}::{target}", familiar)
    return next((key for key in keys if key in image.contexts), None)


class _RecipeReader:
    """Reads the stages that the target needs; each is read once, after the one it is built on."""

    def __init__(self, image: Image, parsed: Dockerfile, platform: str, find_inherited: FindInherited) -> None:
        self._image = image
        self._parsed = parsed
        self._platform = platform
        self._find_inherited = find_inherited
        self._stages: dict[int, RecipeStage] = {}
        self._values: dict[int, Variables] = {}
        self._environments: dict[int, Inherited] = {}
        self._doubts: dict[str, None] = {}
        self._volatile: dict[str, None] = {}

    def read(self) -> Recipe:
        target = self._parsed.stage(self._image.target)
        assert target  # a Dockerfile has a stage, and read_recipe has looked for the target
        self._read_with_sources(target)
        stages = tuple(self._stages[index] for index in sorted(self._stages))
        used = {name for stage in stages for name in variables(stage.written)}
        arguments = {name: self._parsed.arguments.get(name, "") for name in sorted(used)}
        volatile = (*self._volatile, *_volatile(self._image, stages))
        return Recipe(
            image=self._image,
            stages=stages,
            directives=tuple(f"# {name}={value}" for name, value in self._parsed.directives.items() if name != "check"),
            arguments=arguments,
            volatile=volatile,
            unknown=tuple(dict.fromkeys((*self._all_doubts(stages), *volatile))),
            handed_on=self._handed_on(target),
        )

    def _all_doubts(self, stages: Iterable[RecipeStage]) -> Iterator[str]:
        yield from understood.doubts(self._parsed)
        yield from self._doubts
        platforms = self._image.definition.get("platforms") or ()
        if len(platforms) > 1:
            yield f"it is built for {len(platforms)} platforms"
        for name, value in self._image.contexts.items():
            is_used = any(self._is_read(stage, name) for stage in stages)
            if is_used and (copy_sources.is_remote(value) or value.startswith("service:")):
                yield f"the context {name} is {value}"

    def _is_read(self, stage: RecipeStage, name: str) -> bool:
        names = (stage.base, *(source.origin for line in stage.lines for source in line.sources))
        return any(find_context_name(self._image, one, self._platform) == name for one in names if one)

    def _read_with_sources(self, target: Stage) -> None:
        waiting, seen = [target], set[int]()
        while waiting:
            stage = waiting.pop()
            if stage.index in seen or self._context_of(stage):
                continue
            seen.add(stage.index)
            read = self._stage(stage)
            base = self._parsed.base_of(stage)
            names = {source.origin for line in read.lines for source in line.sources}
            found = (self._parsed.source_of(name) for name in names if name)
            waiting += [one for one in (base, *found) if one and one.index < stage.index]

    def _context_of(self, stage: Stage) -> str | None:
        """A named context takes the place of a stage of the same name."""
        return (
            find_context_name(self._image, stage.name.lower(), stage.platform or self._platform)
            if stage.is_named
            else None
        )

    def _base_stage(self, stage: Stage) -> Stage | None:
        base = self._parsed.base_of(stage)
        return None if base is None or self._context_of(base) else base

    def _stage(self, stage: Stage) -> RecipeStage:
        if stage.index in self._stages:
            return self._stages[stage.index]
        base = self._base_stage(stage)
        triggers, values, handed_on = self._beginning(stage, base)
        lines = [replace(self._line(one, values), trigger_of=stage.base) for one in triggers]
        lines += [self._line(one, values) for one in stage.instructions]
        self._values[stage.index] = values
        self._environments[stage.index] = with_environment((*triggers, *stage.instructions), values, handed_on)
        self._stages[stage.index] = RecipeStage(
            name=self._name(stage),
            base=self._name(base) if base else stage.base,
            is_on_stage=base is not None,
            platform=stage.platform,
            written=stage.written,
            lines=tuple(lines),
        )
        return self._stages[stage.index]

    def _beginning(self, stage: Stage, base: Stage | None) -> tuple[tuple[Instruction, ...], Variables, Inherited]:
        """The triggers and the variables that a stage takes over from what it is built on."""
        if base:
            self._stage(base)
            return triggers_of(base.instructions), self._values[base.index].copy(), self._environments[base.index]
        handed_on = Inherited() if stage.base == SCRATCH else self._find_inherited(stage.base)
        self._doubts.update(dict.fromkeys(handed_on.doubts))
        # A trigger has no line of its own in this file: it runs where the FROM stands.
        triggers = tuple(replace(one, line=stage.line) for one in handed_on.triggers)
        return triggers, variables_from(handed_on, self._parsed.escape), handed_on

    def _name(self, stage: Stage) -> str:
        """Of stages with one name the last keeps it: that is what a `from=` or a target means by it."""
        last = self._parsed.source_of(stage.name) if stage.is_named else stage
        return stage.name if last is stage or last is None else f"{stage.name}@{stage.index}"

    def _handed_on(self, target: Stage) -> Inherited:
        if self._context_of(target):
            return NOTHING_KNOWN
        return replace(self._environments[target.index], triggers=triggers_of(target.instructions), doubts=())

    def _line(self, one: Instruction, values: Variables) -> RecipeLine:
        self._doubts.update(dict.fromkeys(understood.doubts_of(one)))
        text = _with_blanks(one.raw) if one.keyword in KEEPS_BLANKS or one.is_json else one.text
        if one.keyword == "ARG":
            text = " ".join(self._declare(one, values))
        elif one.keyword == "ENV":
            for name, value in values.fill_all(dockerfile.pairs(one)):
                values.set(name, value)
        addresses = tuple(copy_sources.downloads(one, values))
        self._volatile.update(dict.fromkeys(f"what {address} holds may have changed" for address in addresses))
        sources = dict.fromkeys(self._named(source) for source in copy_sources.read_sources(one, values))
        return RecipeLine(
            keyword=one.keyword,
            text="\n".join((text, *one.heredocs)),
            line=one.line,
            sources=tuple(sources),
            variables=tuple(sorted(variables(one.text))),
            remote=addresses,
        )

    def _named(self, source: Source) -> Source:
        """A source with the one name of its stage or context."""
        stage = self._parsed.source_of(source.origin) if source.origin else None
        key = self._context_of(stage) if stage else find_context_name(self._image, source.origin, self._platform)
        return replace(source, origin=key or (self._name(stage) if stage else source.origin))

    def _declare(self, one: Instruction, values: Variables) -> Iterator[str]:
        """The arguments with the values they really have: what is passed, else the default, else the one on top."""
        for name, default in dockerfile.pairs(one):
            value = self._image.args.get(name)
            is_unknown = False
            if value is None and default is not None:
                value = values.fill_all([(name, default)])[0][1]
                is_unknown = value is None
            elif value is None:
                value = self._parsed.arguments.get(name)
            if value is not None or is_unknown:
                values.set(name, value)
            shown = default if is_unknown else value
            yield name if shown is None else f"{name}={_sealed(name, shown)}"


def _with_blanks(text: str) -> str:
    """Every blank that counts: those between and after flags only separate them."""
    command = _FLAGS.sub("", text)
    flags = text.removesuffix(command).split()
    return " ".join((*flags, command))


def _sealed(name: str, value: str) -> str:
    """What looks like a secret is kept as a digest: enough to see that it changed."""
    return f"sha256-{hashlib.sha256(value.encode()).hexdigest()[:16]}" if SECRET.search(name) else value


def _volatile(image: Image, stages: Iterable[RecipeStage]) -> Iterator[str]:
    for name, value in image.contexts.items():
        if copy_sources.is_remote(value) and not copy_sources.is_pinned(value):
            yield f"what the context {name} holds may have changed"
    if image.definition.get("no-cache") or image.definition.get("no-cache-filter"):
        yield "its definition says no-cache"
