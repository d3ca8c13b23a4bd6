"""People followed through clips whose motion is known."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from clips import clip, turned
from montage import Pasted, picture

from pose_service.contract.blazepose import NAMES
from pose_service.contract.engine import EngineFailedError, Person, Pixels
from pose_service.engines.mediapipe_engine import MediapipeEngine
from pose_service.finding.people_finder import FindOptions
from pose_service.following.video import FramePeople, track_people
from pose_service.media.video_limits import VideoLimits

SIZE = (960, 540)
NOSE = NAMES.index("nose")
Scene = Callable[[int], list[Pasted]]


@pytest.fixture(scope="module")
def engine() -> MediapipeEngine:
    engine = MediapipeEngine()
    engine.load()
    return engine


def film(scene: Scene, frames: int, times: list[float] | None = None) -> bytes:
    return clip((picture(SIZE, scene(frame)) for frame in range(frames)), times or [i / 25 for i in range(frames)])


def follow(engine: MediapipeEngine, content: bytes, max_people: int = 4) -> list[FramePeople]:
    return list(track_people(engine, io.BytesIO(content), FindOptions(max_people), VideoLimits()))


def nose(person: Person) -> tuple[float, float]:
    x, y = person.keypoints[NOSE].tolist()
    return x, y


def one(frame: int) -> list[Pasted]:
    return [Pasted(40 + 15 * frame, 60 + 3 * frame, 300)]


def two(frame: int) -> list[Pasted]:
    return [Pasted(30 + 6 * frame, 60, 300), Pasted(650 - 5 * frame, 180, 260)]


def test_one_rider_keeps_the_number_and_the_known_track(engine: MediapipeEngine) -> None:
    frames = follow(engine, film(one, 16), max_people=1)
    assert [frame.index for frame in frames] == list(range(16))
    for frame in frames:
        ((number, person),) = [(each.id, each.person) for each in frame.people]
        assert number == 1
        assert nose(person) == pytest.approx(one(frame.index)[0].nose, abs=0.05 * 300)


def test_two_riders_keep_theirs(engine: MediapipeEngine) -> None:
    frames = follow(engine, film(two, 14))
    assert {len(frame.people) for frame in frames} == {2}
    owner: dict[int, int] = {}
    for frame in frames:
        for tracked in frame.people:
            distances = [np.hypot(*np.subtract(nose(tracked.person), item.nose)) for item in two(frame.index)]
            assert min(distances) < 20
            assert owner.setdefault(tracked.id, int(np.argmin(distances))) == int(np.argmin(distances))
    assert len(owner) == 2


def test_a_rider_hidden_for_a_moment_comes_back_with_the_same_number(engine: MediapipeEngine) -> None:
    frames = follow(engine, film(lambda frame: [] if frame in (6, 7, 8) else [Pasted(200 + 2 * frame, 80, 320)], 16))
    numbers = [[each.id for each in frame.people] for frame in frames]
    assert numbers[5] == [1]
    assert [] in numbers[6:10]
    assert numbers[-1] == [1]
    assert max(max(each, default=0) for each in numbers) == 1


def test_uneven_times_and_rotation(engine: MediapipeEngine) -> None:
    times = [0.0, 0.03, 0.2, 0.25, 0.9, 1.0]
    frames = follow(engine, turned(film(lambda _: [Pasted(300, 100, 340)], 6, times), 180))
    assert [frame.time_seconds for frame in frames] == pytest.approx(times, abs=0.002)
    # Shown upside down: the nose is where a half turn puts it.
    x, y = Pasted(300, 100, 340).nose
    for frame in frames:
        if frame.people:
            assert nose(frame.people[0].person) == pytest.approx((SIZE[0] - x, SIZE[1] - y), abs=0.08 * 340)
    assert any(frame.people for frame in frames)


def test_an_empty_slope_and_one_frame(engine: MediapipeEngine) -> None:
    assert [frame.people for frame in follow(engine, film(lambda _: [], 3))] == [(), (), ()]
    (frame,) = follow(engine, film(one, 1))
    assert len(frame.people) == 1
    assert (frame.width, frame.height) == SIZE
    assert frame.milliseconds > 0


def test_frames_come_one_by_one_and_a_closed_generator_stops(engine: MediapipeEngine) -> None:
    frames = track_people(engine, io.BytesIO(film(one, 10)), FindOptions(1), VideoLimits())
    assert isinstance(frames, Iterator)
    assert next(frames).index == 0
    assert next(frames).index == 1
    frames.close()  # type: ignore[attr-defined]
    assert next(frames, None) is None


def test_a_failure_of_the_engine_is_not_hidden(engine: MediapipeEngine) -> None:
    class Broken(MediapipeEngine):
        def estimate_region(self, rgb: Pixels, region: object) -> None:
            raise EngineFailedError("mediapipe failed: broken")

    with pytest.raises(EngineFailedError, match="broken"):
        follow(Broken(), film(one, 2))


class Everybody:
    """An engine that finds everybody itself: two people, in changing order."""

    name, device = "everybody", "cpu"

    def __init__(self) -> None:
        self.frame = 0

    def load(self) -> None: ...

    def close(self) -> None: ...

    def estimate(self, rgb: Pixels) -> list[Person]:
        self.frame += 1
        people = [self._at(100 + 5 * self.frame), self._at(600 - 5 * self.frame)]
        return people if self.frame % 2 else people[::-1]

    def _at(self, x: float) -> Person:
        box = np.array([x, 100, x + 100, 300])
        return Person(box, 0.9, "one", ("nose",), box[None, :2], np.ones(1), np.zeros((1, 3)))


def test_an_engine_without_regions_gets_numbers_by_place() -> None:
    content = film(lambda _: [], 10)
    frames = list(track_people(Everybody(), io.BytesIO(content), FindOptions(4), VideoLimits()))
    left = [next(each.id for each in frame.people if each.person.box[0] < 350) for frame in frames]
    assert left == [1] * 10
    assert {each.id for frame in frames for each in frame.people} == {1, 2}
