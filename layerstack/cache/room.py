"""Frees disk space: removes the bytes that are cheapest to rebuild."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from layerstack import command
from layerstack.build import history
from layerstack.build.step_text import instruction_of, one_line
from layerstack.cache.builder import Builder, read_builder, read_use
from layerstack.cache.cache_report import read_report
from layerstack.cache.clean_up import find_old_images, named
from layerstack.cache.eviction import leaves_first
from layerstack.cache.gc_policy import parse_printed_size
from layerstack.engine import engine, images
from layerstack.engine.cache_records import CacheRecord, without_step
from layerstack.engine.disk_use import read_disk_use
from layerstack.engine.images import StoredImage
from layerstack.errors import NoRoom, UsageError
from layerstack.project.project import Project
from layerstack.wording import duration, megabytes, short

SHOWN = 3
# Per call: the length of a command line is limited.
MOST_IDS = 200
# A chain of records loses one record a round.
ROUNDS = 50
# The history keeps only the beginning of a long instruction.
COMPARED_CHARACTERS = 50
# Files that the next build sends again.
FREE_KINDS = ("source.local",)
# `mount / from exec /bin/bash -euo pipefail -c npm ci`
_RUN = re.compile(r"^mount / from exec (?:/\S+ (?:-\w+ |pipefail )*?-\w*c )?(?P<command>.*)$")


class StepCosts:
    """Reads the histories of all projects of this user once; a step costs the median of its runs."""

    def __init__(self) -> None:
        runs: dict[str, list[float]] = {}
        for build in history.read_all_builds():
            for step in (step for image in build.images for step in image.executed):
                runs.setdefault(_key(step.text if isinstance(step.text, str) else step.step), []).append(step.seconds)
        self._seconds = {key: median(found) for key, found in runs.items()}

    def of(self, record: CacheRecord) -> float | None:
        """Seconds to rebuild it; None where no recorded build ran its step."""
        if record.kind in FREE_KINDS:
            return 0.0
        if record.kind != "regular":
            return None
        # With a number like the names of steps in the history, so that both keys are made in the same way.
        return self._seconds.get(_key(f"1/1 {instruction_in(record)}"))


@dataclass(frozen=True)
class RoomPlan:
    """What will be removed. `seconds` is the known time to rebuild it, `unknown_count` the records of unknown time.

    `kept` are the records that stay in any case, `layers` those that are layers of images before any is removed.
    `lacking_bytes` is what is still missing afterwards.
    """

    wanted_bytes: int
    free_bytes: int | None
    builder: Builder
    images: tuple[StoredImage, ...] = ()
    records: tuple[CacheRecord, ...] = ()
    freed_bytes: int = 0
    seconds: float = 0.0
    unknown_count: int = 0
    kept: frozenset[str] = frozenset()
    layers: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        return not self.images and not self.records

    @property
    def lacking_bytes(self) -> int:
        return max(0, self.wanted_bytes - (self.free_bytes or 0) - self.freed_bytes)

    def to_json(self) -> dict[str, Any]:
        return {
            "images": [image.id for image in self.images],
            "records": [record.id for record in self.records],
            "bytes": self.freed_bytes,
            "seconds_to_build_again": round(self.seconds, 3),
            "records_of_unknown_time": self.unknown_count,
            "lacking_bytes": self.lacking_bytes,
        }

    def sentences(self) -> list[str]:
        """What will be lost and what it costs, for the confirmation prompt."""
        lines = [f"{named(image)}, with the build cache that only it holds" for image in self.images]
        if self.records:
            unknown = f", and {self.unknown_count} of unknown time" if self.unknown_count else ""
            cost = f"{duration(self.seconds)} to build again{unknown}"
            lines.append(f"{len(self.records)} records of build cache, the cheapest ones: {cost}")
            largest = sorted(self.records, key=lambda one: -one.size_bytes)[:SHOWN]
            lines += [f"  of it {megabytes(one.size_bytes)}: {short(instruction_in(one), 40)}" for one in largest]
        if lines:
            lines.append(f"{megabytes(self.freed_bytes)} in all; bases and images of other stacks are kept")
        return lines


def parse_size(text: str) -> int:
    """`20GB`, `1.5 GiB` in bytes. Raises UsageError."""
    try:
        # `20` would be bytes, which nobody means and every disk has.
        if text.strip()[-1:].isdigit():
            raise ValueError(f"`{text}` has no unit")
        return parse_printed_size(text.replace(" ", ""))
    except (ValueError, KeyError) as error:
        raise UsageError(f"--need takes a size, not `{text}`.", "Write `20GB` or `500MB`.") from error


def plan_room(project: Project, wanted_bytes: int) -> RoomPlan:
    """What to remove until this much of the engine's disk is free; of a remote disk this much is removed.

    Replaced images go first, as they are never rebuilt. Cache of current bases and layers of images stay. Raises
    EngineError.
    """
    free_bytes = engine.read_facts().disk_free_bytes
    missing = wanted_bytes - (free_bytes or 0)
    if missing <= 0:
        return RoomPlan(wanted_bytes, free_bytes, read_builder())
    report = read_report(project)
    chosen_images, freed = _choose_images(find_old_images(project), missing)
    costs = StepCosts()
    seconds = {record.id: costs.of(record) for record in report.use.records}
    chosen = tuple(choose(report.use.records, seconds, report.base_records, missing - freed))
    known = [seconds[record.id] for record in chosen]
    return RoomPlan(
        wanted_bytes,
        free_bytes,
        report.builder,
        chosen_images,
        chosen,
        freed + sum(record.size_bytes for record in chosen),
        sum(one for one in known if one is not None),
        known.count(None),
        report.base_records,
        frozenset(record.id for record in report.use.records if record.is_shared),
    )


def choose(
    records: Sequence[CacheRecord], seconds: Mapping[str, float | None], kept: frozenset[str], missing_bytes: int
) -> Iterator[CacheRecord]:
    """The records with the fewest seconds per byte, until enough is found; each after all that are built on it.

    A record of unknown time gets the median rate.
    """
    # Shared records are layers of images: their bytes stay as long as the image does.
    takeable = [one for one in records if not one.is_in_use and not one.is_shared and one.id not in kept]
    rates = {one.id: _rate(seconds[one.id], one) for one in takeable}
    # The median, so that a record without a history goes neither first nor last.
    usual = median([rate for rate in rates.values() if rate is not None] or [0.0])
    ranks = {name: usual if rate is None else rate for name, rate in rates.items()}
    for one in leaves_first(records, ranks):
        if missing_bytes <= 0:
            return
        missing_bytes -= one.size_bytes
        yield one


def make_room(plan: RoomPlan) -> str:
    """Carry out the plan and return a summary. Raises NoRoom when less is free than requested."""
    if plan.is_empty and not plan.lacking_bytes:
        return f"{megabytes(plan.free_bytes or 0)} are free already"
    before = read_use(plan.builder).total_bytes
    images.remove(image.id for image in plan.images)
    chosen = [record.id for record in plan.records]
    remove_records([*chosen, *(_left_by_images(plan) if plan.images else ())], plan.builder)
    freed = megabytes(max(0, before - read_use(plan.builder).total_bytes))
    free_bytes = engine.read_facts().disk_free_bytes
    said = f"removed {len(plan.images)} images and {freed} of build cache"
    if free_bytes is None:
        return said
    now = f"{megabytes(free_bytes)} are free now"
    if free_bytes < plan.wanted_bytes:
        raise NoRoom(f"{said}: {now}.", "`invoke clean --all` takes the rest; `invoke stacks` shows what stacks hold.")
    return f"{said}: {now}"


def _left_by_images(plan: RoomPlan) -> Iterator[str]:
    """Records that were layers of the removed images alone: BuildKit holds the bytes until these go, too."""
    for record in read_use(plan.builder).records:
        if record.id in plan.layers and not record.is_shared and not record.is_in_use and record.id not in plan.kept:
            yield record.id


def remove_records(ids: Sequence[str], builder: Builder) -> None:
    """Remove records in as many rounds as needed: BuildKit drops a record only after those built on it."""
    left = list(ids)
    for _ in range(ROUNDS):
        # Many ids in one call, as every call looks through the engine's whole cache.
        for start in range(0, len(left), MOST_IDS):
            expression = f"id=^({'|'.join(left[start : start + MOST_IDS])})$"
            command.run(("docker", "buildx", "prune", "--force", "--all", "--filter", expression)).require()
        there = {record.id for record in read_use(builder).records}
        before, left = len(left), [name for name in left if name in there]
        if not left or len(left) == before:
            return


def _choose_images(old: Iterable[StoredImage], missing_bytes: int) -> tuple[tuple[StoredImage, ...], int]:
    """Untagged images until enough is found, and the bytes that they do not share with others."""
    listed = read_disk_use("image")["image"]
    # The engine says -1 where it has not counted. Layers that other images share stay when the image goes.
    own = {str(one["Id"]): max(0, int(one["Size"]) - max(0, int(one["SharedSize"]))) for one in listed}
    chosen: list[StoredImage] = []
    freed = 0
    # The largest first, so that few are removed.
    for image in sorted(old, key=lambda one: -own.get(one.id, 0)):
        if freed < missing_bytes and own.get(image.id):
            chosen.append(image)
            freed += own[image.id]
    return tuple(chosen), freed


def _rate(seconds: float | None, record: CacheRecord) -> float | None:
    return None if seconds is None else seconds / max(1, record.size_bytes)


def instruction_in(record: CacheRecord) -> str:
    """The instruction in its description, such as `RUN npm ci` or `COPY . .`."""
    text = one_line(record.description)
    run = _RUN.match(text)
    return f"RUN {run['command']}" if run else without_step(text)


def _key(step: str) -> str:
    return instruction_of(step)[:COMPARED_CHARACTERS]
