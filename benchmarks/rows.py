"""The table of measurements: what, against what, and how far it may go."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks import building, causes, dependencies, serving
from benchmarks.options import Options
from benchmarks.samples import Goal, Measurement

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


def _code_change(service: str) -> Row:
    return Row(
        name=f"code-change-{service}",
        ours=f"`invoke build {service}` after an edit",
        theirs=f"`docker buildx bake {service}` after an edit",
        goal=Goal("ratio", 1.15),
        measure=partial(building.measure_code_change, service),
    )


def _ballast(gigabytes: float) -> Row:
    return Row(
        name=f"ballast-{gigabytes:g}",
        ours=f"code-change rebuild, {gigabytes:g} GB more in the base",
        theirs="the same without them",
        goal=Goal("ratio", 1.1),
        measure=partial(building.measure_ballast, gigabytes),
        refusal=partial(_no_room, gigabytes),
    )


ROWS = (
    Row(
        "unchanged-bases",
        "`invoke build-bases`, nothing to do",
        "the script's three builds, nothing to do",
        Goal("ratio", 0.5),
        building.measure_unchanged_bases,
    ),
    *(_code_change(service) for service in building.EDITED),
    *(_ballast(gigabytes) for gigabytes in BALLAST_GIGABYTES),
    Row(
        "answer",
        "code change → new code answers",
        "`docker compose up -d --build --wait`",
        Goal("ratio", 0.5),
        serving.measure_answer,
    ),
    Row(
        "cold",
        "cold build of everything, `invoke build`",
        "the script's builds",
        Goal("ratio", 0.7),
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
        Goal("ratio", 0.2),
        dependencies.measure_node,
    ),
    Row(
        "start-without-cache",
        "bases built by `invoke start` after `docker buildx prune -af`",
        "",
        Goal("count", 0),
        serving.measure_start_without_cache,
        _no_leave,
    ),
    Row("causes", "cause finding on 5,000 files", "", Goal("seconds", 0.3), causes.measure_causes),
)
