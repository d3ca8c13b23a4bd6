"""People who are followed from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

import numpy as np

from pose_service.contract.engine import Person
from pose_service.contract.region import Region
from pose_service.finding.merge import area, overlap

# A rider hidden by a gate or a tree comes back within that time, near the place where he went.
MEMORY_SECONDS = 1.0
NEAR = 1.0


@dataclass(frozen=True)
class TrackedPerson:
    """A person and the number that stays the same through the video, from 1."""

    id: int
    person: Person


@dataclass
class Track:
    """region: where to look in the next frame; None with an engine that finds everybody itself."""

    id: int
    person: Person
    seen_at: float
    region: Optional[Region] = None


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
