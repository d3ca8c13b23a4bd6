"""Jumps on a known path."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bodies import person, posture

from pose_service.contract.engine import Person
from pose_service.measuring.flight import GRAVITY, FlightMeter

PIXELS_A_METRE = 200.0


def at_height(metres: float, jitter: float = 0.0) -> Person:
    standing = posture()
    return replace(standing, keypoints=standing.keypoints - (0, metres * PIXELS_A_METRE + jitter))


def height_at(seconds: float, take_off: float, airtime: float) -> float:
    """On the ground, in the air for `airtime`, on the ground."""
    flown = seconds - take_off
    return max(0.0, GRAVITY / 2 * flown * (airtime - flown)) if 0 <= flown <= airtime else 0.0


def jump(airtime: float, rate: float = 30, noise_pixels: float = 0.0) -> FlightMeter:
    meter, random = FlightMeter(), np.random.default_rng(3)
    for seconds in np.arange(0, 3, 1 / rate):
        meter.add(float(seconds), at_height(height_at(float(seconds), 1.0, airtime), random.normal(0, noise_pixels)))
    return meter


@pytest.mark.parametrize("noise_pixels", [0.0, 0.5])
@pytest.mark.parametrize("rate", [30, 60])
@pytest.mark.parametrize("airtime", [0.5, 0.8, 1.2])
def test_airtime_and_height_of_a_jump(airtime: float, rate: float, noise_pixels: float) -> None:
    found = jump(airtime, rate, noise_pixels).describe()
    seconds = found["airtime"]["value"]
    assert seconds == pytest.approx(airtime, abs=0.1)
    assert found["airtime"]["start_seconds"] == pytest.approx(1.0, abs=0.08)
    assert found["jump_height"]["value"] == pytest.approx(GRAVITY * seconds**2 / 8, abs=0.02)


def test_riding_along_is_no_flight() -> None:
    meter = FlightMeter()
    for frame in range(90):
        meter.add(frame / 30, at_height(0.3 * np.sin(frame / 10)))
    for item in meter.describe().values():
        assert item["value"] is None
        assert "no free fall" in item["reason"]


def test_hidden_hips_end_a_flight() -> None:
    meter = FlightMeter()
    hidden = person(posture().world, confidence=0.2)
    for frame in range(30):
        meter.add(frame / 30, hidden if frame % 5 == 0 else at_height(height_at(frame / 30, 0.0, 1.0)))
    assert meter.describe()["airtime"]["value"] is None


def test_the_longest_of_two_jumps_counts() -> None:
    meter = FlightMeter()
    for frame in range(150):
        seconds = frame / 30
        meter.add(seconds, at_height(height_at(seconds, 0.5, 0.5) + height_at(seconds, 2.0, 1.0)))
    assert meter.describe()["airtime"]["value"] == pytest.approx(1.0, abs=0.1)
