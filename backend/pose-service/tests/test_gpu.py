"""What only a GPU can prove, in the GPU image. No test here falls back to the CPU."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pose_service.contract.engine import EngineUnavailableError, Pixels
from pose_service.engines.hmr2.engine import GpuMemoryError, Hmr2Engine

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("cuda")]


def test_pytorch_computes_on_the_gpu_as_on_the_cpu() -> None:
    import torch

    torch.manual_seed(0)
    left, right = torch.randn(64, 128), torch.randn(128, 32)
    product = left.cuda() @ right.cuda()
    assert product.is_cuda
    torch.testing.assert_close(product.cpu(), left @ right, rtol=1e-3, atol=1e-3)


def test_detectron2_suppresses_overlapping_boxes_on_the_gpu() -> None:
    import torch
    from detectron2 import _C
    from detectron2.layers import nms_rotated

    assert _C.has_cuda()
    # Centre x, centre y, width, height, degrees: the second box lies on the first, the third is far away.
    boxes = torch.tensor([[10, 10, 8, 4, 30], [10, 11, 8, 4, 30], [90, 90, 8, 4, 0]], dtype=torch.float32)
    kept = nms_rotated(boxes.cuda(), torch.tensor([0.9, 0.8, 0.7]).cuda(), 0.5)
    assert kept.is_cuda
    assert kept.cpu().tolist() == [0, 2]


def test_pytorch3d_finds_nearest_points_on_the_gpu() -> None:
    import torch
    from pytorch3d import _C
    from pytorch3d.ops import knn_points

    assert hasattr(_C, "knn_points_idx")
    torch.manual_seed(0)
    first, second = torch.randn(1, 50, 3), torch.randn(1, 70, 3)
    found = knn_points(first.cuda(), second.cuda(), K=3)
    assert found.idx.is_cuda
    wanted = torch.cdist(first, second).topk(3, largest=False).indices
    assert found.idx.cpu().tolist() == wanted.tolist()


def test_the_driver_inside_sees_the_devices_that_pytorch_sees() -> None:
    import torch

    pynvml = importlib.import_module("pynvml")
    pynvml.nvmlInit()
    try:
        driver_ids = {
            _text(pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(index)))
            for index in range(pynvml.nvmlDeviceGetCount())
        }
    finally:
        pynvml.nvmlShutdown()
    assert {torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())} <= driver_ids


@pytest.fixture(scope="module")
def hmr2() -> Iterator[Hmr2Engine]:
    """The GPU engine, loaded; without its model files that is a skip, or a failure where a GPU was demanded."""
    engine = Hmr2Engine()
    try:
        engine.load()
    except EngineUnavailableError as error:
        if os.environ.get("REQUIRE_GPU") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))
    yield engine
    engine.close()


def test_hmr2_finds_the_astronaut(hmr2: Hmr2Engine, photo: Pixels) -> None:
    (person,) = hmr2.estimate(photo)
    assert person.keypoints[0] == pytest.approx((223, 128), abs=15)
    assert person.body is not None
    assert person.body.vertices is not None
    assert np.linalg.det(person.body.global_orient) == pytest.approx(1, abs=1e-3)
    assert np.isfinite(person.body.vertices).all()


def test_hmr2_finds_several_in_one_batch(hmr2: Hmr2Engine, photo: Pixels) -> None:
    people = hmr2.estimate(np.concatenate([photo, photo[:, ::-1]], axis=1))
    assert len(people) == 2
    assert hmr2.estimate(np.zeros_like(photo)) == []


def test_hmr2_keeps_to_its_memory(hmr2: Hmr2Engine, photo: Pixels) -> None:
    import torch

    hmr2.estimate(photo)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    for _ in range(20):
        hmr2.estimate(photo)
    assert torch.cuda.memory_allocated() <= before * 1.02
    # 9.5 GB with ViTDet-H is what others report.
    assert torch.cuda.max_memory_allocated() < 12e9


def test_hmr2_without_room_says_so_and_recovers(hmr2: Hmr2Engine, photo: Pixels) -> None:
    import torch

    torch.cuda.empty_cache()
    free_bytes, _ = torch.cuda.mem_get_info()
    taken = torch.empty(int(free_bytes - 50e6), dtype=torch.uint8, device="cuda:0")
    with pytest.raises(GpuMemoryError):
        hmr2.estimate(photo)
    del taken
    torch.cuda.empty_cache()
    assert len(hmr2.estimate(photo)) == 1


def test_a_lost_gpu_ends_the_engine_process() -> None:
    """In a process of its own: after a fault in a kernel the GPU is lost to it for ever."""
    code = (
        "import torch, numpy as np\n"
        "from pose_service.engines.hmr2.engine import Hmr2Engine\n"
        "from pose_service.engines.hmr2.models import _gpu_errors\n"
        "class Broken:\n"
        "    def detect(self, bgr):\n"
        "        with _gpu_errors():\n"
        "            torch.zeros(4, device='cuda')[torch.tensor([9], device='cuda')]\n"
        "            torch.cuda.synchronize()\n"
        "engine = Hmr2Engine(Broken)\n"
        "engine.load()\n"
        "engine.estimate(np.zeros((8, 8, 3), np.uint8))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1
    assert "the GPU was lost" in ended.stderr


@pytest.fixture(scope="module")
def photo(astronaut: Path) -> Pixels:
    return np.asarray(Image.open(astronaut).convert("RGB"))


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
