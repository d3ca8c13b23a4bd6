"""Lines and summary of known motions, without any engine."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bodies import moved, person, posture, turned

from pose_service.contract import coco
from pose_service.contract.blazepose import NAMES
from pose_service.contract.engine import Person
from pose_service.following.background import CameraMotion
from pose_service.following.track import TrackedPerson
from pose_service.following.video import FramePeople
from pose_service.measuring.measures import MEASURES
from pose_service.measuring.smoothing import REACH
from pose_service.web.video_answer import describe_video

RATE = 30


def frames_of(people: Iterable[tuple[Person, ...]]) -> list[FramePeople]:
    return [
        FramePeople(
            index, index / RATE, 640, 480, tuple(TrackedPerson(i + 1, each) for i, each in enumerate(group)), 20.0
        )
        for index, group in enumerate(people)
    ]


def answer(
    people: Iterable[tuple[Person, ...]], stance: str = "regular"
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    *lines, last = describe_video(frames_of(people), stance)
    json.dumps([lines, last], allow_nan=False)
    return lines, last["summary"]


def bent(degrees: float) -> Person:
    """The left knee bent by so much: the shin swings back."""
    rider = posture()
    hip, knee = (rider.world[NAMES.index(f"left_{part}")] for part in ("hip", "knee"))
    thigh, angle = knee - hip, np.radians(degrees)
    rider.world[NAMES.index("left_ankle")] = knee + thigh * np.cos(angle) + np.array([0, 0, 0.45]) * np.sin(angle)
    return rider


def test_a_line_a_frame_in_order_and_a_summary() -> None:
    lines, summary = answer([(posture(),)] * 20)
    assert [line["index"] for line in lines] == list(range(20))
    assert [line["time_seconds"] for line in lines] == pytest.approx([index / RATE for index in range(20)], abs=1e-4)
    person_line = lines[7]["people"][0]
    assert person_line["id"] == 1
    assert set(person_line["measures"]) == {*MEASURES, "moment_of_inertia"}
    assert len(person_line["smoothed"]["keypoints"]) == 33
    assert "stance=regular (given)" in person_line["assumptions"]
    assert (summary["frames"], summary["seconds"]) == (20, pytest.approx(19 / RATE, abs=0.001))


def test_it_looks_only_a_few_frames_ahead() -> None:
    taken = []

    def source() -> Iterable[FramePeople]:
        for frame in frames_of([(posture(),)] * 40):
            taken.append(frame.index)
            yield frame

    for line in describe_video(source()):
        if "index" in line:
            assert taken[-1] <= line["index"] + REACH


def test_a_leap_is_in_the_raw_value_and_not_in_the_smoothed_one() -> None:
    lines, summary = answer([(bent(80 if frame == 12 else 20),) for frame in range(25)])
    knee = [line["people"][0] for line in lines]
    assert knee[12]["measures"]["knee_flexion_left"]["value"] == 80
    assert knee[12]["smoothed"]["measures"]["knee_flexion_left"] == 20
    assert summary["people"][0]["measures"]["knee_flexion_left"]["max"] == 20


def test_minimum_maximum_mean_and_when() -> None:
    _, summary = answer([(bent(10 + 2 * frame),) for frame in range(31)])
    knee = summary["people"][0]["measures"]["knee_flexion_left"]
    assert (knee["min"], knee["max"]) == (pytest.approx(10, abs=2), pytest.approx(70, abs=2))
    assert knee["mean"] == pytest.approx(40, abs=1)
    assert (knee["min_at_seconds"], knee["max_at_seconds"]) == (0.0, pytest.approx(1.0))
    assert (knee["unit"], knee["frames"]) == ("degrees", 31)


def test_hidden_measures_have_a_reason() -> None:
    rider = posture()
    rider.confidence[NAMES.index("right_ankle")] = 0.1
    _, summary = answer([(rider,)] * 6)
    knee = summary["people"][0]["measures"]["knee_flexion_right"]
    assert (knee["mean"], knee["frames"]) == (None, 0)
    assert "right_ankle" in knee["reason"]


def test_turning_angles_stay_smooth_and_a_turn_on_the_ground_is_no_spin() -> None:
    """The shoulders stay at 175 degrees against the board while all turns by 360: no leap to -180."""
    upper = np.array([["shoulder" in name] for name in NAMES])
    wound = np.where(upper, turned(posture().world, 175), posture().world)
    lines, summary = answer([(person(turned(wound, 12 * frame)),) for frame in range(31)])
    assert summary["people"][0]["spin"]["value"] is None  # Nobody left the ground.
    for line in lines:
        assert line["people"][0]["smoothed"]["measures"]["shoulder_rotation"] == pytest.approx(175, abs=1)


def jump_frames(pan: float, is_measured: bool = True) -> list[FramePeople]:
    """A jump of 0.8 s with a full turn, filmed by a camera that pans by so many pixels a frame and nods besides."""
    frames = []
    shift = np.zeros(2)
    for index in range(75):
        flown = index / RATE - 0.8
        height = 9.81 / 2 * flown * (0.8 - flown) if 0 <= flown <= 0.8 else 0.0
        rider = person(turned(posture().world, float(np.clip(flown / 0.8, 0, 1)) * 360))
        last, shift = shift, np.array([pan * index, pan * 20 * np.sin(index / 12)])
        moved_by = shift - np.array([4.0 * index, -height * 200])
        rider = replace(rider, keypoints=rider.keypoints - moved_by)
        matrix = np.array([[1.0, 0, last[0] - shift[0]], [0, 1.0, last[1] - shift[1]]])
        camera = CameraMotion(matrix) if index and is_measured else None
        frames.append(FramePeople(index, index / RATE, 640, 480, (TrackedPerson(1, rider),), 20.0, camera=camera))
    return frames


@pytest.mark.parametrize("pan", [0.0, 6.0, -15.0])
def test_a_jump_is_right_within_a_fifth_still_and_panned(pan: float) -> None:
    *_, last = describe_video(jump_frames(pan), "regular")
    (rider,) = last["summary"]["people"]
    assert rider["airtime"]["value"] == pytest.approx(0.8, rel=0.2)
    assert rider["jump_height"]["value"] == pytest.approx(9.81 * 0.8**2 / 8, rel=0.2)
    assert rider["spin"]["value"] == pytest.approx(360, rel=0.2)
    assert rider["airtime"]["error"] < 0.1


def test_a_jump_before_an_unknown_background_has_reasons_and_no_values() -> None:
    *_, last = describe_video(jump_frames(6.0, is_measured=False), "regular")
    (rider,) = last["summary"]["people"]
    for name in ("airtime", "jump_height", "spin"):
        assert rider[name]["value"] is None
        assert "camera" in rider[name]["reason"]


def test_frames_with_the_detectors_points_alone_have_no_measures_and_break_nothing() -> None:
    plain = Person(
        np.array([0.0, 0, 10, 10]), 0.6, coco.SKELETON, coco.NAMES, np.ones((17, 2)), np.ones(17), np.empty((0, 3))
    )
    lines, summary = answer([(plain if 8 <= frame < 12 else posture(),) for frame in range(20)])
    assert {each["value"] for each in lines[9]["people"][0]["measures"].values()} == {None}
    assert lines[9]["people"][0]["world"] == []
    assert len(lines[9]["people"][0]["smoothed"]["keypoints"]) == 17
    assert summary["people"][0]["measures"]["knee_flexion_left"]["frames"] == 16


def test_the_error_of_a_value_is_its_jitter() -> None:
    random = np.random.default_rng(5)
    wobbly = [(bent(40 + float(random.normal(0, 6))),) for _ in range(40)]
    steady = [(bent(20 + frame),) for frame in range(40)]
    errors = [answer(each)[1]["people"][0]["measures"]["knee_flexion_left"]["error"] for each in (wobbly, steady)]
    assert errors[0] == pytest.approx(4 + 1.6 * 6, abs=4)
    assert errors[1] == pytest.approx(4, abs=1)


def test_tucking_in_lowers_the_inertia() -> None:
    tucked = moved(posture(), (-0.15, 0, 0), [name for name in NAMES if name.startswith("left_") and "wrist" in name])
    lines, summary = answer([(posture(),)] * 8 + [(tucked,)] * 8)
    inertia = [line["people"][0]["measures"]["moment_of_inertia"]["value"] for line in lines]
    assert inertia[0] == 1.0
    assert inertia[-1] < 1.0
    assert summary["people"][0]["measures"]["moment_of_inertia"]["min"] < 1.0


def test_a_camera_that_shows_no_flight_says_why() -> None:
    _, summary = answer([(posture(),)] * 30)
    for name in ("airtime", "jump_height"):
        assert summary["people"][0][name]["value"] is None
        assert summary["people"][0][name]["reason"]


def test_the_guessed_stance_does_not_change_from_line_to_line() -> None:
    head = np.array([[name in ("nose", "left_ear", "right_ear") for name in NAMES]]).T
    group = []
    for frame in range(30):
        looking = 60 if frame < 15 else -60
        group.append((person(np.where(head, turned(posture().world, looking), posture().world)),))
    lines, summary = answer(group, "auto")
    assert {line["people"][0]["stance"]["value"] for line in lines} == {"regular"}
    assert summary["people"][0]["stance"] == {"value": "regular", "source": "guessed"}


def test_people_who_come_and_go() -> None:
    group: list[tuple[Person, ...]] = [()] * 4 + [(posture(),)] * 3 + [()] * 2 + [(posture(), bent(30))] * 9 + [()] * 7
    lines, summary = answer(group)
    assert [len(line["people"]) for line in lines] == [len(each) for each in group]
    first, second = summary["people"]
    assert (first["id"], first["frames"], second["id"], second["frames"]) == (1, 12, 2, 9)
    assert first["first_seconds"] == pytest.approx(4 / RATE, abs=0.001)


@pytest.mark.parametrize("count", [1, 2, 5, 6, 7, 11])
def test_short_clips(count: int) -> None:
    lines, summary = answer([(posture(),)] * count)
    assert len(lines) == count
    assert summary["frames"] == count


def test_memory_does_not_grow_with_the_length() -> None:
    """Between the 100th and the 490th frame, of which each takes about 30 kB: 12 MB if all were kept."""
    taken = []
    tracemalloc.start()
    for line in describe_video(frames_of([(posture(),)] * 500)):
        if line.get("index") in (100, 490):
            # What other tests left in cycles is freed at any time.
            gc.collect()
            taken.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert taken[1] - taken[0] < 1_000_000


def test_an_error_in_the_middle_comes_through() -> None:
    def source() -> Iterable[FramePeople]:
        yield from frames_of([(posture(),)] * 8)
        raise RuntimeError("broken")

    lines = describe_video(source())
    with pytest.raises(RuntimeError, match="broken"):
        list(lines)
