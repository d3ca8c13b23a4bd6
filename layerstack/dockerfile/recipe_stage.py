"""One stage of a Dockerfile as its build sees it: instructions with their values and sources."""

from collections.abc import Sequence
from dataclasses import dataclass

from layerstack.dockerfile.copy_sources import Source
from layerstack.dockerfile.instruction import STEP_KEYWORDS


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
        return self.keyword in STEP_KEYWORDS

    def __str__(self) -> str:
        """The step as BuildKit names it."""
        return f"{'ONBUILD ' if self.trigger_of else ''}{self.keyword} {self.text}"


@dataclass(frozen=True)
class RecipeStage:
    """One stage that the build needs; `base` and `platform` have their arguments filled in.

    `is_on_stage` says that `base` is an earlier stage and no image. Of stages with one name all but the last are called
    `name@number`, which is no name that a Dockerfile can give.
    """

    name: str
    base: str
    is_on_stage: bool
    platform: str
    written: str
    lines: tuple[RecipeLine, ...]

    @property
    def shown_name(self) -> str:
        """As BuildKit shows it: stages of one name are told apart only here."""
        return self.name.partition("@")[0]

    @property
    def steps(self) -> tuple[RecipeLine, ...]:
        return tuple(one for one in self.lines if one.is_step)


def layers_of(stages: Sequence[RecipeStage]) -> list[RecipeStage]:
    """The stages whose steps are layers of the image, lowest first: the target, which stands last, and those below."""
    named = {stage.name.lower(): stage for stage in stages}
    stage = stages[-1] if stages else None
    chain: list[RecipeStage] = []
    while stage:
        chain.insert(0, stage)
        stage = named.get(stage.base.lower()) if stage.is_on_stage else None
    return chain
