"""The NVIDIA driver of this machine and its devices, as NVML tells."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Gpu:
    """One device as its driver describes it; memory in bytes, None where the driver does not say (WSL)."""

    index: int
    name: str
    uuid: str
    memory_total_bytes: int | None
    memory_free_bytes: int | None
    compute_capability: str

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class HostGpus:
    """The NVIDIA driver of this machine and its devices."""

    driver: str
    devices: tuple[Gpu, ...]

    def to_json(self) -> dict[str, Any]:
        return {"driver": self.driver, "devices": [device.to_json() for device in self.devices]}


def read_host() -> HostGpus | None:
    """What NVML says; None without a working NVIDIA driver or without a device."""
    if not _has_library():
        return None
    import pynvml

    nvml: Any = pynvml
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None
    try:
        devices = tuple(_read_device(nvml, index) for index in range(nvml.nvmlDeviceGetCount()))
        return HostGpus(_text(nvml.nvmlSystemGetDriverVersion()), devices) if devices else None
    except nvml.NVMLError:
        return None
    finally:
        nvml.nvmlShutdown()


def _has_library() -> bool:
    """Whether the driver's library is here; asked first because importing pynvml takes longer than all the rest."""
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return False
    return True


def _read_device(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = _supported(nvml, lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
    capability = _supported(nvml, lambda: nvml.nvmlDeviceGetCudaComputeCapability(handle))
    return Gpu(
        index=index,
        name=_text(nvml.nvmlDeviceGetName(handle)),
        uuid=_text(_supported(nvml, lambda: nvml.nvmlDeviceGetUUID(handle)) or ""),
        memory_total_bytes=int(memory.total) if memory else None,
        memory_free_bytes=int(memory.free) if memory else None,
        compute_capability=".".join(map(str, capability)) if capability else "",
    )


def _supported(nvml: Any, ask: Callable[[], Any]) -> Any:
    """The answer, or None where the driver cannot give it, as on WSL."""
    try:
        return ask()
    except nvml.NVMLError:
        return None


def _text(value: str | bytes) -> str:
    # Older bindings return bytes.
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value
