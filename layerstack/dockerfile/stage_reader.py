"""From the stages of a Dockerfile to the build of one target: variables, ONBUILD, sources."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace

from layerstack.dockerfile import copy_sources, understood
from layerstack.dockerfile.copy_sources import Source
from layerstack.dockerfile.dockerfile import Dockerfile, Stage
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.inherited import NOTHING_KNOWN, Inherited, triggers_of, variables_from, with_environment
from layerstack.dockerfile.instruction import FLAGS, Instruction, pairs
from layerstack.dockerfile.named_context import find_context_name
from layerstack.dockerfile.recipe_stage import RecipeLine, RecipeStage
from layerstack.dockerfile.shell_words import variables
from layerstack.dockerfile.variables import Variables
from layerstack.secret_text import PASSWORD_IN_URL, SECRET_NAME

# Where a blank counts: what a shell or the image keeps, and one path that is not split into words.
KEEPS_BLANKS = {"RUN", "ENV", "LABEL", "CMD", "ENTRYPOINT", "HEALTHCHECK", "ONBUILD", "MAINTAINER"}
KEEPS_BLANKS |= {"WORKDIR", "USER", "STOPSIGNAL", "SHELL"}
SCRATCH = "scratch"

# What is known of an image that a stage is built on, by the name that FROM gives it.
FindInherited = Callable[[str], Inherited]


class StageReader:
    """Reads the stages that the target needs; each is read once, after the one it is built on.

    `doubts` has what of them is not understood, in the order in which it was met.
    """

    def __init__(self, image: Image, parsed: Dockerfile, platform: str, find_inherited: FindInherited) -> None:
        self._image = image
        self._parsed = parsed
        self._platform = platform
        self._find_inherited = find_inherited
        self._stages: dict[int, RecipeStage] = {}
        self._values: dict[int, Variables] = {}
        self._environments: dict[int, Inherited] = {}
        self.doubts: dict[str, None] = {}

    def read(self) -> tuple[RecipeStage, ...]:
        """The stages in file order."""
        target = self._parsed.stage(self._image.target)
        if target:
            self._read_with_sources(target)
        return tuple(self._stages[index] for index in sorted(self._stages))

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
            found = (one for one in self._parsed.stages if self._name(one) in names)
            waiting += [one for one in (base, *found) if one and one.index < stage.index]

    def _context_of(self, stage: Stage) -> str | None:
        """A named context, which replaces a stage of the same name."""
        platform = stage.platform or self._platform
        return find_context_name(self._image, stage.name.lower(), platform) if stage.is_named else None

    def _base_stage(self, stage: Stage) -> Stage | None:
        base = self._parsed.base_of(stage)
        if base is None or not self._context_of(base):
            return base
        if triggers_of(base.instructions):
            self.doubts[f"a context takes the place of {stage.base}, which has ONBUILD instructions"] = None
        return None

    def _stage(self, stage: Stage) -> RecipeStage:
        if stage.index in self._stages:
            return self._stages[stage.index]
        base = self._base_stage(stage)
        triggers, values, handed_on = self._beginning(stage, base)
        declared: dict[str, str | None] = {}
        lines = [
            replace(line, trigger_of=stage.base) for one in triggers for line in self._lines(one, values, declared)
        ]
        lines += [line for one in stage.instructions for line in self._lines(one, values, declared)]
        self._values[stage.index] = values
        self._environments[stage.index] = with_environment(handed_on, declared)
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
        """The triggers and variables that a stage inherits from its base."""
        if base:
            self._stage(base)
            # With the build arguments of the base: BuildKit hands them on from stage to stage, though not in an image.
            return triggers_of(base.instructions), self._values[base.index].copy(), self._environments[base.index]
        handed_on = Inherited() if stage.base == SCRATCH else self._find_inherited(stage.base)
        self.doubts.update(dict.fromkeys(handed_on.doubts))
        # A trigger has no line of its own in this file: it runs where the FROM stands.
        triggers = tuple(replace(one, line=stage.line) for one in handed_on.triggers)
        return triggers, variables_from(handed_on, self._parsed.escape), handed_on

    def _name(self, stage: Stage) -> str:
        # Of stages with the same name `from=` and targets mean the last one.
        last = self._parsed.stage(stage.name) if stage.is_named else stage
        return stage.name if last is stage or last is None else f"{stage.name}@{stage.index}"

    def handed_on(self) -> Inherited:
        """What the finished image hands on; `read` goes before it."""
        target = self._parsed.stage(self._image.target)
        if target is None or target.index not in self._environments:
            return NOTHING_KNOWN
        # The doubts are among those of this reading already.
        return replace(self._environments[target.index], triggers=triggers_of(target.instructions), doubts=())

    def _lines(self, instruction: Instruction, values: Variables, declared: dict[str, str | None]) -> list[RecipeLine]:
        """One line, or one per argument of an ARG: their values are compared one by one.

        `values` are what the next instruction sees, `declared` what the image hands on: an ARG of the same name hides
        an ENV from the steps that follow, but is in no image's configuration.
        """
        self.doubts.update(dict.fromkeys(understood.doubts_of(instruction)))
        texts = ["\n".join((_text(instruction), *instruction.heredocs))]
        if instruction.keyword == "ARG":
            texts = list(self._declare(instruction, values))
        elif instruction.keyword == "ENV":
            for name, value in values.fill_all(pairs(instruction)):
                values.set(name, value)
                declared[name] = value
        addresses = tuple(copy_sources.downloads(instruction, values))
        sources = dict.fromkeys(self._named(source) for source in copy_sources.read_sources(instruction, values))
        line = RecipeLine(
            keyword=instruction.keyword,
            text="",
            line=instruction.line,
            sources=tuple(sources),
            variables=tuple(sorted(variables(instruction.text))),
            remote=addresses,
        )
        return [replace(line, text=text) for text in texts]

    def _named(self, source: Source) -> Source:
        """A source under the name of its stage or context."""
        stage = self._parsed.source_of(source.origin, source.is_mounted) if source.origin else None
        key = self._context_of(stage) if stage else find_context_name(self._image, source.origin, self._platform)
        return replace(source, origin=key or (self._name(stage) if stage else source.origin))

    def _declare(self, instruction: Instruction, values: Variables) -> Iterator[str]:
        """The arguments with their effective values: as passed, else the default, else the one at the top."""
        for name, default in pairs(instruction):
            value = self._image.args.get(name)
            is_unknown = False
            if value is None and default is not None:
                value = values.fill_all([(name, default)])[0][1]
                is_unknown = value is None
            elif value is None:
                value = self._parsed.arguments.get(name)
            if value is not None or is_unknown:
                values.set(name, value)
            # Where the value depends on something unknown, the default as it is written still shows that somebody
            # changed it.
            shown = default if is_unknown else value
            yield name if shown is None else f"{name}={_sealed(name, shown)}"


def _text(instruction: Instruction) -> str:
    """An instruction with only the blanks that matter."""
    if instruction.is_json:
        return " ".join((*instruction.flags, json.dumps(instruction.words, ensure_ascii=False)))
    return _with_blanks(instruction.raw) if instruction.keyword in KEEPS_BLANKS else instruction.text


def _with_blanks(text: str) -> str:
    """All blanks that matter: those between and after flags only separate them."""
    command = FLAGS.sub("", text)
    flags = text.removesuffix(command).split()
    return " ".join((*flags, command))


def _sealed(name: str, value: str) -> str:
    # What looks like a secret is kept as a digest, which is enough to see a change.
    is_secret = SECRET_NAME.search(name) or PASSWORD_IN_URL.search(value)
    return f"sha256-{hashlib.sha256(value.encode()).hexdigest()[:16]}" if is_secret else value
