"""Everybody in one image: one model sees who is there, another one places the points."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Optional

from pose_service.contract.engine import Person, Pixels, PoseEngine
from pose_service.contract.region import Detection
from pose_service.contract.region_engine import RegionEngine, RegionEstimate
from pose_service.contract.sighting import Sighting
from pose_service.finding.merge import is_same_person, is_seen_as, shows_head
from pose_service.finding.mirror_image import estimate_mirror_image, merge_views
from pose_service.finding.placing import Passes, place
from pose_service.finding.sightings import sight
from pose_service.finding.tiles import Tile, halves, plan

# Sightings that are looked at for each person wanted: some are nobody, or somebody twice.
SIGHTINGS_PER_PERSON = 2
# Close up, where the body is cut off, MediaPipe's detector finds some whom MultiPose misses; of smaller ones half are
# nobody.
CLOSE_UP_PIXELS = 240
# Where somebody is as clear as this it has never found another one on the labelled photos.
CLEAR_SCORE = 0.9
# A head and shoulders are less high, and clear all the same: on the labelled photos this adds nobody false.
PORTRAIT_HEAD, PORTRAIT_SCORE = 0.15, 0.7
# In a group some are hidden from one look at everything: six is the most that the model tells apart.
GROUP, GROUP_SIGHTING = 4, 0.12


@dataclass(frozen=True)
class FindOptions:
    """max_people: the best so many. min_score: 0-1. max_passes: how often a model may run on one image.

    is_small: look for small people too, in tiles, which takes several times as long.
    """

    max_people: int = 8
    min_score: float = 0.5
    max_passes: int = 64
    is_small: bool = False


@dataclass(frozen=True)
class FoundPeople:
    """people: best score first. passes: calls of a model. smallest_pixels: shorter people were not looked for."""

    people: tuple[Person, ...]
    passes: int
    milliseconds: float
    smallest_pixels: Optional[float] = None


def find_people(engine: PoseEngine, rgb: Pixels, options: FindOptions) -> FoundPeople:
    """Find up to `max_people` in an (H, W, 3) RGB image, each once. Raises EngineFailedError.

    The cost is bounded by `max_passes` calls of a model of 20-60 ms each on one core. An engine that finds everybody
    itself is called once.
    """
    started = time.perf_counter()
    if isinstance(engine, RegionEngine):
        search = Search(engine, rgb, options)
        people, smallest = [each.person for each in search.estimates()], search.smallest_pixels
        passes = search.passes.count
    else:
        people = [person for person in engine.estimate(rgb) if person.score >= options.min_score]
        passes, smallest = 1, None
    return FoundPeople(tuple(people[: options.max_people]), passes, (time.perf_counter() - started) * 1000, smallest)


class Search:
    """One search in one image, and what it has cost so far."""

    def __init__(self, engine: RegionEngine, rgb: Pixels, options: FindOptions) -> None:
        self.passes = Passes(options.max_passes)
        self._engine = engine
        self._rgb = rgb
        self._options = options
        most_tiles = options.max_passes // 2 if options.is_small else 1
        self._grids = plan(rgb.shape[1], rgb.shape[0], max(1, most_tiles))
        self.smallest_pixels = self._grids[-1].smallest_pixels

    def estimates(self) -> list[RegionEstimate]:
        """Everybody, best score first, with the region to look in next."""
        kept: list[RegionEstimate] = []
        for sighting in self._sightings():
            if len(kept) == self._options.max_people or not self.passes.is_left:
                break
            if not any(is_seen_as(sighting, each.person) for each in kept):
                found = place(self._engine, self._rgb, sighting, self._options.min_score, self.passes)
                self._keep(found, kept)
        if len(kept) < self._options.max_people and not any(each.person.score >= CLEAR_SCORE for each in kept):
            for detection in self._heads():
                self._keep(self._close_up(detection, kept), kept)
        return sorted(kept, key=lambda each: -each.person.score)[: self._options.max_people]

    def _sightings(self) -> list[Sighting]:
        """Likeliest first."""
        seen = [each for grid in self._grids for tile in grid.tiles for each in self._seen_in(tile)]
        if len(self._grids) == 1 and self._is_group(seen):
            seen += [each for tile in halves(self._rgb.shape[1], self._rgb.shape[0]) for each in self._seen_in(tile)]
        seen.sort(key=lambda each: -each.score)
        return seen[: SIGHTINGS_PER_PERSON * self._options.max_people]

    def _is_group(self, seen: list[Sighting]) -> bool:
        clear = sum(each.score >= GROUP_SIGHTING for each in seen)
        return min(clear, self._options.max_people) >= GROUP and self.passes.count + 2 < self.passes.most

    def _seen_in(self, tile: Tile) -> list[Sighting]:
        self.passes.take()
        return sight(self._engine, self._rgb, tile)

    def _keep(self, found: Optional[RegionEstimate], kept: list[RegionEstimate]) -> None:
        if found is not None and not any(is_same_person(found.person, each.person) for each in kept):
            kept.append(found)

    def _heads(self) -> Iterator[Detection]:
        if min(self._rgb.shape[:2]) >= CLOSE_UP_PIXELS and self.passes.is_left:
            self.passes.take()
            yield from self._engine.detect(self._rgb)

    def _close_up(self, detection: Detection, kept: list[RegionEstimate]) -> Optional[RegionEstimate]:
        """Whoever has this head, unless somebody is known to have it."""
        is_known = any(shows_head(each.person, detection) for each in kept)
        if is_known or detection.score < self._options.min_score or not self.passes.is_left:
            return None
        self.passes.take()
        found = self._engine.estimate_region(self._rgb, detection.region)
        if found is None or not shows_head(found.person, detection):
            return None
        is_portrait = detection.score >= PORTRAIT_SCORE and self._head_share(detection) >= PORTRAIT_HEAD
        if found.person.box[3] - found.person.box[1] < CLOSE_UP_PIXELS and not is_portrait:
            return None
        person = replace(found.person, score=detection.score)
        if self.passes.is_left:
            self.passes.take()
            mirror = estimate_mirror_image(self._engine, self._rgb, detection.region)
            person = person if mirror is None else merge_views(person, mirror)
        return replace(found, person=person)

    def _head_share(self, detection: Detection) -> float:
        """Height of the head in shares of the image's longer side."""
        return float(detection.head[3] - detection.head[1]) / max(self._rgb.shape[:2])
