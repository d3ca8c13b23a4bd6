"""HMR2 as a pose engine: everybody whom the detector finds, each with keypoints, a body model and a mesh."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pose_service.contract.engine import Body3D, EngineFailedError, EngineUnavailableError, Floats, Person, Pixels
from pose_service.contract.job import JobError
from pose_service.engines.hmr2 import keypoints, models
from pose_service.engines.hmr2.camera import camera_in_image, keypoints_in_image
from pose_service.engines.hmr2.follow import ClipTracker, follow
from pose_service.engines.hmr2.models import Crop, GpuFullError, GpuLostError, Hmr2Models, Prediction
from pose_service.engines.hmr2.phalp import TrackingError
from pose_service.finding.people_finder import FindOptions
from pose_service.media.video_decoding import VideoFrame
from pose_service.weights.check import DEFAULT_FOLDER, require

# Crops that HMR2 takes at once.
BATCH = 8
# A narrower box divides by zero in 4D-Humans.
LEAST_PIXELS = 2


class GpuMemoryError(JobError):
    """The GPU has no room for this image now; the next one may fit."""

    status = 503
    kind = "out-of-gpu-memory"


class NoTrackerError(JobError):
    """Photos work, but a file that only clips need is missing."""

    status = 503
    kind = "no-tracker"


class GpuLost(SystemExit):
    """Ends the engine process: in it the GPU stays lost, and the supervisor starts another one."""


class Models(Protocol):
    """What the engine needs of Hmr2Models."""

    focal_length: float
    faces: Floats

    def detect(self, bgr: Pixels) -> tuple[Floats, Floats]: ...
    def crop(self, bgr: Pixels, boxes: Floats) -> list[Crop]: ...
    def predict(self, crops: list[Crop]) -> list[Prediction]: ...
    def free_memory(self) -> None: ...
    def tracker(self) -> ClipTracker: ...


def load_models() -> Models:
    """Check the GPU, then the files, then load (minutes the first time). Raises EngineUnavailableError."""
    use = models.require_gpu()
    folder = Path(os.environ.get("POSE_MODELS") or DEFAULT_FOLDER)
    return Hmr2Models(require(folder, use), use, folder)


def _as_gpu_error(said: str) -> BaseException:
    """What PHALP only prints."""
    if "out of memory" in said:
        return GpuMemoryError("The GPU has not enough memory for this clip now.")
    if "CUDA" in said:
        return GpuLost(f"the GPU was lost: {said}")
    return EngineFailedError(f"PHALP failed: {said}")


class Hmr2Engine:
    """One thread at a time. HMR2 knows no confidence of single keypoints: each has that of the person."""

    name = "hmr2"
    device = models.DEVICE

    def __init__(self, load: Callable[[], Models] = load_models) -> None:
        self._load = load
        self._models: Models | None = None

    def load(self) -> None:
        """Raises EngineUnavailableError with what is missing: the GPU, the packages, or the model files."""
        self._models = self._load()

    @property
    def faces(self) -> Floats:
        """(13776, 3) indices of vertices, the same for everybody."""
        return self._loaded.faces

    def estimate(self, rgb: Pixels) -> list[Person]:
        """Everybody in an (H, W, 3) RGB image, best score first. Raises GpuMemoryError, EngineFailedError, GpuLost."""
        try:
            return self._estimate(np.ascontiguousarray(rgb[:, :, ::-1]))
        except GpuFullError as error:
            self._loaded.free_memory()
            raise GpuMemoryError("The GPU has not enough memory for this image now.") from error
        except GpuLostError as error:
            raise GpuLost(f"the GPU was lost: {error}") from error
        except JobError:
            raise
        except Exception as error:
            raise EngineFailedError(f"hmr2 failed: {type(error).__name__}: {error}") from error

    def follow(self, frames: Iterable[VideoFrame], options: FindOptions) -> Iterator[Any]:
        """Everybody in a clip (see follow). Raises NoTrackerError, GpuMemoryError, EngineFailedError or GpuLost."""
        try:
            yield from follow(self._loaded.tracker, frames, options)
        except EngineUnavailableError as error:
            raise NoTrackerError(str(error)) from error
        except TrackingError as error:
            self._loaded.free_memory()
            raise _as_gpu_error(str(error)) from error

    def close(self) -> None:
        """Release the models."""
        if self._models is not None:
            self._models.free_memory()
        self._models = None

    @property
    def _loaded(self) -> Models:
        if self._models is None:
            raise EngineFailedError("hmr2 is not loaded")
        return self._models

    def _estimate(self, bgr: Pixels) -> list[Person]:
        boxes, scores = self._loaded.detect(bgr)
        wide = (boxes[:, 2:] - boxes[:, :2] >= LEAST_PIXELS).all(axis=1) if len(boxes) else np.zeros(0, bool)
        order = np.argsort(-scores[wide], kind="stable")
        boxes, scores = boxes[wide][order], scores[wide][order]
        crops = self._loaded.crop(bgr, boxes)
        size = (bgr.shape[1], bgr.shape[0])
        batches = [crops[start : start + BATCH] for start in range(0, len(crops), BATCH)]
        predictions = [prediction for batch in batches for prediction in self._predict(batch)]
        found = zip(boxes, scores, crops, predictions)
        return [self._person(box, float(score), crop, seen, size) for box, score, crop, seen in found]

    def _predict(self, crops: list[Crop]) -> list[Prediction]:
        """In halves, when the GPU cannot hold all at once."""
        try:
            return self._loaded.predict(crops)
        except GpuFullError:
            if len(crops) == 1:
                raise
            self._loaded.free_memory()
        middle = len(crops) // 2
        return [*self._predict(crops[:middle]), *self._predict(crops[middle:])]

    def _person(self, box: Floats, score: float, crop: Crop, seen: Prediction, size: tuple[int, int]) -> Person:
        focal_pixels = self._loaded.focal_length * max(size)
        origin = (seen.joints[keypoints.LEFT_HIP] + seen.joints[keypoints.RIGHT_HIP]) / 2
        return Person(
            box=np.clip(box, 0, [*size, *size]),
            score=score,
            skeleton=keypoints.SKELETON,
            names=keypoints.NAMES,
            keypoints=keypoints_in_image(seen.keypoints, crop.centre, crop.side),
            confidence=np.full(len(keypoints.NAMES), score),
            world=np.asarray(seen.joints - origin, np.float64),
            body=Body3D(
                global_orient=seen.global_orient,
                body_pose=seen.body_pose,
                betas=seen.betas,
                camera=camera_in_image(seen.camera, crop.centre, crop.side, size, focal_pixels),
                focal_pixels=focal_pixels,
                vertices=np.asarray(seen.vertices, np.float32),
            ),
        )
