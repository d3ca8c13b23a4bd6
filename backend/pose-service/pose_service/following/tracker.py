"""Finds the people of a video frame by frame and keeps their numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from typing import Optional

import numpy as np

from pose_service.contract import coco
from pose_service.contract.engine import Person, Pixels, PoseEngine
from pose_service.contract.region_engine import RegionEngine, RegionEstimate
from pose_service.contract.sighting import Sighting
from pose_service.finding.merge import is_same_person, is_seen_as
from pose_service.finding.people_finder import FindOptions, Search
from pose_service.finding.placing import Passes, place, place_again
from pose_service.following.appearance import colours
from pose_service.following.background import Background, CameraMotion
from pose_service.following.track import (
    LONGEST_UNSEEN_SECONDS,
    MEMORY_SECONDS,
    SHRINKING,
    Track,
    TrackedPerson,
    box_size,
    closest,
    joints,
    known_again,
    step_sizes,
)

# A sighting of somebody who is followed may be this faint: the place is known, and in the air riders are hard to see.
FAINTEST = 0.05
# Who is new has to be clearer, or lost a moment ago.
FAINTEST_NEW = 0.12
# New people that are placed in one frame: a crowd arrives over several.
NEW_PER_FRAME = 2
# Somebody new is answered when still seen after a while: shadows and flags last for less.
PROBATION_SECONDS = 0.3
# Nobody is followed: every so many frames the image is searched as a photo is, for close-ups too.
SEARCH_EVERY_FRAMES = 10
# Of the minimal score: whoever is followed may fall so far before the answer leaves him out.
SCORE_KEPT = 0.5


class Tracker:
    """One video, frames in order, all of one size.

    The first frame is searched as a photo is. After that the detector sees every frame; its sightings confirm those who
    are followed, and the keypoint model places them. Who was lost is known again by clothes and size.
    """

    def __init__(self, engine: PoseEngine, options: FindOptions) -> None:
        self._engine = engine
        self._options = options
        self._numbers = count(1)
        self._frames = count()
        self._live: list[Track] = []
        self._lost: list[Track] = []
        self._background = Background()
        self.camera: Optional[CameraMotion] = None

    def estimate(self, rgb: Pixels, time_seconds: float) -> tuple[TrackedPerson, ...]:
        """Everybody in this (H, W, 3) frame, in the order of their numbers. Raises EngineFailedError.

        `camera` is then the motion since the frame before.
        """
        if isinstance(self._engine, RegionEngine):
            self.camera = self._background.measure(rgb, [track.person.box for track in self._live])
            self._follow(self._engine, rgb, time_seconds)
        else:
            self._lost = [track for track in self._lost if time_seconds - track.seen_at <= MEMORY_SECONDS]
            self._match(self._engine.estimate(rgb), time_seconds)
        self._live.sort(key=lambda track: track.id)
        least = self._options.min_score * SCORE_KEPT
        shown = [track for track in self._live if track.is_shown and track.person.score >= least]
        return tuple(TrackedPerson(track.id, track.person) for track in shown)

    def _follow(self, engine: RegionEngine, rgb: Pixels, time_seconds: float) -> None:
        frame = next(self._frames)
        if frame == 0 or (not self._live and frame % SEARCH_EVERY_FRAMES == 0):
            for found in Search(engine, rgb, self._options).estimates():
                self._welcome(rgb, found, time_seconds, is_sure=True)
            return
        sightings = [each for each in engine.sight(rgb) if each.score >= FAINTEST]
        self._expect(time_seconds)
        before, self._live = self._live, []
        pairs = self._pair(before, sightings, time_seconds)
        for track in sorted(before, key=lambda item: item.id):
            self._update(engine, rgb, track, pairs.get(track.id), time_seconds)
        taken = [id(each) for each in pairs.values()]
        self._look_for_new(engine, rgb, (each for each in sightings if id(each) not in taken), time_seconds)

    def _expect(self, time_seconds: float) -> None:
        """Move everybody's joints to where they should be by now: with the background, and on as before."""
        for track in self._live:
            points = joints(track.person)
            moved = points if self.camera is None else self.camera.move(points)
            track.points = moved + track.speed * (time_seconds - track.updated_at)

    def _pair(self, tracks: list[Track], sightings: list[Sighting], time_seconds: float) -> dict[int, Sighting]:
        """By the number of the track; the closest first, and of equally close ones the clearer sighting."""
        steps = []
        for track in tracks:
            for place_, each in enumerate(sightings):
                step = step_sizes(track, each, time_seconds)
                if step is not None:
                    steps.append((step - each.score, track.id, place_))
        pairs: dict[int, Sighting] = {}
        used: set[int] = set()
        for _, number, place_ in sorted(steps):
            if number not in pairs and place_ not in used:
                pairs[number] = sightings[place_]
                used.add(place_)
        return pairs

    def _update(
        self, engine: RegionEngine, rgb: Pixels, track: Track, sighting: Optional[Sighting], time_seconds: float
    ) -> None:
        region = track.region if sighting is None else sighting.region
        found = None if region is None else place_again(engine, rgb, region, sighting)
        if found is None or time_seconds - track.seen_at > LONGEST_UNSEEN_SECONDS or not self._is_new(found.person):
            # A track that slid onto somebody who has an older one ends as well.
            if track.is_shown:
                self._lost.append(track)
            return
        elapsed = time_seconds - track.updated_at
        expected, now = track.points - track.speed * elapsed, joints(found.person)
        if elapsed > 0:
            track.speed = np.median(now - expected, axis=0) / elapsed
        score, track.region = found.person.score, found.region
        track.person = replace(found.person, score=track.person.score)
        if sighting is None:
            track.doubt(time_seconds)
        else:
            track.confirm(score, time_seconds)
            track.is_shown = track.is_shown or self._is_sure(track)
            track.size = max(box_size(found.person), track.size * SHRINKING)
            track.clothes = 0.9 * track.clothes + 0.1 * colours(rgb, found.person)
        self._live.append(track)

    def _is_sure(self, track: Track) -> bool:
        """Is somebody new to be answered? Shadows, which only one of the models takes for people, are not."""
        is_old_enough = track.updated_at - track.first_at >= PROBATION_SECONDS
        is_agreed = track.person.skeleton != coco.SKELETON
        return track.person.score >= self._options.min_score and is_old_enough and is_agreed

    def _look_for_new(
        self, engine: RegionEngine, rgb: Pixels, sightings: Iterable[Sighting], time_seconds: float
    ) -> None:
        likely = [each for each in sightings if each.score >= FAINTEST_NEW]
        for sighting in sorted(likely, key=lambda each: -each.score)[:NEW_PER_FRAME]:
            if len(self._live) >= self._options.max_people:
                return
            if any(is_seen_as(sighting, track.person) for track in self._live):
                continue
            passes = Passes(self._options.max_passes)
            found = place(engine, rgb, sighting, self._options.min_score, passes)
            if found is not None and self._is_new(found.person):
                self._welcome(rgb, found, time_seconds, is_sure=False)

    def _match(self, people: list[Person], time_seconds: float) -> None:
        before, self._live = [*self._live, *self._lost], []
        self._lost = before
        for person in people[: self._options.max_people]:
            if person.score >= self._options.min_score:
                known = closest(person, self._lost)
                if known is not None:
                    self._lost.remove(known)
                number = known.id if known is not None else next(self._numbers)
                self._live.append(Track(number, person, time_seconds))

    def _welcome(self, rgb: Pixels, found: RegionEstimate, time_seconds: float, is_sure: bool) -> None:
        """Under the old number when this is somebody who was lost; is_sure: to be answered at once in any case."""
        person = found.person
        clothes = colours(rgb, person)
        known = known_again(person, clothes, self._lost, time_seconds)
        if known is not None:
            self._lost.remove(known)
        self._live.append(
            Track(
                id=known.id if known is not None else next(self._numbers),
                person=person,
                seen_at=time_seconds,
                region=found.region,
                is_shown=is_sure or known is not None,
                clothes=clothes,
                size=box_size(person),
                first_at=time_seconds if known is None else known.first_at,
                updated_at=time_seconds,
            )
        )

    def _is_new(self, person: Person) -> bool:
        return not any(is_same_person(person, track.person) for track in self._live)
