"""Turns about the vertical."""

from __future__ import annotations

import pytest
from bodies import person, posture, turned
from hypothesis import given
from hypothesis import strategies as st

from pose_service.measuring.body import Body
from pose_service.measuring.spin import SpinMeter, hip_yaw

RATE = 30


def measured(total: float, seconds: float, hidden: tuple[int, ...] = ()) -> SpinMeter:
    """A steady turn of the standing rider."""
    meter = SpinMeter()
    frames = round(seconds * RATE)
    for frame in range(frames + 1):
        rider = person(turned(posture().world, total * frame / frames))
        meter.add(frame / RATE, None if frame in hidden else hip_yaw(Body(rider)))
    return meter


@given(st.integers(-1080, 1080))
def test_whole_turns_are_counted(total: int) -> None:
    found = measured(total, 1.5).describe()
    assert found["value"] == pytest.approx(total, abs=1)
    assert found["fastest_degrees_per_second"] == pytest.approx(abs(total) / 1.5, abs=1)


def test_a_blink_is_bridged_and_a_long_gap_is_not() -> None:
    assert measured(360, 1.0, hidden=(10, 11)).describe()["value"] == 360
    found = measured(360, 1.0, hidden=tuple(range(10, 22))).describe()
    assert found["value"] is None
    assert "hidden from 0.30 to 0.73 s" in found["reason"]


def test_a_turn_too_fast_to_follow_is_not_guessed() -> None:
    found = measured(720, 0.2).describe()
    assert found["value"] is None
    assert "degrees in one frame" in found["reason"]


def test_hips_that_are_never_seen() -> None:
    meter = SpinMeter()
    meter.add(0.0, None)
    assert meter.describe()["value"] is None
    assert "not clearly visible" in meter.describe()["reason"]
