"""HMR2 through Hmr2Engine's own path: load, one person, batches, memory, no room and room again."""

from __future__ import annotations

import time
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pose_service.contract.engine import Person, Pixels
from pose_service.engines.hmr2 import models
from pose_service.engines.hmr2.engine import BATCH, GpuMemoryError, Hmr2Engine
from pose_service.engines.hmr2.models import Hmr2Models

HEIGHT, WIDTH = 480, 640
# 4D-Humans blurs larger crops with scikit-image, which is not brought along.
WIDEST = 300
REPEATS = 10
# What stays free when everything else is taken: less than HMR2 needs for one crop.
LEFT_BYTES = 50_000_000


class Memory(Protocol):
    """A card's memory, as PyTorch sees it."""

    def peak_bytes(self) -> int: ...
    @contextmanager
    def taken(self) -> Iterator[None]: ...


class CudaMemory:
    """The real one."""

    def peak_bytes(self) -> int:
        """The most that was allocated since the last question."""
        import torch

        peak = int(torch.cuda.max_memory_allocated())
        torch.cuda.reset_peak_memory_stats()
        return peak

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold all of it but LEFT_BYTES."""
        import torch

        torch.cuda.empty_cache()
        free_bytes, _ = torch.cuda.mem_get_info()
        held = torch.empty(int(free_bytes - LEFT_BYTES), dtype=torch.uint8, device=models.DEVICE)
        try:
            yield
        finally:
            del held
            torch.cuda.empty_cache()


class FixedDetector:
    """Finds `people` of equal size side by side: Detectron2 is no part of this trial."""

    people = 1

    def __call__(self, _bgr: Pixels) -> dict[str, Any]:
        import torch

        step = min(WIDTH / max(self.people, 1), WIDEST)
        boxes = np.array([[step * i, 40, step * (i + 1) - 2, 440] for i in range(self.people)], np.float32)
        scores = np.linspace(0.9, 0.5, self.people).astype(np.float32)
        found = types.SimpleNamespace(
            pred_classes=torch.from_numpy(np.zeros(self.people, np.int64)).to(models.DEVICE),
            pred_boxes=types.SimpleNamespace(tensor=torch.from_numpy(boxes.reshape(-1, 4)).to(models.DEVICE)),
            scores=torch.from_numpy(scores).to(models.DEVICE),
        )
        return {"instances": found}


def load(files: dict[str, Path], home: Path) -> tuple[Hmr2Engine, FixedDetector, float]:
    """The engine with a fixed detector, and the seconds that it took to load."""
    detector = FixedDetector()
    models._load_detector = lambda _file, _use: detector
    engine = Hmr2Engine(lambda: Hmr2Models(files, "hmr2", home))
    began = time.perf_counter()
    engine.load()
    return engine, detector, time.perf_counter() - began


def try_engine(engine: Hmr2Engine, detector: FixedDetector, memory: Memory | None) -> dict[str, Any]:
    """What was measured. Raises AssertionError or the engine's own error at what is wrong."""
    photo = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    result: dict[str, Any] = {}
    for people in (1, BATCH, BATCH + 1, 0):
        detector.people = people
        _check(engine.estimate(photo), people)
        began = time.perf_counter()
        for _ in range(REPEATS if memory else 1):
            found = engine.estimate(photo)
        seconds = (time.perf_counter() - began) / (REPEATS if memory else 1)
        _check(found, people)
        result[f"milliseconds_for_{people}"] = round(seconds * 1000, 1)
        if memory:
            result[f"peak_bytes_for_{people}"] = memory.peak_bytes()
    detector.people = 1
    result["without_room"] = _try_without_room(engine, photo, memory) if memory else "not run: no GPU memory to fill"
    return result


def _try_without_room(engine: Hmr2Engine, photo: Pixels, memory: Memory) -> str:
    with memory.taken():
        try:
            engine.estimate(photo)
        except GpuMemoryError as error:
            answered = f"{error.status} {error.kind}"
        else:
            msg = "an estimate without room was answered"
            raise AssertionError(msg)
    _check(engine.estimate(photo), 1)
    return f"{answered}, and the next estimate was well"


def _check(found: list[Person], people: int) -> None:
    assert len(found) == people, f"{len(found)} instead of {people} people"
    for person in found:
        assert person.body is not None
        assert person.body.vertices is not None
        assert person.body.vertices.shape == (6890, 3)
        assert person.keypoints.shape == (44, 2)
        assert np.isfinite(person.body.vertices).all()
        assert np.isfinite(person.keypoints).all()
