"""Median and Savitzky-Golay over frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pose_service.contract.engine import Floats
from pose_service.measuring.smoothing import REACH, fit_at, smooth, unwrap_around

EVEN = np.arange(2 * REACH + 1) / 30
uneven_times = hnp.arrays(np.float64, 2 * REACH + 1, elements=st.floats(0.005, 0.2)).map(np.cumsum)


def column(values: object) -> Floats:
    return np.array(values, np.float64).reshape(-1, 1)


@given(uneven_times, st.floats(-50, 50), st.floats(-50, 50), st.floats(-50, 50))
def test_a_parabola_is_fitted_exactly_at_any_times(times: Floats, constant: float, slope: float, bend: float) -> None:
    values = constant + slope * times + bend * times**2
    place = len(times) // 2
    assert fit_at(times - times[place], column(values))[0] == pytest.approx(values[place], abs=1e-6)


@given(uneven_times, st.floats(-50, 50), st.floats(-50, 50), st.integers(0, 2 * REACH))
def test_a_straight_motion_stays_as_it_is(times: Floats, start: float, slope: float, place: int) -> None:
    values = start + slope * times
    assert smooth(times, column(values), place)[0] == pytest.approx(values[place], abs=1e-6)


def test_it_is_the_known_savitzky_golay_kernel_at_an_even_rate() -> None:
    """Seven points, degree two: (-2, 3, 6, 7, 6, 3, -2) / 21."""
    kernel = [fit_at(np.arange(-3.0, 4.0), column(np.eye(7)[place]))[0] * 21 for place in range(7)]
    assert kernel == pytest.approx([-2, 3, 6, 7, 6, 3, -2])


def test_one_leap_has_no_effect() -> None:
    values = column(np.linspace(10, 20, len(EVEN)))
    leap = values.copy()
    leap[REACH] += 170
    assert smooth(EVEN, leap, REACH) == pytest.approx(smooth(EVEN, values, REACH), abs=1)


def test_noise_becomes_less() -> None:
    noise = np.random.default_rng(7).normal(0, 5, (200, 40))
    times = np.arange(200) / 30
    window = range(20, 180)
    smoothed = np.array(
        [smooth(times[i - REACH : i + REACH + 1], noise[i - REACH : i + REACH + 1], REACH) for i in window]
    )
    assert smoothed.std() < 0.6 * noise[20:180].std()


def test_what_was_not_seen_is_not_made_up() -> None:
    values = column(np.linspace(0, 1, len(EVEN)))
    values[REACH] = np.nan
    assert np.isnan(smooth(EVEN, values, REACH)).all()


def test_gaps_beside_it_do_no_harm() -> None:
    values = column(3 * EVEN)
    values[[1, 4, 8]] = np.nan
    assert smooth(EVEN, values, REACH)[0] == pytest.approx(3 * EVEN[REACH], abs=0.05)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_very_few_frames_give_their_median(count: int) -> None:
    values = column([5.0, 7.0, 100.0][:count])
    assert smooth(EVEN[:count], values, 0)[0] == pytest.approx(float(np.median(values)))


def test_columns_do_not_touch_each_other() -> None:
    both = np.hstack([column(EVEN), column(np.full(len(EVEN), np.nan))])
    first, second = smooth(EVEN, both, REACH)
    assert first == pytest.approx(EVEN[REACH])
    assert np.isnan(second)


def test_angles_across_the_back_are_neighbours() -> None:
    near = unwrap_around(column([170, 179, -179, -170]), np.array([179.0]))
    assert near[:, 0].tolist() == [170, 179, 181, 190]
