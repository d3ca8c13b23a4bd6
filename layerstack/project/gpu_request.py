"""GPU requests of a Compose service, in one form for all the ways to write them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

CDI_KIND = "nvidia.com/gpu"
CDI_DRIVER = "cdi"
ALL = -1
KEYS = ("deploy", "gpus", "devices", "runtime")


@dataclass(frozen=True)
class GpuRequest:
    """One reservation: `count` cards (-1: all; 0: those in `device_ids`), or the old `runtime: nvidia`."""

    driver: str = ""
    count: int = ALL
    device_ids: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ("gpu",)
    runtime: str = ""

    @property
    def words(self) -> str:
        """The request in words that follow "asks for"."""
        if self.runtime:
            return f"the runtime {self.runtime}"
        if self.device_ids:
            return f"the device{'s' if len(self.device_ids) > 1 else ''} {', '.join(self.device_ids)}"
        return "all cards" if self.count == ALL else f"{self.count} card{'s' if self.count > 1 else ''}"


EVERY_GPU = GpuRequest()
EVERY_CDI_GPU = GpuRequest(CDI_DRIVER, 0, (f"{CDI_KIND}=all",), ())


def requests_of(definition: Mapping[str, Any]) -> tuple[GpuRequest, ...]:
    """The GPU requests in the resolved definition of a service."""
    return tuple(_requests(definition))


def keys_of(definition: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of a service by which it asks for a GPU, in the order of Compose's documentation."""
    return tuple(key for key in KEYS if requests_of({key: definition.get(key)}))


def _requests(definition: Mapping[str, Any]) -> Iterator[GpuRequest]:
    resources = (definition.get("deploy") or {}).get("resources") or {}
    for device in (resources.get("reservations") or {}).get("devices") or ():
        if _is_gpu(device):
            yield _from_reservation(device)
    for device in definition.get("gpus") or ():
        # The short key needs no capabilities: it always means GPUs.
        yield _from_reservation({"capabilities": ["gpu"], **device})
    named = [str(device.get("source", "")) for device in definition.get("devices") or () if isinstance(device, dict)]
    if cdi := tuple(name for name in named if name.startswith(CDI_KIND)):
        yield GpuRequest(CDI_DRIVER, 0, cdi, ())
    if definition.get("runtime") == "nvidia":
        yield GpuRequest(runtime="nvidia")


def _is_gpu(device: Mapping[str, Any]) -> bool:
    names = [str(name) for name in device.get("device_ids") or ()]
    return "gpu" in (device.get("capabilities") or ()) or any(name.startswith(CDI_KIND) for name in names)


def _from_reservation(device: Mapping[str, Any]) -> GpuRequest:
    ids = tuple(str(name) for name in device.get("device_ids") or ())
    # Compose reserves all cards where neither a count nor ids are given.
    count = device.get("count", 0 if ids else ALL)
    number = ALL if count in ("all", None) else int(count)
    driver = str(device.get("driver") or "")
    # CDI devices have names and no capabilities.
    capabilities = () if driver == CDI_DRIVER else tuple(str(word) for word in device.get("capabilities") or ())
    return GpuRequest(driver, number, ids, capabilities)
