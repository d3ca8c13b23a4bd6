"""People who are followed from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Optional

import numpy as np

from pose_service.contract.engine import Floats, Person
from pose_service.contract.region import Region
from pose_service.contract.sighting import Sighting
from pose_service.finding.likelihood import COMPARED, seventeen
from pose_service.finding.merge import area, overlap
from pose_service.following.appearance import likeness

# With an engine that finds everybody itself: somebody hidden by a tree comes back within that time, near that place.
MEMORY_SECONDS = 1.0
NEAR = 1.0
# The score of a followed person becomes that of the last sightings within about that time, and half in it without any.
SETTLING_SECONDS = 0.2
HALVING_SECONDS = 0.25
# The keypoint model sees bodies where nobody is: without the detector's word nobody is followed for longer.
LONGEST_UNSEEN_SECONDS = 0.7
# From frame to frame joints move by less than this, in sizes of the person; after a while unseen by more.
FARTHEST_STEP = 0.6
FARTHER_PER_SECOND = 1.0
SHRINKING = 0.95
# Likeness of clothes, with what being lost just now (RECENT) and having been followed for long (LONG) add to it.
SAME_CLOTHES = 0.8
RECENT = 0.3
LONG = 0.3
LARGEST_GROWTH = 3.0


@dataclass(frozen=True)
class TrackedPerson:
    """A person and the number that stays the same through the video, from 1."""

    id: int
    person: Person


@dataclass
class Track:
    """region: where to look in the next frame; None with an engine that finds everybody itself.

    seen_at: when the detector last saw the person. is_shown: sure enough to be answered. clothes: see `colours`.
    points: (17, 2), where the joints are expected in this frame. size: side of a square as large as the box, in pixels;
    it shrinks slowly, because a crouch or a bad frame makes nobody small.
    """

    id: int
    person: Person
    seen_at: float
    region: Optional[Region] = None
    is_shown: bool = True
    clothes: Floats = field(default_factory=lambda: np.zeros(0))
    points: Floats = field(default_factory=lambda: np.zeros((0, 2)))
    speed: Floats = field(default_factory=lambda: np.zeros(2))
    size: float = 0.0
    first_at: float = 0.0
    updated_at: float = 0.0

    def confirm(self, likelihood: float, time_seconds: float) -> None:
        """The detector saw the person again."""
        elapsed = max(0.0, time_seconds - self.updated_at)
        share = elapsed / (elapsed + SETTLING_SECONDS)
        self._score(self.person.score + share * (likelihood - self.person.score))
        self.seen_at = self.updated_at = time_seconds

    def doubt(self, time_seconds: float) -> None:
        """The detector did not see the person."""
        self._score(self.person.score * 0.5 ** (max(0.0, time_seconds - self.updated_at) / HALVING_SECONDS))
        self.updated_at = time_seconds

    def _score(self, score: float) -> None:
        self.person = replace(self.person, score=score)


def step_sizes(track: Track, sighting: Sighting, time_seconds: float) -> Optional[float]:
    """How far the joints are from where this person's are expected, in sizes of the person.

    None when that is too far for one person.
    """
    distances = np.linalg.norm(track.points[COMPARED] - sighting.keypoints[COMPARED], axis=1)
    step = float(np.median(distances)) / max(1.0, track.size)
    most = FARTHEST_STEP + FARTHER_PER_SECOND * (time_seconds - track.seen_at)
    return step if step < most else None


def known_again(person: Person, clothes: Floats, lost: Sequence[Track], time_seconds: float) -> Optional[Track]:
    """Who of those who were lost this is: about the same size and the same clothes, wherever in the image.

    Whoever was followed for longer is likelier to be the one, and whoever was lost a moment ago may differ more.
    """
    size = box_size(person)
    best: tuple[float, Optional[Track]] = (SAME_CLOTHES, None)
    for track in lost:
        ratio = size / max(1.0, track.size)
        if not 1 / LARGEST_GROWTH < ratio < LARGEST_GROWTH:
            continue
        recency = 1 / (1 + (time_seconds - track.seen_at) / MEMORY_SECONDS)
        length = min(1.0, (track.seen_at - track.first_at) / MEMORY_SECONDS)
        alike = likeness(clothes, track.clothes) + RECENT * recency + LONG * length
        if alike > best[0]:
            best = (alike, track)
    return best[1]


def box_size(person: Person) -> float:
    """Side of a square as large as the box, in pixels."""
    return float(np.sqrt(area(person.box)))


def joints(person: Person) -> Floats:
    """(17, 2), whatever skeleton the person has."""
    return seventeen(person)


def closest(person: Person, tracks: Sequence[Track]) -> Track | None:
    """The track whose last place fits this person best; None when none is near and of similar size."""
    return max(
        (track for track in tracks if _is_near(person, track.person)),
        key=lambda track: overlap(person.box, track.person.box),
        default=None,
    )


def _is_near(first: Person, second: Person) -> bool:
    if overlap(first.box, second.box) > 0.3:
        return True
    sizes = sorted(np.sqrt([area(first.box), area(second.box)]))
    centres = [(each.box[:2] + each.box[2:]) / 2 for each in (first, second)]
    distance = float(np.linalg.norm(centres[0] - centres[1]))
    return bool(sizes[0] > 0.5 * sizes[1] and distance < NEAR * sizes[1])
