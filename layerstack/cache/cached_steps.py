"""Which record of the build cache holds which step of an image.

BuildKit does not link the two. A record matches a step when it describes the same instruction and its parent is one of
the step before; a layer of a stored image must also have been made in the second that the image's history names,
which distinguishes it from layers of other copies of the project.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from layerstack.dockerfile.image import Image, target_of
from layerstack.dockerfile.recipe import RecipeLine, RecipeStage, find_context
from layerstack.engine.cache_records import CacheRecord, describes
from layerstack.moment import epoch_seconds

# How BuildKit describes the records of an image that it loaded.
_LOADED = ("from local", "pulled from")


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
    """The stages of one image in file order, and keyword and second (since 1970) of its layers, newest first.

    `layers` is None when there is no such image, empty when the times are unknown.
    """

    image: Image
    stages: tuple[RecipeStage, ...]
    target: str = ""
    layers: tuple[tuple[str, int], ...] | None = None


@dataclass
class StepFinder:
    """Finds the steps of images among the records of one builder; call it for parents first.

    With `shares_layers` the record of a layer must be shared with an image.
    """

    records: Sequence[CacheRecord]
    shares_layers: bool = True
    _ends: dict[str, frozenset[str]] = field(default_factory=dict)

    def find(self, built: Built) -> tuple[CachedStep, ...]:
        """One entry per step, in file order."""
        chain = layer_stages(built)
        seconds = _layer_seconds(chain, built.layers or ())
        ends: dict[str, frozenset[str] | None] = {}
        found: list[CachedStep] = []
        for stage in built.stages:
            is_layer = stage.name in {one.name for one in chain}
            start = ends.get(stage.base.lower()) if stage.is_on_stage else self._start(built.image, stage, is_layer)
            candidates = list(self._candidates(stage, start, is_layer and built.layers is not None, seconds))
            ends[stage.name.lower()] = _ids(candidates[-1]) if candidates else start
            chosen = _choose(candidates)
            steps = zip(stage.steps, chosen, strict=True)
            found += [CachedStep(stage.name, line, is_layer, record) for line, record in steps]
        last = ends.get(chain[-1].name.lower()) if chain else None
        self._ends[built.image.name] = last or frozenset()
        return tuple(found)

    def _start(self, image: Image, stage: RecipeStage, is_layer: bool) -> frozenset[str] | None:
        """The possible parents of the first step; None for any."""
        end = self._ends.get(target_of(find_context(image, stage.base) or ""))
        if end is None:
            return None
        # On a stored image a step looks the same in every project; layers are told apart by image and time.
        loaded = frozenset(one.id for one in self.records if one.description.startswith(_LOADED))
        return end | loaded if is_layer else end or loaded

    def _candidates(
        self, stage: RecipeStage, start: frozenset[str] | None, is_stored: bool, seconds: Mapping[int, int]
    ) -> Iterator[tuple[CacheRecord, ...]]:
        """The candidate records of each step, each built on one of the step before."""
        # Where the builder lists no parents at all, the text of the instruction has to do.
        has_parents = any(one.parents for one in self.records)
        for line in stage.steps:
            fitting = tuple(
                one
                for one in self.records
                if describes(one, line)
                and (start is None or not has_parents or start & set(one.parents))
                and (not is_stored or self._is_layer(one, seconds.get(line.line)))
            )
            yield fitting
            # A linked COPY does not depend on the step before, so that its record may have any parent.
            start = None if "--link" in line.text else _ids(fitting)

    def _is_layer(self, record: CacheRecord, made: int | None) -> bool:
        # The history has whole seconds only.
        is_of_that_time = made is None or int(epoch_seconds(record.created)) == made
        return is_of_that_time and (record.is_shared or not self.shares_layers)


def layer_stages(built: Built) -> list[RecipeStage]:
    """The stages whose steps are layers of the image, lowest first."""
    named = {stage.name.lower(): stage for stage in built.stages}
    stage = named.get(built.target.lower()) or (built.stages[-1] if built.stages else None)
    chain: list[RecipeStage] = []
    while stage and stage not in chain:
        chain.insert(0, stage)
        stage = named.get(stage.base.lower()) if stage.is_on_stage else None
    return chain


def _layer_seconds(chain: Sequence[RecipeStage], layers: Sequence[tuple[str, int]]) -> dict[int, int]:
    """Line of a step → when its layer was made, as far as the image's history has the same instructions."""
    seconds: dict[int, int] = {}
    lines = reversed([line for stage in chain for line in stage.steps])
    for line, (keyword, made) in zip(lines, layers, strict=False):
        if keyword != line.keyword:
            break
        seconds[line.line] = made
    return seconds


def _choose(candidates: Sequence[tuple[CacheRecord, ...]]) -> list[CacheRecord | None]:
    """One record per step: the most recent chain that fits."""
    chosen: list[CacheRecord | None] = []
    above: CacheRecord | None = None
    for fitting in reversed(candidates):
        # From the last step down: a record names what it is built on, and not what is built on it.
        below = [one for one in fitting if above is None or one.id in above.parents] or fitting
        # A shared record is a layer of an image that is here.
        above = max(below, key=lambda one: (one.is_shared, epoch_seconds(one.last_used)), default=None)
        chosen.insert(0, above)
    return chosen


def _ids(records: Iterable[CacheRecord]) -> frozenset[str]:
    return frozenset(one.id for one in records)
