"""Who is seen in one part of an image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pose_service.contract.engine import Pixels
from pose_service.contract.region_engine import RegionEngine
from pose_service.contract.sighting import SEEN, Sighting
from pose_service.finding.likelihood import chance
from pose_service.finding.tiles import Tile

# Of the sightings below it fewer than one in ten is a person.
SMALLEST_SIGHTING = 0.08
# Below it the keypoint model never found anybody right on the labelled photos.
SMALLEST_CHANCE = 0.15
# A body this near to a tile's border is cut by it: shares of the tile's side.
TILE_MARGIN = 0.02


def sight(engine: RegionEngine, rgb: Pixels, tile: Tile) -> list[Sighting]:
    """Whoever is whole in the tile, in pixels of the image; one pass. Raises EngineFailedError."""
    found = engine.sight(rgb[tile.y0 : tile.y1, tile.x0 : tile.x1])
    likely = [each for each in found if each.score >= SMALLEST_SIGHTING and chance(each) >= SMALLEST_CHANCE]
    whole = [each for each in likely if _is_whole(each, tile, rgb.shape)]
    return [replace(each, keypoints=each.keypoints + np.array([tile.x0, tile.y0])) for each in whole]


def _is_whole(sighting: Sighting, tile: Tile, shape: tuple[int, ...]) -> bool:
    """Is the body inside of the tile? One that its border cuts is whole in a neighbour, or in a coarser tile."""
    points = sighting.keypoints[sighting.confidence > SEEN]
    points = points if len(points) else sighting.keypoints
    margin = TILE_MARGIN * max(tile.x1 - tile.x0, tile.y1 - tile.y0)
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return (
        (tile.x0 == 0 or left >= margin)
        and (tile.y0 == 0 or top >= margin)
        and (tile.x1 == shape[1] or right <= tile.x1 - tile.x0 - margin)
        and (tile.y1 == shape[0] or bottom <= tile.y1 - tile.y0 - margin)
    )
