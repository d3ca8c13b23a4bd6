"""Takes the jitter out of values over time: a median against leaps, then Savitzky-Golay.

Savitzky-Golay is a parabola fitted to the neighbours and read off in the middle. Here it is fitted at the frames' own
times, so that a variable frame rate and missing frames are right too.
"""

from __future__ import annotations

import numpy as np

from pose_service.contract.engine import Floats

MEDIAN_REACH = 2
FIT_REACH = 3
# So many frames before and after one have a say in its smoothed value.
REACH = MEDIAN_REACH + FIT_REACH
DEGREE = 2
FULL_TURN = 360.0
# The median of |a - 2 b + c| for normal noise with a standard deviation of 1.
BEND_OF_NOISE = 0.6745 * 6**0.5


def smooth(times: Floats, values: Floats, index: int) -> Floats:
    """The smoothed values (D,) at times[index]; times (n,) ascending, values (n, D), NaN where there is none.

    At the ends there are fewer neighbours. NaN at `index` stays NaN: what was not seen is not made up.
    """
    first, last = max(0, index - FIT_REACH), min(len(times), index + FIT_REACH + 1)
    medians = np.stack([_median(values, place) for place in range(first, last)])
    fitted = fit_at(times[first:last] - times[index], medians)
    result: Floats = np.where(np.isnan(values[index]), np.nan, fitted)
    return result


def fit_at(offsets: Floats, values: Floats) -> Floats:
    """Least-squares parabolas through (m, D) values at (m,) offsets, read off at offset 0: (D,).

    With three values or fewer a parabola would go through every one of them: their median instead.
    """
    is_there = ~np.isnan(values)
    scale = float(np.abs(offsets).max()) or 1.0
    powers = (offsets[:, None] / scale) ** np.arange(DEGREE + 1)
    weighted = powers[:, :, None] * is_there[:, None, :]
    left = np.einsum("mpd,mq->dpq", weighted, powers)
    right = np.einsum("mpd,md->dp", weighted, np.nan_to_num(values))
    is_enough = is_there.sum(axis=0) > DEGREE + 1
    left[~is_enough] = np.eye(DEGREE + 1)
    solved: Floats = np.linalg.solve(left, right[:, :, None])[:, 0, 0]
    return np.where(is_enough, solved, _nanmedian(values))


def jitter(values: Floats) -> Floats:
    """Standard deviations (D,) of the noise in (n, D) values of neighbouring frames, NaN with fewer than three.

    From second differences: a value that goes up or down evenly has no noise.
    """
    bends = np.abs(values[:-2] - 2 * values[1:-1] + values[2:]) if len(values) > 2 else values[:0]
    if not len(bends):
        return np.full(values.shape[1], np.nan)
    scaled: Floats = _nanmedian(bends) / BEND_OF_NOISE
    return scaled


def unwrap_around(values: Floats, middle: Floats) -> Floats:
    """Degrees (n, D) as those nearest to `middle` (D,), so that 179 and -179 lie two degrees apart."""
    near: Floats = middle + (values - middle + FULL_TURN / 2) % FULL_TURN - FULL_TURN / 2
    return near


def _median(values: Floats, index: int) -> Floats:
    # As many before as after: fewer on one side would pull a motion towards the middle.
    reach = min(MEDIAN_REACH, index, len(values) - 1 - index)
    return _nanmedian(values[index - reach : index + reach + 1])


def _nanmedian(values: Floats) -> Floats:
    """Of the columns of (n, D), NaN for one without any value; a tenth of numpy.nanmedian's time on so few rows."""
    ordered = np.sort(values, axis=0)
    count = len(values) - np.isnan(values).sum(axis=0)
    # NaN sorts to the end: a column without values reads NaN at both places.
    places = np.stack([(count - 1) // 2, count // 2])
    middle: Floats = np.take_along_axis(ordered, places, axis=0).mean(axis=0)
    return middle
