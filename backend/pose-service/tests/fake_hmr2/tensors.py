"""A FAKE torch: arrays with the few methods that are called, and a device that must be right."""

from __future__ import annotations

import contextlib
import types
from typing import Any

import numpy as np


class Tensor:
    """NumPy underneath; what is on the GPU cannot be read from the CPU, and the other way round."""

    def __init__(self, array: Any, device: str = "cpu") -> None:
        self.array, self.device = np.asarray(array), device

    def to(self, device: str) -> Tensor:
        return Tensor(self.array, device)

    def cpu(self) -> Tensor:
        return self.to("cpu")

    def float(self) -> Tensor:
        return Tensor(self.array.astype(np.float32), self.device)

    def numpy(self) -> Any:
        if self.device != "cpu":
            raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first.")
        return self.array

    def __getitem__(self, index: Any) -> Tensor:
        return Tensor(self.array[index.array if isinstance(index, Tensor) else index], self.device)

    def __eq__(self, other: object) -> Any:
        return Tensor(self.array == other, self.device)

    __hash__ = None  # type: ignore[assignment]


def make_torch(total_bytes: int = 16_000_000_000, is_available: bool = True) -> types.ModuleType:
    """A module `torch`; `freed` counts how often its cache was emptied."""
    torch: Any = types.ModuleType("torch")
    torch.freed = 0

    def empty_cache() -> None:
        torch.freed += 1

    class OutOfMemoryError(RuntimeError):
        pass

    torch.from_numpy = Tensor
    torch.inference_mode = contextlib.nullcontext
    torch.cuda = types.SimpleNamespace(
        is_available=lambda: is_available,
        mem_get_info=lambda: (total_bytes, total_bytes),
        empty_cache=empty_cache,
        OutOfMemoryError=OutOfMemoryError,
    )
    return torch  # type: ignore[no-any-return]
