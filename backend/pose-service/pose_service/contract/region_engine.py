"""An engine that finds people in two steps: where somebody is, and then how they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pose_service.contract.engine import Person, Pixels
from pose_service.contract.region import Detection, Region
from pose_service.contract.sighting import Sighting


@dataclass(frozen=True)
class RegionEstimate:
    """A person, and the region to look in for the same person in the next frame."""

    person: Person
    region: Region


@runtime_checkable
class RegionEngine(Protocol):
    """All calls take an (H, W, 3) RGB image, cost one pass of a model, and raise EngineFailedError."""

    def sight(self, rgb: Pixels) -> list[Sighting]:
        """The six likeliest people in the image, nobody excluded: most of them are nobody."""

    def detect(self, rgb: Pixels) -> list[Detection]:
        """Heads that a second detector sees; better than `sight` for close-ups."""

    def estimate_region(self, rgb: Pixels, region: Region) -> RegionEstimate | None:
        """The person in the region, or None when nobody is there."""
