"""Which image's Dockerfile a step stands in, and on which line.

BuildKit names a step that images share after an arbitrary one of them, and counts FROM only when it resolves an
image itself; so a step is looked up by stage, position and text in the Dockerfiles of all images of the build.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from layerstack.build.buildlog import Step
from layerstack.dockerfile.dockerfile import Instruction, Stage
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.inherited import triggers_of
from layerstack.dockerfile.recipe import RecipeLine, parse_dockerfile
from layerstack.errors import UsageError

COMPARED_CHARACTERS = 60
ONBUILD = "ONBUILD "
# Steps that a stage has besides its own: FROM, and what an ONBUILD brings (BuildKit counts its ENV and LABEL, too).
ONLY_FROM, MOST_TRIGGERS = 1, 100
_CHANGED = re.compile(r"<<|[$\"'\\`]")


@dataclass(frozen=True)
class _Source:
    image: str
    path: str
    stages: tuple[Stage, ...]
    # Stage → what the stage below it has for those that are built on it; absent where that is an image.
    triggers: Mapping[int, tuple[Instruction, ...]]


class Placement:
    """Moves steps to the image that declares them and gives them their place, `docker/base/Dockerfile:14`.

    `images` stand parents first: a step that several images of one Dockerfile declare belongs to the first.
    """

    def __init__(self, root: Path, images: Sequence[Image]) -> None:
        self._sources = tuple(_sources(root, images))
        self._below = _below(images)
        self._found: dict[str, tuple[str, str]] = {}

    def place(self, step: Step) -> Step:
        if not step.is_counted:
            return step
        if step.digest not in self._found:
            self._found[step.digest] = self._find(step)
        image, place = self._found[step.digest]
        return replace(step, image=image, place=place)

    def _declaring(self, step: Step, most_others: int) -> list[tuple[_Source, int]]:
        found = ((source, _line_in(step, source, most_others)) for source in self._sources)
        return [(source, line) for source, line in found if line]

    def _find(self, step: Step) -> tuple[str, str]:
        declaring = self._declaring(step, ONLY_FROM) or self._declaring(step, MOST_TRIGGERS)
        if not declaring:
            return step.image, ""
        # What stands below the named image is more likely meant than an unrelated one with the same words.
        below = self._below.get(step.image, frozenset())
        paths = {source.path for source, _ in declaring if source.image in below}
        declaring = [found for found in declaring if found[0].path in paths] or declaring
        named = next((source.path for source, _ in declaring if source.image == step.image), declaring[0][0].path)
        source, line = next(found for found in declaring if found[0].path == named)
        return source.image, f"{source.path}:{line}"


def _sources(root: Path, images: Sequence[Image]) -> Iterable[_Source]:
    for image in images:
        try:
            parsed = parse_dockerfile(root, image)
        except UsageError:
            continue  # not on this machine: its steps keep the image that BuildKit named
        stages = parsed.reachable(image.target)
        bases = {stage.index: base for stage in stages if (base := parsed.base_of(stage))}
        triggers = {index: triggers_of(base.instructions) for index, base in bases.items()}
        yield _Source(image.name, image.dockerfile_place, stages, triggers)


def _below(images: Sequence[Image]) -> dict[str, frozenset[str]]:
    """Image → itself and everything it is built on; `images` stand parents first."""
    known: dict[str, frozenset[str]] = {}
    for image in images:
        known[image.name] = frozenset({image.name}).union(*(known.get(parent, frozenset()) for parent in image.parents))
    return known


def _line_in(step: Step, source: _Source, most_others: int) -> int | None:
    lines = (_line(step, stage, source.triggers.get(stage.index), most_others) for stage in source.stages)
    return next((line for line in lines if line), None)


def _line(step: Step, stage: Stage, triggers: Sequence[Instruction] | None, most_others: int) -> int | None:
    """The line of the step in this stage, None when it is not one of its steps."""
    is_same_stage = step.stage.lower() == stage.name.lower() or (not step.stage and stage.index == 0)
    others = step.total - len(stage.steps)
    if not is_same_stage or not 0 <= others <= most_others:
        return None
    if step.instruction.startswith(ONBUILD):
        if triggers is None:
            return stage.line  # what an image brings along has no line of its own here
        return next((one.line for one in triggers if is_same_text(step, one)), None)
    for index in range(step.number - 1, step.number - 2 - others, -1):
        if 0 <= index < len(stage.steps) and is_same_text(step, stage.steps[index]):
            return stage.steps[index].line
    return None


def is_same_text(step: Step, instruction: Instruction | RecipeLine) -> bool:
    """Whether a step, also one that an ONBUILD brought, is what this line says."""
    shown = " ".join(step.instruction.removeprefix(ONBUILD).split())
    return shown.startswith(literal_text(instruction))


def literal_text(instruction: Instruction | RecipeLine) -> str:
    """How an instruction begins: BuildKit fills in variables, takes quotes away and shortens heredocs after that."""
    written = " ".join(f"{instruction.keyword} {instruction.text}".split())
    return _CHANGED.split(written, maxsplit=1)[0][:COMPARED_CHARACTERS]
