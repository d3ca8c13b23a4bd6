"""Several people and small ones, on montages whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from montage import Pasted, cut, picture
from PIL import Image

from pose_service.contract.blazepose import NAMES
from pose_service.contract.engine import Person, Pixels
from pose_service.engines.mediapipe_engine import MediapipeEngine
from pose_service.finding.people_finder import FindOptions, FoundPeople, find_people

# Face and shoulders: the photo ends at the hips, and what is below is the model's imagination.
SEEN = [NAMES.index(name) for name in NAMES[: NAMES.index("left_elbow")]]
SCENES = {
    "two": ((1280, 720), [Pasted(100, 150, 420), Pasted(700, 200, 300)]),
    "five sizes": (
        (1280, 720),
        [
            Pasted(30, 300, 400),
            Pasted(500, 60, 250),
            Pasted(800, 400, 160),
            Pasted(1050, 80, 110),
            Pasted(1100, 500, 80),
        ],
    ),
    "portrait": ((600, 1300), [Pasted(40, 60, 200), Pasted(330, 500, 160), Pasted(80, 1000, 240)]),
    "far away": ((800, 600), [Pasted(80, 90, 70), Pasted(400, 250, 64), Pasted(650, 450, 80)]),
    "crowd": ((1280, 720), [Pasted(20 + 310 * column, 20 + 350 * row, 300) for row in range(2) for column in range(4)]),
}


@pytest.fixture(scope="module")
def engine() -> MediapipeEngine:
    engine = MediapipeEngine()
    engine.load()
    return engine


def nose(person: Person) -> tuple[float, float]:
    x, y = person.keypoints[NAMES.index("nose")].tolist()
    return x, y


def match(found: FoundPeople, pasted: list[Pasted]) -> list[tuple[Pasted, Person]]:
    """Each pasted photo with the one person whose nose is there; fails on anybody missing, twice or made up."""
    assert len(found.people) == len(pasted)
    pairs = []
    for item in pasted:
        near = [each for each in found.people if np.allclose(nose(each), item.nose, atol=0.08 * item.side)]
        assert len(near) == 1, f"{len(near)} people at {item}"
        pairs.append((item, near[0]))
    return pairs


def test_the_knob_of_a_tripod_is_nobody(engine: MediapipeEngine) -> None:
    photo = np.asarray(Image.open(Path(__file__).parent / "data" / "photographer.jpg").convert("RGB"))
    assert len(find_people(engine, photo, FindOptions()).people) == 1


@pytest.mark.parametrize("name", SCENES)
def test_everybody_is_found_once_where_he_is(engine: MediapipeEngine, name: str) -> None:
    size, pasted = SCENES[name]
    options = FindOptions(max_people=16, is_small=True)
    found = find_people(engine, picture(size, pasted), options)
    match(found, pasted)
    assert found.passes <= options.max_passes
    assert found.smallest_pixels is not None
    assert found.smallest_pixels <= min(item.side for item in pasted)


@pytest.mark.parametrize("name", SCENES)
def test_keypoints_are_those_of_a_direct_crop(engine: MediapipeEngine, name: str) -> None:
    """Mean distance of face and shoulders, in heights of the person."""
    size, pasted = SCENES[name]
    rgb = picture(size, pasted)
    distances = []
    for item, person in match(find_people(engine, rgb, FindOptions(max_people=16, is_small=True)), pasted):
        part, corner = cut(rgb, item, margin=0.25)
        (alone,) = engine.estimate(part)
        offsets = (alone.keypoints + corner - person.keypoints)[SEEN]
        distances.append(float(np.linalg.norm(offsets, axis=1).mean()) / item.side)
    assert max(distances) < 0.04, distances


@pytest.mark.parametrize("name", ["two", "portrait", "far away"])
def test_one_pass_finds_people_of_a_tenth_of_the_image(engine: MediapipeEngine, name: str) -> None:
    size, pasted = SCENES[name]
    found = find_people(engine, picture(size, pasted), FindOptions())
    match(found, pasted)
    # A pass that sees everybody, two to place each, one for close-ups, and some for sightings that are nobody.
    assert found.passes <= 4 + 3 * len(pasted)


def test_a_group_is_looked_at_twice_because_one_pass_sees_six(engine: MediapipeEngine) -> None:
    size, pasted = SCENES["crowd"]
    assert len(pasted) > 6
    match(find_people(engine, picture(size, pasted), FindOptions(max_people=16)), pasted)


def test_the_best_ones_are_kept(engine: MediapipeEngine) -> None:
    size, pasted = SCENES["crowd"]
    rgb = picture(size, pasted)
    scores = [person.score for person in find_people(engine, rgb, FindOptions(max_people=16)).people]
    some = find_people(engine, rgb, FindOptions(max_people=3)).people
    assert scores == sorted(scores, reverse=True)
    assert len(some) == 3
    assert min(person.score for person in some) > scores[3] - 0.1


def test_min_score_leaves_out_who_is_less_likely(engine: MediapipeEngine, astronaut: Path) -> None:
    photo = np.asarray(Image.open(astronaut))
    (person,) = find_people(engine, photo, FindOptions()).people
    assert find_people(engine, photo, FindOptions(min_score=person.score - 0.01)).people
    assert not find_people(engine, photo, FindOptions(min_score=0.99)).people


def test_one_person_costs_a_sighting_and_two_estimates(engine: MediapipeEngine, astronaut: Path) -> None:
    found = find_people(engine, np.asarray(Image.open(astronaut)), FindOptions(max_people=1))
    assert (len(found.people), found.passes) == (1, 3)
    assert found.people[0].views is not None


def test_one_small_person_is_found_too(engine: MediapipeEngine) -> None:
    item = Pasted(900, 500, 90)
    found = find_people(engine, picture((1280, 720), [item]), FindOptions(max_people=1, is_small=True))
    match(found, [item])


@pytest.mark.parametrize("max_passes", [1, 2, 5, 20, 64])
def test_the_cost_is_bounded(engine: MediapipeEngine, max_passes: int) -> None:
    size, pasted = SCENES["crowd"]
    found = find_people(engine, picture(size, pasted), FindOptions(16, 0.5, max_passes))
    assert found.passes <= max_passes
    assert found.milliseconds > 0


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (300, 300), (1280, 720)])
def test_an_empty_slope_is_empty(engine: MediapipeEngine, size: tuple[int, int]) -> None:
    assert find_people(engine, picture(size, []), FindOptions()).people == ()


def test_an_engine_that_finds_everybody_itself_is_asked_once() -> None:
    class Whole:
        name, device, calls = "whole", "cpu", 0

        def load(self) -> None: ...

        def close(self) -> None: ...

        def estimate(self, rgb: Pixels) -> list[Person]:
            self.calls += 1
            return [_scored(score) for score in (0.9, 0.8, 0.4)]

    engine = Whole()
    found = find_people(engine, np.zeros((9, 9, 3), np.uint8), FindOptions(max_people=1))
    assert [person.score for person in found.people] == [0.9]
    assert (found.passes, engine.calls, found.smallest_pixels) == (1, 1, None)


def _scored(score: float) -> Person:
    nothing = np.zeros((1, 2))
    return Person(np.zeros(4), score, "one", ("nose",), nothing, np.ones(1), np.zeros((1, 3)))
