"""The same person once more in the mirror image: two estimates show how far one can be off."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from pose_service.contract.engine import Person, Pixels
from pose_service.contract.region import Region
from pose_service.contract.region_engine import RegionEngine

OTHER_SIDE = {"left": "right", "right": "left"}


def estimate_mirror_image(engine: RegionEngine, rgb: Pixels, region: Region) -> Person | None:
    """The person in the region of the mirrored image, mirrored back; one pass. None when nobody is there.

    Only the region and what lies around it is mirrored. Raises EngineFailedError.
    """
    reach = int(region.side) + 1
    x0 = min(max(0, int(region.x) - reach), rgb.shape[1])
    part = rgb[:, x0 : max(x0, int(region.x) + reach + 1)]
    width = part.shape[1]
    if width == 0:
        return None
    flipped = replace(region, x=width - (region.x - x0), turn=-region.turn)
    found = engine.estimate_region(part[:, ::-1], flipped)
    return None if found is None else _mirrored(found.person, width, x0)


def merge_views(person: Person, mirror: Person) -> Person:
    """The person with the mean of both as `world`, and the two as `views`. The points in the image stay."""
    return replace(person, world=(person.world + mirror.world) / 2, views=(person.world, mirror.world))


def _mirrored(person: Person, width: int, x0: int) -> Person:
    order = _other_sides(person.names)
    return replace(
        person,
        keypoints=(person.keypoints * (-1, 1) + (width + x0, 0))[order],
        confidence=person.confidence[order],
        world=(person.world * (-1, 1, 1))[order],
    )


@lru_cache(maxsize=8)
def _other_sides(names: tuple[str, ...]) -> list[int]:
    """For each point the row of the one on the other side of the body: left_knee for right_knee."""
    return [names.index("_".join(OTHER_SIDE.get(word, word) for word in name.split("_"))) for name in names]
