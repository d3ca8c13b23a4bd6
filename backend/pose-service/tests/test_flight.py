"""Jumps on a known path."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import pytest
from bodies import person, posture

from pose_service.measuring.flight import GRAVITY, FlightMeter, HipHeight, describe_flight, pixels_a_metre

PIXELS_A_METRE = 200.0


def at_height(seconds: float, metres: float, view: int = 0, pixels_a_metre: float = PIXELS_A_METRE) -> HipHeight:
    return HipHeight(seconds, 500 - metres * pixels_a_metre, pixels_a_metre, view)


def height_at(seconds: float, take_off: float, airtime: float) -> float:
    """On the ground, in the air for `airtime`, on the ground."""
    flown = seconds - take_off
    return max(0.0, GRAVITY / 2 * flown * (airtime - flown)) if 0 <= flown <= airtime else 0.0


def measured(heights: list[Optional[HipHeight]]) -> dict[str, Any]:
    meter = FlightMeter()
    for height in heights:
        meter.add(height, 0 if height is None else height.view)
    return describe_flight(*meter.find())


def jump(airtime: float, rate: float = 30, noise_metres: float = 0.0, take_off: float = 1.0) -> dict[str, Any]:
    random = np.random.default_rng(3)
    times = np.arange(0, 3, 1 / rate).tolist()
    return measured([at_height(at, height_at(at, take_off, airtime) + random.normal(0, noise_metres)) for at in times])


@pytest.mark.parametrize("noise_metres", [0.0, 0.01, 0.02])
@pytest.mark.parametrize("rate", [25, 30, 60])
@pytest.mark.parametrize("airtime", [0.45, 0.5, 0.8, 1.2])
def test_airtime_and_height_of_a_jump_are_right_within_a_fifth(
    airtime: float, rate: float, noise_metres: float
) -> None:
    found = jump(airtime, rate, noise_metres)
    assert found["airtime"]["value"] == pytest.approx(airtime, rel=0.2)
    assert found["airtime"]["start_seconds"] == pytest.approx(1.0, abs=0.08)
    assert abs(found["airtime"]["value"] - airtime) <= found["airtime"]["error"] + 0.01
    height = GRAVITY * airtime**2 / 8
    assert abs(found["jump_height"]["value"] - height) <= max(0.2 * height, found["jump_height"]["error"])


def test_a_landing_below_the_take_off_counts_the_rise_only() -> None:
    """Up for 0.3 s, down for 0.6 s: the rise is g t^2 / 2 of the first part."""
    times = np.arange(0, 3, 1 / 60).tolist()
    rise = GRAVITY * 0.3**2 / 2

    def path(at: float) -> float:
        if at < 1.0:
            return 0.0
        return rise - GRAVITY / 2 * (min(at, 1.9) - 1.3) ** 2

    found = measured([at_height(at, path(at)) for at in times])
    assert found["airtime"]["value"] == pytest.approx(0.9, rel=0.1)
    assert found["jump_height"]["value"] == pytest.approx(rise, rel=0.2)


def test_riding_along_is_no_flight() -> None:
    found = measured([at_height(frame / 30, 0.3 * np.sin(frame / 10)) for frame in range(90)])
    assert {item["value"] for item in found.values()} == {None}
    assert "no free fall" in found["airtime"]["reason"]


def test_hidden_hips_end_a_flight() -> None:
    heights = [
        None if 8 <= frame <= 20 else at_height(frame / 30, height_at(frame / 30, 0.3, 0.4)) for frame in range(40)
    ]
    assert measured(heights)["airtime"]["value"] is None


@pytest.mark.parametrize(("take_off", "seconds"), [(0.0, 3.0), (1.0, 1.6), (0.05, 3.0)])
def test_a_clip_that_begins_or_ends_in_the_air_has_no_airtime(take_off: float, seconds: float) -> None:
    times = np.arange(0, seconds, 1 / 30).tolist()
    found = measured([at_height(at, height_at(at, take_off, 0.8)) for at in times])
    assert found["airtime"]["value"] is None
    assert "not in the clip" in found["airtime"]["reason"]


def test_an_unknown_camera_has_no_airtime() -> None:
    """Every frame is a view of its own."""
    found = measured([at_height(f / 30, height_at(f / 30, 1.0, 0.8), view=f) for f in range(90)])
    assert found["airtime"]["value"] is None
    assert "camera" in found["airtime"]["reason"]


def test_a_rider_who_comes_closer_has_no_airtime() -> None:
    heights = [at_height(f / 30, height_at(f / 30, 1.0, 0.8), pixels_a_metre=100 * 1.02**f) for f in range(90)]
    assert measured(heights)["airtime"]["value"] is None


def test_the_longest_of_two_jumps_counts() -> None:
    times = [frame / 30 for frame in range(150)]
    found = measured([at_height(at, height_at(at, 0.5, 0.5) + height_at(at, 2.0, 1.0)) for at in times])
    assert found["airtime"]["value"] == pytest.approx(1.0, rel=0.1)


def test_the_scale_comes_from_the_body_and_needs_the_hips() -> None:
    assert pixels_a_metre(posture()) == pytest.approx(200)
    assert pixels_a_metre(person(posture().world, confidence=0.2)) is None
