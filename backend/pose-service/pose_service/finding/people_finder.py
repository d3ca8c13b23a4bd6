"""Everybody in one image: the whole image first, then tiles for small people."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Optional

from pose_service.contract.engine import Person, Pixels, PoseEngine
from pose_service.contract.region import Detection
from pose_service.contract.region_engine import RegionEngine, RegionEstimate
from pose_service.finding.merge import best_score, group_detections, is_same_person, shows_head
from pose_service.finding.tiles import Grid, Tile, plan

# Heads that are looked at per person wanted: some turn out to be nobody, or somebody twice.
HEADS_PER_PERSON = 2
# Regions that are tried for one head, until one leads to keypoints on that head: a small tile may cut the body, and the
# keypoint model may deny a person in a region that is a little too large or too small.
DETECTIONS_PER_HEAD = 2
OTHER_SIZES = (0.8, 1.25)
# Below this a person has to be seen a second time.
CERTAIN_SCORE = 0.7
# Regions larger than that many tiles belong to a coarser tile: close up, a sleeve looks like a head.
LARGEST_IN_TILE = 2


@dataclass(frozen=True)
class FindOptions:
    """max_people: the best so many. min_score: 0-1. max_passes: how often a model may run on one image."""

    max_people: int = 8
    min_score: float = 0.5
    max_passes: int = 64


@dataclass(frozen=True)
class FoundPeople:
    """people: best score first. passes: calls of a model. smallest_pixels: shorter people were not looked for."""

    people: tuple[Person, ...]
    passes: int
    milliseconds: float
    smallest_pixels: Optional[float] = None


@dataclass(frozen=True)
class SearchResult:
    """estimates: best score first. passes and smallest_pixels as in FoundPeople."""

    estimates: list[RegionEstimate]
    passes: int
    smallest_pixels: float


def find_people(engine: PoseEngine, rgb: Pixels, options: FindOptions) -> FoundPeople:
    """Find up to `max_people` in an (H, W, 3) RGB image, each once. Raises EngineFailedError.

    The cost is bounded: `max_passes` calls of a model of 10-20 ms each on one core. With max_people=1 the tiles are
    only looked into when the whole image shows nobody. An engine that finds everybody itself is called once.
    """
    started = time.perf_counter()
    if isinstance(engine, RegionEngine):
        result = search(engine, rgb, options)
        people, passes = [estimate.person for estimate in result.estimates], result.passes
        smallest: Optional[float] = result.smallest_pixels
    else:
        people = [person for person in engine.estimate(rgb) if person.score >= options.min_score]
        passes, smallest = 1, None
    return FoundPeople(tuple(people[: options.max_people]), passes, (time.perf_counter() - started) * 1000, smallest)


def search(engine: RegionEngine, rgb: Pixels, options: FindOptions) -> SearchResult:
    """The same with the regions in which the people are."""
    work = _Search(engine, rgb, options)
    estimates: list[RegionEstimate] = []
    grids = plan(rgb.shape[1], rgb.shape[0], _passes_for_tiles(options))
    for grid in grids:
        work.look_in(grid)
        if options.max_people == 1:
            estimates = work.estimates()
            if estimates:
                return SearchResult(estimates, work.passes, grid.smallest_pixels)
    return SearchResult(estimates or work.estimates(), work.passes, grids[-1].smallest_pixels)


def look_in_tile(engine: RegionEngine, rgb: Pixels, tile: Tile) -> Iterator[Detection]:
    """One pass: who is seen in this part of the image, in pixels of the image."""
    part = rgb[tile.y0 : tile.y1, tile.x0 : tile.x1]
    shift = (tile.x0, tile.y0, tile.x0, tile.y0)
    is_whole = part.shape == rgb.shape
    for item in engine.detect(part):
        if is_whole or item.region.side <= LARGEST_IN_TILE * max(part.shape):
            yield replace(item, head=item.head + shift, region=item.region.moved(tile.x0, tile.y0))


def estimate_detections(
    engine: RegionEngine, rgb: Pixels, detections: list[Detection], options: FindOptions
) -> list[RegionEstimate]:
    """Who was detected, each once, best score first."""
    wanted = [each for each in detections if each.score >= options.min_score]
    return _Search(engine, rgb, options, detections=wanted).estimates()


@dataclass
class _Search:
    """One search, and what it has cost so far."""

    engine: RegionEngine
    rgb: Pixels
    options: FindOptions
    passes: int = 0
    detections: list[Detection] = field(default_factory=list)
    smallest_pixels: float = 0.0

    def look_in(self, grid: Grid) -> None:
        self.smallest_pixels = grid.smallest_pixels
        for tile in grid.tiles:
            self.passes += 1
            found = look_in_tile(self.engine, self.rgb, tile)
            self.detections += [item for item in found if item.score >= self.options.min_score]

    def estimates(self) -> list[RegionEstimate]:
        kept: list[RegionEstimate] = []
        for group in group_detections(self.detections)[: HEADS_PER_PERSON * self.options.max_people]:
            found = self._estimate(group)
            if found and not any(is_same_person(found.person, other.person) for other in kept):
                kept.append(found)
            if len(kept) == self.options.max_people:
                break
        return kept

    def _estimate(self, group: list[Detection]) -> RegionEstimate | None:
        first = group[0].region
        regions = [detection.region for detection in group[:DETECTIONS_PER_HEAD]]
        for region in [*regions, *(replace(first, side=first.side * ratio) for ratio in OTHER_SIZES)]:
            if self.passes >= self.options.max_passes:
                break
            self.passes += 1
            estimate = self.engine.estimate_region(self.rgb, region)
            if estimate is not None and shows_head(estimate.person, group[0]) and self._is_confirmed(estimate, group):
                return replace(estimate, person=replace(estimate.person, score=best_score(group)))
        return None

    def _is_confirmed(self, estimate: RegionEstimate, group: list[Detection]) -> bool:
        """Is the person still there from where the keypoints say? Folds of a flag are not, nor is a knob."""
        if best_score(group) >= CERTAIN_SCORE:
            return True
        if estimate.person.box[3] - estimate.person.box[1] < self.smallest_pixels:
            return False
        if self.passes >= self.options.max_passes:
            return False
        self.passes += 1
        again = self.engine.estimate_region(self.rgb, estimate.region)
        return again is not None and shows_head(again.person, group[0])


def _passes_for_tiles(options: FindOptions) -> int:
    """The keypoint model keeps a share of the passes: one for each person, at most half of all."""
    return max(1, options.max_passes - min(options.max_people, options.max_passes // 2))
