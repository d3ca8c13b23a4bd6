"""Squares that cover an image, coarse ones first, so that the detector sees small people large enough."""

from __future__ import annotations

import math
from dataclasses import dataclass

# Of the people of a tenth of the image's longer side the detector finds one in three, of larger ones most.
SMALLEST_PART = 0.1
SMALLEST_PERSON_PIXELS = 60
OVERLAP = 0.3
STEP = 2.2
# Of the longer side: whoever stands in the middle is whole in one of the two.
HALF = 0.62


@dataclass(frozen=True)
class Tile:
    """A part of an image in whole pixels: x0 <= x < x1, y0 <= y < y1."""

    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True)
class Grid:
    """Tiles of one size. smallest_pixels: people at least so tall are seen in them."""

    tiles: tuple[Tile, ...]
    smallest_pixels: float


def plan(width: int, height: int, max_tiles: int) -> tuple[Grid, ...]:
    """The whole image, then ever smaller tiles, down to people of 60 pixels or as far as `max_tiles` in all allow.

    A grid is used as a whole or not at all: half of one would find people on the left only.
    """
    longest = max(width, height)
    smallest = SMALLEST_PERSON_PIXELS / SMALLEST_PART
    grids = [Grid((Tile(0, 0, width, height),), longest * SMALLEST_PART)]
    left = max_tiles - 1
    for side in _sides(longest, smallest):
        tiles = _cover(width, height, side)
        if len(tiles) > left:
            break
        left -= len(tiles)
        grids.append(Grid(tiles, side * SMALLEST_PART))
    return tuple(grids)


def halves(width: int, height: int) -> tuple[Tile, Tile]:
    """The image in two parts that overlap, along its longer side."""
    if width >= height:
        part = round(width * HALF)
        return Tile(0, 0, part, height), Tile(width - part, 0, width, height)
    part = round(height * HALF)
    return Tile(0, 0, width, part), Tile(0, height - part, width, height)


def _sides(longest: int, smallest: float) -> list[int]:
    """Sides from just under the whole image down to `smallest`, each about half of the one before."""
    steps = math.ceil(math.log(longest / smallest, STEP)) if longest > smallest else 0
    return [round(smallest * (longest / smallest) ** (1 - step / steps)) for step in range(1, steps + 1)]


def _cover(width: int, height: int, side: int) -> tuple[Tile, ...]:
    across, down = _starts(width, side), _starts(height, side)
    return tuple(Tile(x, y, min(width, x + side), min(height, y + side)) for y in down for x in across)


def _starts(length: int, side: int) -> list[int]:
    if side >= length:
        return [0]
    count = math.ceil((length - side) / (side * (1 - OVERLAP))) + 1
    return [round(step * (length - side) / (count - 1)) for step in range(count)]
