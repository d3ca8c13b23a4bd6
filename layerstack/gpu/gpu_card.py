"""The units of GPU that can be used on their own: a card, or an instance of a card in MIG mode."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from layerstack.gpu.nvml import Gpu, GpuProcess, HostGpus, read_memory, read_processes
from layerstack.gpu.nvml_library import Nvml


@dataclass(frozen=True)
class Card:
    """Memory in bytes, None where the driver does not report it; `index` is the number of the physical card."""

    uuid: str
    name: str
    index: int
    total_bytes: int | None
    free_bytes: int | None
    processes: tuple[GpuProcess, ...] = ()


def cards_of(host: HostGpus) -> tuple[Card, ...]:
    """Every usable unit, in the driver's order."""
    return tuple(card for gpu in host.devices if gpu.is_usable for card in _parts(gpu))


def read_card(nvml: Nvml, card: Card) -> Card:
    """The card with its current memory and processes; unchanged when the driver does not respond."""
    handle: Any = nvml.ask("nvmlDeviceGetHandleByUUID", card.uuid.encode()) if card.uuid else None
    if not handle:
        return card
    total, free = read_memory(nvml, handle)
    return Card(card.uuid, card.name, card.index, total, free, read_processes(nvml, handle))


def _parts(gpu: Gpu) -> Iterator[Card]:
    if not gpu.has_mig:
        name = gpu.uuid or f"card-{gpu.index}"
        yield Card(name, gpu.name, gpu.index, gpu.memory_total_bytes, gpu.memory_free_bytes, gpu.processes)
    for part in gpu.instances:
        yield Card(part.uuid, part.name, gpu.index, part.memory_total_bytes, part.memory_free_bytes, part.processes)
