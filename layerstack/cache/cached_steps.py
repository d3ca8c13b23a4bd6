"""Which record of the build cache holds which step of an image.

BuildKit does not link the two. A build writes down which records may hold its steps; of an image without such a record
of ours the text of an instruction has to do, which other projects may have as well. Of several that fit, it is the one
on the record of the step before.
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
    """The stages of one image, and place of a step (`Dockerfile:7`) → ids of the records that its build knew.

    `bases` are base of a stage → the id of the record of its last step, for images of the project.
    """

    dockerfile: str
    stages: Sequence[RecipeStage]
    cache_records: Mapping[str, Sequence[str]] = field(default_factory=dict)
    bases: Mapping[str, str] = field(default_factory=dict)


def find_steps(built: Built, records: Sequence[CacheRecord]) -> tuple[CachedStep, ...]:
    """One entry per step, in file order."""
    layers = {one.name for one in layers_of(built.stages)}
    ends, found = dict(built.bases), []
    for stage in built.stages:
        below = ends.get(stage.base.lower(), "")
        for line in stage.steps:
            record = _record(built, line, records, below)
            found.append(CachedStep(stage.name, line, stage.name in layers, record))
            below = record.id if record else ""
        ends[stage.name.lower()] = below
    return tuple(found)


def _record(built: Built, line: RecipeLine, records: Sequence[CacheRecord], below: str) -> CacheRecord | None:
    known = built.cache_records.get(f"{built.dockerfile}:{line.line}")
    # All that an ONBUILD brings stands on one line, so that the text counts there, too.
    fitting = [one for one in records if (known is None or one.id in known) and describes(one, line)]
    # No builder in a container tells parents, and a linked COPY has another one than the step before.
    on_it = [one for one in fitting if below in one.parents]
    # A shared record is a layer of an image that is here.
    return max(on_it or fitting, key=lambda one: (one.is_shared, epoch_seconds(one.last_used)), default=None)
