"""How an image is made, as far as its Dockerfile and its build arguments say: stages, and what each step reads."""

import hashlib
import platform as machine
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from layerstack.dockerfile import copy_sources, dockerfile
from layerstack.dockerfile.copy_sources import Source
from layerstack.dockerfile.dockerfile import Dockerfile, Instruction, Stage
from layerstack.dockerfile.image import Image
from layerstack.errors import UsageError

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "AMD64": "amd64"}
# What a shell or the image keeps with every blank; in other instructions blanks only separate words.
KEEPS_BLANKS = ("RUN", "ENV", "LABEL", "CMD", "ENTRYPOINT", "HEALTHCHECK", "ONBUILD")
SECRET = re.compile(r"secret|token|passw|credential|api_?key|private", re.IGNORECASE)
_FLAGS = re.compile(r"^(--\S+\s+)*")
_DIRECTIVE = re.compile(r"^#\s*(syntax|escape)\s*=", re.IGNORECASE)


@dataclass(frozen=True)
class RecipeLine:
    """One instruction. `text` holds build arguments with their values; `sources` are contexts, stages and images."""

    keyword: str
    text: str
    line: int
    sources: tuple[Source, ...] = ()
    variables: tuple[str, ...] = ()

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
    """`arguments` are those before the first FROM; `volatile` says what may change without a trace here."""

    image: Image
    stages: tuple[RecipeStage, ...]
    directives: tuple[str, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict)
    volatile: tuple[str, ...] = ()

    @property
    def parents(self) -> tuple[str, ...]:
        """Names of everything from outside this Dockerfile that a FROM or `from=` reads, sorted."""
        own = {stage.name.lower() for stage in self.stages} | {"", "scratch"}  # "" is the build context
        origins = {source.origin for stage in self.stages for line in stage.lines for source in line.sources}
        outside = {name for name in origins if name.lower() not in own}
        outside |= {stage.base for stage in self.stages if not stage.is_on_stage} - {"scratch"}
        # A named context goes before a stage of the same name.
        named = {*origins, *(stage.base for stage in self.stages)}
        return tuple(sorted(outside | {name for name in named if name and find_context(self.image, name)}))


def read_recipe(root: Path, image: Image, platform: str = "") -> Recipe:
    """Raises UsageError when the Dockerfile or the target stage is not there."""
    if copy_sources.is_remote(image.context):
        return Recipe(image, (), volatile=(f"the build context {image.context} is not on this machine",))
    parsed = parse_dockerfile(root, image)
    given = {**_platform_values(platform), **parsed.arguments, **image.args}
    needed = _needed_stages(parsed, image.target)
    reader = _StageReader(image.args, given)
    stages = tuple(reader.read(stage) for stage in needed)
    used = {name for stage in needed for name in dockerfile.variables(stage.written)}
    return Recipe(
        image=image,
        stages=stages,
        directives=tuple(line.strip() for line in parsed.head if _DIRECTIVE.match(line)),
        arguments={name: given.get(name, "") for name in sorted(used)},
        volatile=tuple(_volatile(image, stages, reader.downloads)),
    )


def parse_dockerfile(root: Path, image: Image) -> Dockerfile:
    """The Dockerfile of an image, also when it stands inside the Compose or bake file."""
    inline = image.inline
    path = Path(image.dockerfile_place)
    values = {**_platform_values(""), **image.args}
    return dockerfile.parse(inline, path, values) if inline else dockerfile.read(root / path, values)


def find_context(image: Image, name: str) -> str | None:
    """What a named context stands for: `target:…`, `docker-image://…`, an address or a folder."""
    for key in (name, name.removesuffix(":latest"), f"{name}:latest"):
        if key in image.contexts:
            return image.contexts[key]
    return None


class _StageReader:
    """Reads stages in file order; knows which variables each stage hands on to those that are built on it."""

    def __init__(self, passed: Mapping[str, str], given: Mapping[str, str]) -> None:
        self._passed = passed
        self._given = given
        self._values: dict[str, dict[str, str]] = {}
        self._names: dict[str, str] = {}
        self.downloads: list[str] = []

    def read(self, stage: Stage) -> RecipeStage:
        is_on_stage = stage.base.lower() in self._values
        values = dict(self._values.get(stage.base.lower(), {}))
        lines = tuple(self._line(one, values) for one in stage.instructions)
        self._values[stage.name.lower()] = values
        self._names[str(stage.index)] = stage.name
        return RecipeStage(stage.name, stage.base, is_on_stage, stage.platform, stage.written, lines)

    def _line(self, one: Instruction, values: dict[str, str]) -> RecipeLine:
        text = _with_blanks(one.raw) if one.keyword in KEEPS_BLANKS else " ".join(one.text.split())
        if one.keyword == "ARG":
            text = " ".join(self._declare(one, values))
        elif one.keyword == "ENV":
            for name, value in dockerfile.pairs(one.text):
                _set(values, name, value or "")
        self.downloads += copy_sources.unpinned(one, values)
        return RecipeLine(
            keyword=one.keyword,
            text="\n".join((text, *one.heredocs)),
            line=one.line,
            sources=tuple(dict.fromkeys(self._named(source) for source in copy_sources.read_sources(one, values))),
            variables=tuple(sorted(dockerfile.variables(one.text))),
        )

    def _named(self, source: Source) -> Source:
        """A stage that is named by its number, by its name."""
        return Source(self._names.get(source.origin, source.origin), source.pattern)

    def _declare(self, one: Instruction, values: dict[str, str]) -> Iterator[str]:
        """The arguments with the values they really have: what is passed, else the default, else the one on top."""
        for name, default in dockerfile.pairs(one.text):
            value = self._passed.get(name, self._given.get(name) if default is None else default)
            if value is not None:
                _set(values, name, value)
            yield name if value is None else f"{name}={_sealed(name, value)}"


def _with_blanks(text: str) -> str:
    """Every blank that counts: those between and after flags only separate them."""
    command = _FLAGS.sub("", text)
    flags = text.removesuffix(command).split()
    return " ".join((*flags, command))


def _set(values: dict[str, str], name: str, value: str) -> None:
    """Give a variable its value; one that is made from something unknown is unknown itself."""
    if dockerfile.variables(value) <= values.keys():
        values[name] = dockerfile.expand(value, values)
    else:
        values.pop(name, None)


def _sealed(name: str, value: str) -> str:
    """What looks like a secret is kept as a digest: enough to see that it changed."""
    return f"sha256-{hashlib.sha256(value.encode()).hexdigest()[:16]}" if SECRET.search(name) else value


def _needed_stages(parsed: Dockerfile, target: str) -> Sequence[Stage]:
    """The stages of the build; all of them when a source is named by something that is not known here."""
    if target and parsed.stage(target) is None:
        names = ", ".join(stage.name for stage in parsed.stages)
        raise UsageError(f"{parsed.path} has no stage `{target}`.", f"Its stages: {names}.")
    is_unsure = any("$" in source for stage in parsed.stages for source in stage.sources)
    return parsed.stages if is_unsure else parsed.reachable(target)


def _volatile(image: Image, stages: Iterable[RecipeStage], downloads: Iterable[str]) -> Iterator[str]:
    for stage in stages:
        if "$" in stage.base:
            yield f"FROM {stage.base} is not known before the build"
    yield from (f"what {address} holds may have changed" for address in downloads)
    for name, value in image.contexts.items():
        if copy_sources.is_remote(value) and not copy_sources.is_pinned(value):
            yield f"what the context {name} holds may have changed"
    if image.definition.get("no-cache") or image.definition.get("no-cache-filter"):
        yield "its definition says no-cache"


def _platform_values(platform: str) -> dict[str, str]:
    """BuildKit's automatic arguments; for the engine's own platform those of this machine."""
    own = f"linux/{ARCHITECTURES.get(machine.machine(), machine.machine())}"
    values: dict[str, str] = {}
    for prefix, text in (("BUILD", own), ("TARGET", platform or own)):
        system, architecture, variant = (*text.split("/"), "", "")[:3]
        parts = {"PLATFORM": text, "OS": system, "ARCH": architecture, "VARIANT": variant}
        values |= {f"{prefix}{name}": value for name, value in parts.items()}
    return values
