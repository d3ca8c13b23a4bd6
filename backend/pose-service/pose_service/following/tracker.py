"""Finds the people of a video frame by frame and keeps their numbers."""

from __future__ import annotations

from dataclasses import replace
from itertools import count, cycle
from typing import Optional

from pose_service.contract.engine import Person, Pixels, PoseEngine
from pose_service.contract.region import Region
from pose_service.contract.region_engine import RegionEngine, RegionEstimate
from pose_service.finding.merge import is_same_person, shows_head
from pose_service.finding.people_finder import FindOptions, estimate_detections, look_in_tile, search
from pose_service.finding.tiles import Tile, plan
from pose_service.following.track import MEMORY_SECONDS, Track, TrackedPerson, closest

# One pass of the detector every so many frames while somebody is followed: a tenth of the time or less.
LOOK_EVERY_FRAMES = 5
# At the beginning in every frame: who is missed in one is mostly seen in the next.
FIRST_FRAMES = 6


class Tracker:
    """One video, frames in order, all of one size.

    The first frame is searched as a photo is. After that each person is looked for where the frame before leaves off,
    and now and then a pass of the detector looks for new ones, in the whole image and in one tile after the other.
    """

    def __init__(self, engine: PoseEngine, options: FindOptions) -> None:
        self._engine = engine
        self._options = options
        self._numbers = count(1)
        self._frames = count()
        self._live: list[Track] = []
        self._lost: list[Track] = []
        self._tiles: Optional[cycle[Tile]] = None

    def estimate(self, rgb: Pixels, time_seconds: float) -> tuple[TrackedPerson, ...]:
        """Everybody in this (H, W, 3) frame, in the order of their numbers. Raises EngineFailedError."""
        self._lost = [track for track in self._lost if time_seconds - track.seen_at <= MEMORY_SECONDS]
        if isinstance(self._engine, RegionEngine):
            self._follow(self._engine, rgb, time_seconds)
            self._look(self._engine, rgb, time_seconds)
        else:
            self._match(self._engine.estimate(rgb), time_seconds)
        self._live.sort(key=lambda track: track.id)
        return tuple(TrackedPerson(track.id, track.person) for track in self._live)

    def _follow(self, engine: RegionEngine, rgb: Pixels, time_seconds: float) -> None:
        before, self._live = self._live, []
        for track in sorted(before, key=lambda item: item.id):
            estimate = engine.estimate_region(rgb, track.region) if track.region else None
            if estimate is None:
                self._lost.append(track)
            elif self._is_new(estimate.person):
                # A track that slid onto somebody who has an older one is dropped.
                person = replace(estimate.person, score=track.person.score)
                self._live.append(Track(track.id, person, time_seconds, estimate.region))

    def _look(self, engine: RegionEngine, rgb: Pixels, time_seconds: float) -> None:
        frame = next(self._frames)
        places = self._options.max_people - len(self._live)
        if places <= 0:
            return
        if frame == 0:
            found = search(engine, rgb, self._options).estimates
        elif not self._live or frame % LOOK_EVERY_FRAMES == 0 or frame < FIRST_FRAMES:
            found = self._glance(engine, rgb, is_whole=frame % 2 == 0)
        else:
            return
        for estimate in found[:places]:
            if self._is_new(estimate.person):
                self._welcome(estimate.person, time_seconds, estimate.region)

    def _glance(self, engine: RegionEngine, rgb: Pixels, is_whole: bool) -> list[RegionEstimate]:
        """One pass of the detector, and the other model for each head that nobody followed has."""
        height, width = rgb.shape[:2]
        if self._tiles is None:
            self._tiles = cycle([tile for grid in plan(width, height, self._options.max_passes) for tile in grid.tiles])
        tile = Tile(0, 0, width, height) if is_whole else next(self._tiles)
        seen = look_in_tile(engine, rgb, tile)
        unknown = [each for each in seen if not any(shows_head(track.person, each) for track in self._live)]
        return estimate_detections(engine, rgb, unknown, self._options)

    def _match(self, people: list[Person], time_seconds: float) -> None:
        before, self._live = [*self._live, *self._lost], []
        self._lost = before
        for person in people[: self._options.max_people]:
            if person.score >= self._options.min_score:
                self._welcome(person, time_seconds, None)

    def _welcome(self, person: Person, time_seconds: float, region: Optional[Region]) -> None:
        """Under the old number when this is somebody who was lost a moment ago."""
        known = closest(person, self._lost)
        if known is not None:
            self._lost.remove(known)
        number = known.id if known is not None else next(self._numbers)
        self._live.append(Track(number, person, time_seconds, region))

    def _is_new(self, person: Person) -> bool:
        return not any(is_same_person(person, track.person) for track in self._live)
