"""What only a GPU can prove, in the GPU image. No test here falls back to the CPU."""

from __future__ import annotations

import importlib

import pytest

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


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
