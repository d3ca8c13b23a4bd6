"""Which record of the build cache holds which step of an image.

BuildKit does not link the two. A build writes down which records may hold its steps; of an image without such a record
of ours the text of an instruction has to do, which other projects may have as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from layerstack.dockerfile.recipe_stage import RecipeLine, RecipeStage, layers_of
from layerstack.engine.cache_records import CacheRecord, describes
from layerstack.moment import epoch_seconds


@dataclass(frozen=True)
class CachedStep:
    """One step; `record` is None when it is not cached. `is_layer` says that it is a layer of the image.

    Steps of other stages are only copied from: they are not needed while the layers are cached.
    """

    stage: str
    line: RecipeLine
    is_layer: bool
    record: CacheRecord | None = None


@dataclass(frozen=True)
class Built:
    """The stages of one image, and place of a step (`Dockerfile:7`) → ids of the records that its build knew."""

    dockerfile: str
    stages: Sequence[RecipeStage]
    cache_records: Mapping[str, Sequence[str]] = field(default_factory=dict)


def find_steps(built: Built, records: Sequence[CacheRecord]) -> tuple[CachedStep, ...]:
    """One entry per step, in file order."""
    layers = {one.name for one in layers_of(built.stages)}
    return tuple(
        CachedStep(stage.name, line, stage.name in layers, _record(built, line, records))
        for stage in built.stages
        for line in stage.steps
    )


def _record(built: Built, line: RecipeLine, records: Sequence[CacheRecord]) -> CacheRecord | None:
    known = built.cache_records.get(f"{built.dockerfile}:{line.line}")
    # All that an ONBUILD brings stands on one line, so that the text counts there, too.
    fitting = [one for one in records if (known is None or one.id in known) and describes(one, line)]
    # A shared record is a layer of an image that is here.
    return max(fitting, key=lambda one: (one.is_shared, epoch_seconds(one.last_used)), default=None)
