"""The trial for a machine with a GPU, on the CPU: against the FAKE of PyTorch and 4D-Humans."""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_hmr2.packages import World, make_packages
from fake_hmr2.tensors import make_torch
from gpu_trial import brought, engine_trial, random_files
from gpu_trial.__main__ import NotRun, run
from gpu_trial.engine_trial import FixedDetector

from pose_service.engines.hmr2 import models
from pose_service.engines.hmr2.engine import BATCH, Hmr2Engine


class FakeMemory:
    """Room for nothing while it is taken."""

    def __init__(self, world: World, is_honest: bool = True) -> None:
        self._world, self._is_honest = world, is_honest

    def peak_bytes(self) -> int:
        return 1

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        self._world.most_at_once = 0 if self._is_honest else 1000
        yield
        self._world.most_at_once = 1000


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    found = World(torch=make_torch())
    for name, module in make_packages(found).items():
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("HOME", "PYTHONBREAKPOINT", "PYOPENGL_PLATFORM"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.setattr(models, "_load_detector", models._load_detector)
    return found


@pytest.fixture
def loaded(world: World, tmp_path: Path) -> tuple[Hmr2Engine, FixedDetector]:
    files = {"hmr2-config": tmp_path / "model_config.yaml", "hmr2-checkpoint": tmp_path / "x", "vitdet-h": tmp_path}
    engine, detector, _seconds = engine_trial.load(files, tmp_path)
    return engine, detector


def test_it_takes_the_path_of_the_engine(world: World, loaded: tuple[Hmr2Engine, FixedDetector]) -> None:
    measured = engine_trial.try_engine(*loaded, FakeMemory(world))
    assert measured["without_room"] == "503 out-of-gpu-memory, and the next estimate was well"
    assert {f"milliseconds_for_{people}" for people in (0, 1, BATCH, BATCH + 1)} < set(measured)
    assert set(world.batches) == {1, BATCH}


def test_an_engine_that_answers_without_room_fails_the_trial(
    world: World, loaded: tuple[Hmr2Engine, FixedDetector]
) -> None:
    with pytest.raises(AssertionError, match="without room"):
        engine_trial.try_engine(*loaded, FakeMemory(world, is_honest=False))


def test_numbers_that_are_none_fail_the_trial(world: World, loaded: tuple[Hmr2Engine, FixedDetector]) -> None:
    world.joints = np.full((44, 3), np.nan)
    with pytest.raises(AssertionError):
        engine_trial.try_engine(*loaded, None)


def test_the_random_body_model_has_the_real_shapes(tmp_path: Path) -> None:
    random_files._write_body_model(tmp_path, np.random.default_rng(0))
    body: dict[str, Any] = pickle.loads((tmp_path / "SMPL_NEUTRAL.pkl").read_bytes())
    shapes = {name: value.shape for name, value in body.items()}
    assert shapes == {
        "f": (13776, 3),
        "v_template": (6890, 3),
        "shapedirs": (6890, 3, 10),
        "posedirs": (6890, 3, 207),
        "J_regressor": (24, 6890),
        "weights": (6890, 24),
        "kintree_table": (2, 24),
    }


def test_a_trial_that_fails_stops_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    def lack() -> dict[str, Any]:
        raise NotRun("no card")

    results = run({"bad": lambda: {"x": 1 / 0}, "lacking": lack, "good": lambda: {"x": 1}}, 60)
    assert [result["state"] for result in results.values()] == ["failed", "not run", "ok"]
    assert "ZeroDivisionError" in results["bad"]["error"]
    assert "no card" in capsys.readouterr().out


def test_modules_that_are_only_imported_are_found_after_all_real_ones() -> None:
    finder = brought.ImportOnly()
    assert finder.find_spec("pyrender.constants") is not None
    assert finder.find_spec("cv2") is None
    module = finder.create_module(finder.find_spec("trimesh"))  # type: ignore[arg-type]
    assert issubclass(type("Mesh", (module.Trimesh,), {}), object)
