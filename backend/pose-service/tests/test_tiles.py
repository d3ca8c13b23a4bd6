"""Which parts of an image are looked at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pose_service.finding.tiles import OVERLAP, SMALLEST_PERSON_PIXELS, Tile, halves, plan

lengths = st.integers(1, 6000)


@given(lengths, lengths, st.integers(1, 200))
def test_the_whole_image_is_first_and_the_number_is_bounded(width: int, height: int, most: int) -> None:
    grids = plan(width, height, most)
    assert grids[0].tiles == (Tile(0, 0, width, height),)
    assert sum(len(grid.tiles) for grid in grids) <= most
    smallest = [grid.smallest_pixels for grid in grids]
    assert smallest == sorted(smallest, reverse=True)


@given(lengths, lengths)
def test_each_grid_covers_the_image_with_overlap_and_stays_inside(width: int, height: int) -> None:
    for grid in plan(width, height, 200)[1:]:
        for low, high, length in (("x0", "x1", width), ("y0", "y1", height)):
            spans = sorted({(getattr(tile, low), getattr(tile, high)) for tile in grid.tiles})
            assert spans[0][0] == 0
            assert spans[-1][1] == length
            for (_, end), (start, next_end) in zip(spans, spans[1:]):
                assert end - start >= OVERLAP * (next_end - start) - 2


@given(st.integers(700, 1920), st.integers(700, 1200))
def test_with_enough_passes_people_of_60_pixels_are_looked_for(width: int, height: int) -> None:
    assert round(plan(width, height, 1000)[-1].smallest_pixels) == SMALLEST_PERSON_PIXELS


def test_a_small_image_is_looked_at_once() -> None:
    assert plan(200, 150, 64)[0].tiles == (Tile(0, 0, 200, 150),)
    assert len(plan(200, 150, 64)) == 1


@given(lengths, lengths)
def test_halves_cover_the_image_and_share_its_middle(width: int, height: int) -> None:
    first, second = halves(width, height)
    assert (first.x0, first.y0, second.x1, second.y1) == (0, 0, width, height)
    # One of the two sides is whole in both, and the longer one is divided.
    assert (first.x1, second.x0) == (width, 0) or (first.y1, second.y0) == (height, 0)
    assert first.x1 - second.x0 >= 0.2 * width - 1
    assert first.y1 - second.y0 >= 0.2 * height - 1
