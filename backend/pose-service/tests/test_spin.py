"""Turns about the vertical."""

from __future__ import annotations

from typing import Any

import pytest
from bodies import person, posture, turned
from hypothesis import given
from hypothesis import strategies as st

from pose_service.measuring.body import Body
from pose_service.measuring.flight import Flight
from pose_service.measuring.spin import SpinMeter, hip_yaw

RATE = 30


def measured(total: float, seconds: float, hidden: tuple[int, ...] = ()) -> dict[str, Any]:
    """A steady turn of the standing rider, all of it in the air."""
    meter = SpinMeter()
    frames = round(seconds * RATE)
    for frame in range(frames + 1):
        rider = person(turned(posture().world, total * frame / frames))
        meter.add(frame / RATE, None if frame in hidden else hip_yaw(Body(rider)))
    return meter.describe(Flight(0.0, seconds / 2, seconds, 0.03), "")


@given(st.integers(-1080, 1080))
def test_whole_turns_are_counted(total: int) -> None:
    found = measured(total, 1.5)
    assert found["value"] == pytest.approx(total, abs=1)
    assert found["fastest_degrees_per_second"] == pytest.approx(abs(total) / 1.5, abs=1)


def test_a_blink_is_bridged_and_a_long_gap_is_not() -> None:
    assert measured(360, 1.0, hidden=(10, 11))["value"] == 360
    found = measured(360, 1.0, hidden=tuple(range(10, 22)))
    assert found["value"] is None
    assert "hidden from 0.30 to 0.73 s" in found["reason"]


def test_a_turn_too_fast_to_follow_is_not_guessed() -> None:
    found = measured(720, 0.2)
    assert found["value"] is None
    assert "degrees in one frame" in found["reason"]


def test_only_what_is_turned_in_the_air_counts() -> None:
    meter = SpinMeter()
    for frame in range(91):
        turn = 12.0 * min(max(frame - 30, 0), 30)
        meter.add(frame / RATE, hip_yaw(Body(person(turned(posture().world, turn + frame)))))
    found = meter.describe(Flight(1.0, 1.5, 2.0, 0.03), "")
    assert found["value"] == pytest.approx(390, abs=2)
    assert meter.describe(None, "no flight") == {"value": None, "unit": "degrees", "reason": "no flight"}


def test_hips_that_swing_to_and_fro_are_not_added_up() -> None:
    meter = SpinMeter()
    for frame in range(31):
        meter.add(frame / RATE, 60.0 * (frame % 2))
    found = meter.describe(Flight(0.0, 0.5, 1.0, 0.03), "")
    assert found["value"] is None
    assert "swing" in found["reason"]


def test_hips_that_are_never_seen() -> None:
    meter = SpinMeter()
    meter.add(0.0, None)
    found = meter.describe(Flight(0.0, 0.5, 1.0, 0.03), "")
    assert found["value"] is None
    assert "not clearly visible" in found["reason"]
