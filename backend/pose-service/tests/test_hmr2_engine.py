"""The GPU engine against a FAKE of PyTorch, Detectron2 and 4D-Humans (fake_hmr2): calls, shapes and errors."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from bodies import posture
from fake_hmr2.packages import World, make_packages
from fake_hmr2.tensors import make_torch

from pose_service.contract.engine import EngineFailedError, EngineUnavailableError, Person
from pose_service.engines.hmr2 import models
from pose_service.engines.hmr2.camera import camera_in_image
from pose_service.engines.hmr2.engine import GpuLost, GpuMemoryError, Hmr2Engine, load_models
from pose_service.engines.hmr2.keypoints import NAMES
from pose_service.engines.hmr2.models import GpuLostError, Hmr2Models
from pose_service.web.answer import describe_people
from pose_service.weights.check import MissingWeightsError

PHOTO = np.zeros((480, 640, 3), np.uint8)
FILES = ("hmr2-checkpoint", "hmr2-config", "vitdet-h", "regnety")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    found = World(torch=make_torch())
    for name, module in make_packages(found).items():
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("HOME", "PYTHONBREAKPOINT", "PYOPENGL_PLATFORM"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    return found


@pytest.fixture
def engine(world: World, tmp_path: Path) -> Hmr2Engine:
    return load(tmp_path, "hmr2")


def load(folder: Path, use: str) -> Hmr2Engine:
    files = {name: folder / f"{name}.bin" for name in FILES}
    files["hmr2-config"] = folder / "model_config.yaml"
    engine = Hmr2Engine(lambda: Hmr2Models(files, use, folder))
    engine.load()
    return engine


def show(world: World, *boxes: tuple[float, float, float, float]) -> None:
    world.boxes = [list(box) for box in boxes]
    world.scores = [0.9 - 0.1 * index for index in range(len(boxes))]


def test_it_loads_from_local_files_only(world: World, engine: Hmr2Engine, tmp_path: Path) -> None:
    assert world.checkpoints == [str(tmp_path / "hmr2-checkpoint.bin")]
    assert world.detector_files == [str(tmp_path / "vitdet-h.bin")]
    assert os.environ["HOME"] == str(tmp_path)
    assert os.environ["PYTHONBREAKPOINT"] == "0"


def test_the_light_detector_is_another_file(world: World, tmp_path: Path) -> None:
    load(tmp_path, "hmr2-light")
    assert world.detector_files == [str(tmp_path / "regnety.bin")]


def test_nobody_is_an_empty_list(world: World, engine: Hmr2Engine) -> None:
    assert engine.estimate(PHOTO) == []
    assert world.batches == []


def test_people_have_the_shapes_that_the_service_promises(world: World, engine: Hmr2Engine) -> None:
    show(world, (100, 50, 300, 450), (400, 100, 500, 300))
    people = engine.estimate(PHOTO)
    assert [round(person.score, 3) for person in people] == [0.9, 0.8]
    assert world.batches == [2]
    for person in people:
        assert (person.skeleton, person.names) == ("openpose25+j19", NAMES)
        assert person.keypoints.shape == (44, 2)
        assert person.world.shape == (44, 3)
        assert set(person.confidence) == {person.score}
        assert person.body is not None
        assert person.body.vertices is not None
        assert person.body.vertices.shape == (6890, 3)
        assert person.body.global_orient.shape == (3, 3)
        assert person.body.body_pose.shape == (23, 3, 3)
        assert person.body.betas.shape == (10,)
        assert person.body.focal_pixels == pytest.approx(5000 / 256 * 640)
    assert engine.faces.shape == (13776, 3)


def test_only_people_that_are_wide_enough_count(world: World, engine: Hmr2Engine) -> None:
    show(world, (10, 10, 11, 200), (10, 10, 60, 200), (100, 10, 160, 200))
    world.classes = [0, 0, 15]
    (person,) = engine.estimate(PHOTO)
    assert person.box.tolist() == [10, 10, 60, 200]


def test_keypoints_come_from_the_crop_to_the_image(world: World, engine: Hmr2Engine) -> None:
    world.joints = np.zeros((44, 3))
    world.joints[0, :2] = (0.5, -0.5)
    show(world, (100, 0, 292, 256))
    (person,) = engine.estimate(PHOTO)
    # The crop's side is 256 pixels and its centre (196, 128): a quarter of the side away from it.
    assert person.keypoints[0].tolist() == [196 + 64, 128 - 64]
    assert person.keypoints[1].tolist() == [196, 128]


def test_a_body_in_the_middle_of_the_image_stands_before_the_camera() -> None:
    straight = camera_in_image(np.array([1.0, 0, 0]), np.array([320, 240]), 200.0, (640, 480), 1000.0)
    assert straight.tolist() == pytest.approx([0, 0, 10])
    aside = camera_in_image(np.array([1.0, 0, 0]), np.array([420, 240]), 200.0, (640, 480), 1000.0)
    # 100 pixels beside the middle, 10 metres away, with a focal length of 1000 pixels: one metre.
    assert aside.tolist() == pytest.approx([1, 0, 10])


def as_hmr2(person: Person) -> np.ndarray:
    """The joints of another skeleton's body in the order of HMR2."""
    other = {"big_toe": "foot_index", "small_toe": "foot_index"}
    joints = np.zeros((44, 3))
    for index, name in enumerate(NAMES[:25]):
        side, _, part = name.partition("_")
        source = f"{side}_{other.get(part, part)}" if part else name
        if source in person.names:
            joints[index] = person.world[person.names.index(source)]
    return joints


def test_measures_are_those_of_the_other_skeleton(world: World, engine: Hmr2Engine) -> None:
    body = posture()
    world.joints = as_hmr2(body)
    show(world, (100, 50, 300, 450))
    people = tuple(engine.estimate(PHOTO))
    (mine,), (other,) = describe_people(people, "regular"), describe_people((body,), "regular")
    for name in ("knee_flexion_left", "knee_flexion_right", "hip_flexion_left", "trunk_lean", "shoulder_rotation"):
        assert mine["measures"][name]["value"] == other["measures"][name]["value"], name
        assert mine["measures"][name]["value"] is not None
    assert "whole person" in mine["assumptions"][-1]
    assert len(mine["smpl"]["body_pose"]) == 23


def test_many_people_go_in_batches_of_eight(world: World, engine: Hmr2Engine) -> None:
    show(world, *((10.0 * index, 0, 10.0 * index + 9, 50) for index in range(9)))
    assert len(engine.estimate(PHOTO)) == 9
    assert world.batches == [8, 1]


def test_a_batch_that_does_not_fit_is_halved(world: World, engine: Hmr2Engine) -> None:
    show(world, *((10.0 * index, 0, 10.0 * index + 9, 50) for index in range(5)))
    world.most_at_once = 2
    assert len(engine.estimate(PHOTO)) == 5
    assert world.batches == [5, 2, 3, 1, 2]
    assert world.torch.freed == 2


def test_no_room_at_all_is_told_and_the_next_image_may_fit(world: World, engine: Hmr2Engine) -> None:
    show(world, (100, 50, 300, 450))
    world.most_at_once = 0
    with pytest.raises(GpuMemoryError) as caught:
        engine.estimate(PHOTO)
    assert (caught.value.status, caught.value.kind) == (503, "out-of-gpu-memory")
    world.most_at_once = 1000
    assert len(engine.estimate(PHOTO)) == 1


def test_no_room_for_the_detector_is_told(world: World, engine: Hmr2Engine) -> None:
    world.failures = [world.torch.cuda.OutOfMemoryError("CUDA out of memory.")]
    with pytest.raises(GpuMemoryError):
        engine.estimate(PHOTO)


def test_a_lost_gpu_ends_the_process(world: World, engine: Hmr2Engine) -> None:
    world.failures = [RuntimeError("CUDA error: an illegal memory access was encountered")]
    with pytest.raises(GpuLost, match="illegal memory access") as caught:
        engine.estimate(PHOTO)
    assert isinstance(caught.value, SystemExit)
    assert isinstance(caught.value.__cause__, GpuLostError)


def test_other_faults_are_those_of_the_image(world: World, engine: Hmr2Engine) -> None:
    world.failures = [ValueError("cannot reshape")]
    with pytest.raises(EngineFailedError, match="cannot reshape"):
        engine.estimate(PHOTO)
    assert engine.estimate(PHOTO) == []


def test_nothing_is_printed(world: World, engine: Hmr2Engine, capsys: pytest.CaptureFixture[str]) -> None:
    show(world, (100, 50, 300, 450))
    engine.estimate(PHOTO)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("total_bytes", "use"), [(24_000_000_000, "hmr2"), (8_000_000_000, "hmr2-light")])
def test_the_card_decides_on_the_detector(monkeypatch: pytest.MonkeyPatch, total_bytes: int, use: str) -> None:
    monkeypatch.setitem(sys.modules, "torch", make_torch(total_bytes))
    assert models.require_gpu() == use


def test_without_a_gpu_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", make_torch(is_available=False))
    with pytest.raises(EngineUnavailableError, match="invoke gpu"):
        load_models()


def test_without_the_packages_it_names_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(EngineUnavailableError, match="GPU image"):
        Hmr2Engine().load()


def test_without_the_files_it_names_them(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_MODELS", str(tmp_path))
    with pytest.raises(MissingWeightsError, match="smpl-neutral"):
        Hmr2Engine().load()
