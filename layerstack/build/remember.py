"""What is written down of each built image: what it was made of, on what, and which cache records hold its steps."""

import time
from collections.abc import Mapping, Sequence

import msgspec

from layerstack.build.buildlog import Step
from layerstack.build.keep import looks_like_step
from layerstack.build.plan import PlannedImage, layers_identity, parent_layers
from layerstack.build.record import BuildRecord, ImageRecord
from layerstack.build.results import Outcome
from layerstack.build.state import ExternalImage, ImageState, StateStore
from layerstack.engine.cache_records import CacheRecord, describes, read_cache
from layerstack.engine.images import StoredImage
from layerstack.errors import EngineError
from layerstack.moment import epoch_seconds

# A record may look a little older or younger than its step.
CLOCK_SECONDS = 0.5
# What a step had made before its call was ended is in the cache a moment later, and the next build would ask for it.
ENDED_SECONDS = 0.5


def remember(
    store: StateStore,
    record: BuildRecord,
    outcome: Outcome,
    states: Mapping[str, ImageState],
    cache: Sequence[CacheRecord],
) -> None:
    """Keep how each image was built, for those that BuildKit made or that nothing was known of in `states`."""
    for one in record.images:
        planned = outcome.plan.of(one.image)
        stored = outcome.stored.get(planned.image.tag)
        # An image that was kept from the start already has its state.
        if one.action == "kept" and planned.last and one.image not in outcome.call.kept:
            store.write(_without_cache(planned.last, planned, cache))
        # BuildKit never had the steps of a pulled base, as if its cache were gone.
        elif stored and one.action == "pulled":
            store.write(_without_cache(_state(one, planned, stored, outcome, {}), planned, cache))
        elif stored and (one.action == "built" or one.image not in states):
            places = _places(planned, outcome.report.executed, cache, record.started or 0.0)
            store.write(_state(one, planned, stored, outcome, places))


def _state(
    record: ImageRecord,
    planned: PlannedImage,
    stored: StoredImage,
    outcome: Outcome,
    cache_records: Mapping[str, tuple[str, ...]],
) -> ImageState:
    return ImageState(
        tag=planned.image.tag,
        image_id=stored.id,
        manifest=planned.manifest,
        record=record,
        parent_layers=_parent_layers(record, planned, outcome),
        cache_records=cache_records,
        on_images=_on_images(planned, outcome),
        is_forced=record.image in outcome.call.without_cache,
        externals={
            name: ExternalImage(layers=one.layers, config=one.content) for name, one in planned.externals.items()
        },
    )


def _on_images(planned: PlannedImage, outcome: Outcome) -> tuple[str, ...]:
    """The parents whose stored image, and not steps, BuildKit was given."""
    used = outcome.kept | outcome.call.pulled | outcome.call.on_images.get(planned.name, frozenset())
    return tuple(sorted(used.intersection(planned.image.parents)))


def _parent_layers(record: ImageRecord, planned: PlannedImage, outcome: Outcome) -> dict[str, str]:
    """Parent → its layers. A pulled image counts as built on the parents that are here: theirs are the same inputs."""
    if record.action != "pulled":
        return parent_layers(planned, outcome.stored, outcome.plan)
    tags = {name: outcome.plan.of(name).image.tag for name in planned.image.parents}
    return {name: layers_identity(outcome.stored.get(tag)) for name, tag in tags.items()}


def _without_cache(state: ImageState, planned: PlannedImage, records: Sequence[CacheRecord]) -> ImageState:
    """The state of an image that is used as it is stored, because BuildKit does not have its steps."""
    left = tuple(record.id for record in records if looks_like_step(planned, record))
    return msgspec.structs.replace(state, is_cache_gone=True, passed_over=left)


def _places(
    planned: PlannedImage, executed: Sequence[Step], records: Sequence[CacheRecord], began: float
) -> dict[str, tuple[str, ...]]:
    """Place of a step → ids of the records that may hold its result: those that were made while it ran, else those
    that were used since the build began, else all that look like it."""
    found: dict[str, tuple[str, ...]] = {}
    for stage in planned.manifest.stages:
        for line in stage.steps:
            place = f"{planned.manifest.dockerfile}:{line.line}"
            alike = [record for record in records if describes(record, line)]
            # A build that ran before or after, when this one had to wait or was slow to look, may have made records
            # that look the same.
            made = [
                record for record in alike if any(_was_made_by(one, record) for one in executed if one.place == place)
            ]
            used = [record for record in alike if (epoch_seconds(record.last_used) or 0.0) >= began]
            if alike:
                # All that an ONBUILD brings stands on one line.
                found[place] = (*found.get(place, ()), *(one.id for one in made or used or alike))
    return found


def _was_made_by(step: Step, record: CacheRecord) -> bool:
    """Whether a step may have made the record: BuildKit makes that of a RUN at its beginning, that of a COPY later."""
    if step.started is None or step.completed is None:
        return False
    return step.started - CLOCK_SECONDS <= epoch_seconds(record.created) <= step.completed + CLOCK_SECONDS


def read_records(is_ended: bool) -> Sequence[CacheRecord]:
    """Without them an image cannot be kept later; the build is none the worse. `is_ended`: a bake call was ended."""
    if is_ended:
        time.sleep(ENDED_SECONDS)
    try:
        return read_cache().records
    except EngineError:
        return ()
