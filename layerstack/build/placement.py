"""Finds the image and the Dockerfile line that a step belongs to.

BuildKit names a step that images share after an arbitrary one of them, and counts FROM only when it resolves an
image itself; so a step is looked up by stage, position and text in the Dockerfiles of all images of the build.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from layerstack.build.buildlog import Step
from layerstack.dockerfile.dockerfile import Dockerfile, Stage
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.inherited import triggers_of
from layerstack.dockerfile.instruction import STEP_KEYWORDS, Instruction, pairs
from layerstack.dockerfile.named_context import find_context_name
from layerstack.dockerfile.recipe import parse_dockerfile
from layerstack.dockerfile.recipe_stage import RecipeLine
from layerstack.errors import UsageError

COMPARED_CHARACTERS = 60
ONBUILD = "ONBUILD "
# Steps that a stage has besides its own: FROM, and what an ONBUILD brings (BuildKit counts its ENV and LABEL, too).
MOST_OTHERS = 101
SCRATCH = "scratch"
# `RUN echo "$A"` is compared up to `RUN echo `.
_CHANGED = re.compile(r"<<|[$\"'\\`]")


@dataclass(frozen=True)
class _StagePlace:
    """A stage and what BuildKit counts before its own steps.

    `total_before` are those that it adds to the number of steps, `number_before` those that have a number: a FROM does
    when it names an image, and no context stands for it. `triggers` is None where ONBUILD would come from an image.
    `last_below` is the line of the last step that the stage is built on, 0 where that is in no stage.
    """

    stage: Stage
    triggers: tuple[Instruction, ...] | None
    total_before: int
    number_before: int
    last_below: int


@dataclass(frozen=True)
class _Source:
    image: str
    path: str
    stages: tuple[_StagePlace, ...]
    arguments: Mapping[str, str] = field(default_factory=dict)

    def values_at(self, line: int) -> tuple[object, ...]:
        """What the build arguments make of this line: images that differ in it have no step of it in common."""
        above = (one for place in self.stages for one in place.stage.instructions if one.line < line)
        names = (name for one in above if one.keyword == "ARG" for name, _ in pairs(one))
        bases = (place.stage.base for place in self.stages if place.stage.line < line)
        return tuple(bases), frozenset((name, self.arguments.get(name)) for name in names)


@dataclass(frozen=True)
class _Candidate:
    """A line that a step may be; `previous` is the line of the step before it.

    `is_moved`: it does not stand where BuildKit's number says. `unexplained` is how many steps more than were read
    BuildKit counts in the stage; negative for fewer.
    """

    source: _Source
    line: int
    previous: int
    is_moved: bool
    unexplained: int

    @property
    def is_exact(self) -> bool:
        return not self.is_moved and not self.unexplained

    @property
    def place(self) -> str:
        return f"{self.source.path}:{self.line}"


class Placement:
    """Moves steps to the image that declares them and gives them their place, `docker/base/Dockerfile:14`.

    `images` stand parents first: a step that several images of one Dockerfile declare belongs to the first of those
    that give it the same build arguments. Every step comes after those that it was made from: that tells stages of one
    name apart.
    """

    def __init__(self, root: Path, images: Sequence[Image]) -> None:
        self._root = root
        self._images = tuple(images)
        self._below = _below(images)
        self._found: dict[str, tuple[str, str]] = {}

    @cached_property
    def _sources(self) -> tuple[_Source, ...]:
        """Read with the first step: until then BuildKit reads the same files."""
        return tuple(_sources(self._root, self._images))

    def place(self, step: Step) -> Step:
        if not step.is_counted:
            return step
        if step.digest not in self._found:
            self._found[step.digest] = self._find(step)
        image, place = self._found[step.digest]
        return replace(step, image=image, place=place)

    def _find(self, step: Step) -> tuple[str, str]:
        possible = [one for source in self._sources for one in _candidates(step, source)]
        if not possible:
            return step.image, ""
        # What stands below the named image is more likely meant than an unrelated one with the same words, even where
        # the counts do not fit: what the ONBUILD of an image adds to them is not read here.
        below = self._below.get(step.image, frozenset())
        paths = {one.source.path for one in possible if one.source.image in below}
        possible = [one for one in possible if one.source.path in paths] or possible
        declaring = [one for one in possible if one.is_exact] or possible
        named = next((one for one in declaring if one.source.image == step.image), declaring[0])
        declaring = [one for one in declaring if one.source.path == named.source.path]
        # Of stages with one name the one that fits best is meant: ONBUILD of an image lengthens all that stand on it.
        fits = min((one.is_moved, abs(one.unexplained)) for one in declaring)
        declaring = [one for one in declaring if (one.is_moved, abs(one.unexplained)) == fits]
        first = next((one for one in declaring if self._follows(one, step)), declaring[0])
        alike = [one for one in declaring if one.line == first.line]
        own = next((one for one in alike if one.source.image == step.image), first).source.values_at(first.line)
        first = next(one for one in alike if one.source.values_at(first.line) == own)
        return first.source.image, first.place

    def _follows(self, candidate: _Candidate, step: Step) -> bool:
        """Whether the step was made from the one before this line."""
        before = {self._found[digest][1] for digest in step.inputs if digest in self._found}
        return f"{candidate.source.path}:{candidate.previous}" in before


def _sources(root: Path, images: Sequence[Image]) -> Iterator[_Source]:
    for image in images:
        try:
            parsed = parse_dockerfile(root, image)
        except UsageError:
            continue  # not on this machine: its steps keep the image that BuildKit named
        stages = tuple(_stage_place(image, parsed, stage) for stage in parsed.reachable(image.target))
        yield _Source(image.name, image.dockerfile_place, stages, image.args)


def _stage_place(image: Image, parsed: Dockerfile, stage: Stage) -> _StagePlace:
    base = parsed.base_of(stage)
    has_context = find_context_name(image, stage.base) is not None
    if has_context or base is None:
        is_counted = stage.base != SCRATCH
        return _StagePlace(stage, None, int(is_counted), int(is_counted and not has_context), 0)
    triggers = triggers_of(base.instructions)
    last = base
    while not last.steps and (below := parsed.base_of(last)):
        last = below
    return _StagePlace(stage, triggers, len(triggers), len(_steps(triggers)), last.steps[-1].line if last.steps else 0)


def _below(images: Sequence[Image]) -> dict[str, frozenset[str]]:
    """Image → itself and everything it is built on; parents come first in `images`."""
    known: dict[str, frozenset[str]] = {}
    for image in images:
        known[image.name] = frozenset({image.name}).union(*(known.get(parent, frozenset()) for parent in image.parents))
    return known


def _candidates(step: Step, source: _Source) -> Iterator[_Candidate]:
    for place in source.stages:
        stage = place.stage
        # BuildKit gives the only stage of a Dockerfile no name.
        is_same_stage = step.stage.lower() == stage.name.lower() or (not step.stage and stage.index == 0)
        others = step.total - len(stage.steps)
        if is_same_stage and 0 <= others <= MOST_OTHERS and (found := _line(step, place, others)):
            yield _Candidate(source, *found, unexplained=others - place.total_before)


def _line(step: Step, place: _StagePlace, others: int) -> tuple[int, int, bool] | None:
    """(line, line of the step before it, whether its number is another one) in this stage, None when it has none."""
    stage = place.stage
    if step.instruction.startswith(ONBUILD):
        if place.triggers is None:
            return stage.line, 0, False  # what an image brings along has no line of its own here
        return _at(step, _steps(place.triggers), [step.number - 1, *range(len(place.triggers))], place.last_below)
    expected = step.number - 1 - place.number_before
    earlier = _steps(place.triggers or ())
    below = earlier[-1].line if earlier else place.last_below
    # BuildKit's count goes first; the other indexes allow for steps that it counts and that are not read here.
    return _at(step, stage.steps, [expected, *range(step.number - 1, step.number - 2 - others, -1)], below)


def _at(step: Step, lines: Sequence[Instruction], indexes: Sequence[int], below: int) -> tuple[int, int, bool] | None:
    """The first of these lines that matches the step, with the line before it, and whether others were tried first."""
    fitting = (index for index in indexes if 0 <= index < len(lines) and is_same_text(step, lines[index]))
    index = next(fitting, None)
    if index is None:
        return None
    return lines[index].line, lines[index - 1].line if index else below, index != indexes[0]


def _steps(instructions: Sequence[Instruction]) -> tuple[Instruction, ...]:
    return tuple(one for one in instructions if one.keyword in STEP_KEYWORDS)


def is_same_text(step: Step, instruction: Instruction | RecipeLine) -> bool:
    """Whether a step, also one that an ONBUILD brought, is what this line says."""
    shown = " ".join(step.instruction.removeprefix(ONBUILD).split())
    if "\t" in step.instruction.partition(" ")[0]:
        # BuildKit shows what stands before the first blank in capitals, and takes a tab for a letter.
        return shown.upper().startswith(literal_text(instruction).upper())
    return shown.startswith(literal_text(instruction))


def literal_text(instruction: Instruction | RecipeLine) -> str:
    """How an instruction begins: BuildKit fills in variables, takes quotes away and shortens heredocs after that."""
    written = " ".join(f"{instruction.keyword} {instruction.text}".split())
    return _CHANGED.split(written, maxsplit=1)[0][:COMPARED_CHARACTERS]
