"""The table of measurements: what, against what, and how far it may go."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks import (
    building,
    causes,
    dependencies,
    pose_changes,
    pose_media,
    pose_photos,
    pose_rates,
    serving,
    verifying,
)
from benchmarks import random_dockerfiles as random_pairs
from benchmarks.options import Options
from benchmarks.samples import NO_LIMIT, Goal, Measurement

BALLAST_GIGABYTES = (0.4, 2, 8)


@dataclass(frozen=True)
class Row:
    """One line of the table. `refusal` says why it cannot be measured here and now; empty when it can."""

    name: str
    ours: str
    theirs: str
    goal: Goal
    measure: Callable[[Options, Goal], Measurement]
    refusal: Callable[[Options], str] = lambda _options: ""


def _no_room(gigabytes: float, _options: Options) -> str:
    return "" if building.fits_on_disk(gigabytes) else f"the disk has no room for {gigabytes:g} GB more"


def _no_leave(options: Options) -> str:
    return "" if options.may_prune else "it empties the build cache of every project here: --allow-prune"


def _code_change(name: str, theirs: str, build: building.Build, most: float, service: str) -> Row:
    return Row(
        name=f"{name}-{service}",
        ours=f"`layerstack build {service}` after an edit",
        theirs=f"`docker {theirs} {service}` after an edit",
        goal=Goal("ratio", most),
        measure=partial(building.measure_code_change, service, build),
    )


def _ballast(gigabytes: float) -> Row:
    return Row(
        name=f"ballast-{gigabytes:g}",
        ours=f"code-change rebuild, {gigabytes:g} GB more in the base",
        theirs="the same without them",
        goal=Goal("ratio", 1.05),
        measure=partial(building.measure_ballast, gigabytes),
        refusal=partial(_no_room, gigabytes),
    )


def _added_latency(share: int, limit_milliseconds: float) -> Row:
    return Row(
        name=f"pose-latency-p{share}",
        ours=f"`/pose`: added to the engine's time at half load, p{share}",
        theirs="",
        goal=Goal("amount", limit_milliseconds, "ms"),
        measure=partial(pose_rates.measure_latency, share),
    )


# The goal is a throughput of 0.92 of the bare loop's: as seconds for the same work, a ratio of 1 / 0.92.
_NEARLY_BARE = Goal("ratio", 1.087)
_SAVED = "saved `pose_service/*.py` → new code answers"
_RESTARTED = "`docker compose restart pose-service` → ready"
_POSE_ROWS = (
    Row(
        "pose-throughput",
        "photos through `/pose`, all cores",
        "a bare MediaPipe loop, all cores",
        _NEARLY_BARE,
        pose_rates.measure_throughput,
    ),
    _added_latency(50, 5),
    _added_latency(99, 20),
    Row(
        "pose-memory",
        "memory after 10,000 estimates",
        "after the first 1,000",
        Goal("ratio", 1.02, "MiB"),
        pose_rates.measure_memory,
    ),
    Row(
        "pose-video",
        "a video through `/pose/video`",
        "a bare loop that decodes and tracks",
        _NEARLY_BARE,
        pose_media.measure_video,
    ),
    Row("pose-reload", _SAVED, "", Goal("seconds", 1), pose_changes.measure_reload),
    Row("pose-reload-ratio", _SAVED, _RESTARTED, Goal("ratio", 0.2), pose_changes.measure_reload_ratio),
    Row("pose-restart", _RESTARTED, "", Goal("seconds", NO_LIMIT), pose_changes.measure_restart),
    Row(
        "pose-image",
        "the CPU image of the pose service",
        "",
        Goal("amount", NO_LIMIT, "MB"),
        pose_changes.measure_image,
    ),
    Row(
        "pose-photos",
        "labelled photos: people missed or made up",
        "plain MediaPipe on the same photos",
        Goal("ratio", 1, "people"),
        pose_photos.measure_photos,
        pose_photos.refuse_photos,
    ),
    Row(
        "pose-steadiness",
        "values that move by more than their stated error when a photo is mirrored, scaled, framed, turned by 5°, "
        "compressed, darkened or brightened",
        "",
        Goal("amount", 10, "%"),
        pose_photos.measure_steadiness,
        pose_photos.refuse_photos,
    ),
    Row("pose-fuzz", "damaged files that end in no named error", "", Goal("count", 0), pose_media.measure_fuzz),
)


ROWS = (
    Row(
        "unchanged-bases",
        "`layerstack build-bases`, nothing to do",
        "the script's three builds, nothing to do",
        Goal("ratio", 0.65),
        building.measure_unchanged_bases,
    ),
    Row(
        "unchanged",
        "`layerstack build`, nothing to do",
        "`docker compose build`, nothing to do",
        Goal("ratio", 1.2),
        building.measure_unchanged,
    ),
    Row(
        "large-context",
        "`layerstack build`, nothing to do, a context of 100,000 files",
        "`docker compose build`, nothing to do",
        Goal("ratio", 1.1),
        building.measure_large_context,
    ),
    *(_code_change("code-change", "buildx bake", building.bake, 1.2, one) for one in building.EDITED),
    *(
        _code_change("code-change-compose", "compose build", building.compose_build, 1.1, one)
        for one in building.EDITED
    ),
    *(_ballast(gigabytes) for gigabytes in BALLAST_GIGABYTES),
    Row(
        "misread-dockerfiles",
        "changes that our reading of Dockerfiles misses in 2,000 random pairs",
        "BuildKit",
        Goal("count", 0),
        random_pairs.measure_misread,
    ),
    Row(
        "answer",
        "edit → the new code answers, `layerstack build X up X`",
        "`docker compose up -d --build --wait`",
        Goal("ratio", 0.6),
        serving.measure_answer,
    ),
    Row(
        "start",
        "`layerstack start` when all is well",
        "`docker compose up -d --build --wait`",
        Goal("ratio", 0.6),
        serving.measure_start,
    ),
    Row(
        "cold",
        "cold build of everything, `layerstack build`",
        "the script's builds",
        Goal("ratio", 0.65),
        building.measure_cold,
    ),
    Row(
        "python-dependency",
        "one more Python dependency",
        "the same step, pip without cache mount",
        Goal("ratio", 0.2),
        dependencies.measure_python,
    ),
    Row(
        "node-dependency",
        "one more npm dependency",
        "the same step without cache mount",
        Goal("ratio", 0.5),
        dependencies.measure_node,
    ),
    Row(
        "start-without-cache",
        "bases built by `layerstack start` after `docker buildx prune -af`",
        "",
        Goal("count", 0),
        serving.measure_start_without_cache,
        _no_leave,
    ),
    Row(
        "verify",
        "`layerstack verify` of the healthy stack, with one real estimate",
        "the same checks with curl, one after another",
        Goal("ratio", 1.0),
        verifying.measure_verify,
    ),
    Row("causes", "cause finding on 5,000 files", "", Goal("seconds", 0.3), causes.measure_causes),
    *_POSE_ROWS,
)
