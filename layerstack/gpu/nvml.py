"""The NVIDIA driver of this machine and its cards, as NVML reports them."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from layerstack.gpu.nvml_library import Nvml, NvmlRefused, opened, refusal

PCI_DEVICES = Path("/sys/bus/pci/devices")
NVIDIA_VENDOR = "0x10de"
# PCI classes of a VGA controller and of a 3D controller, such as a card without outputs.
DISPLAY_CLASSES = ("0x0300", "0x0302")
DRIVER_GUIDE = "Install the NVIDIA driver: on Debian `sudo apt install nvidia-driver`, elsewhere nvidia.com/drivers."


@dataclass(frozen=True)
class GpuProcess:
    """A process on a card; `used_bytes` is None where the driver does not report it (WSL)."""

    pid: int
    used_bytes: int | None


@dataclass(frozen=True)
class MigInstance:
    """An instance of a card in MIG mode; memory in bytes."""

    uuid: str
    name: str
    memory_total_bytes: int | None
    memory_free_bytes: int | None
    processes: tuple[GpuProcess, ...] = ()


@dataclass(frozen=True)
class Gpu:
    """One card; memory in bytes, None where the driver does not report it (WSL).

    With `has_mig` only its `instances` are usable. `problem` says why it is not usable at all.
    """

    index: int
    name: str
    uuid: str
    memory_total_bytes: int | None
    memory_free_bytes: int | None
    compute_capability: str
    processes: tuple[GpuProcess, ...] = ()
    has_mig: bool = False
    instances: tuple[MigInstance, ...] = ()
    problem: str = ""

    @property
    def is_usable(self) -> bool:
        return not self.problem and (bool(self.instances) or not self.has_mig)


@dataclass(frozen=True)
class HostGpus:
    """The NVIDIA driver of this machine and its cards."""

    driver: str
    devices: tuple[Gpu, ...]

    @property
    def names(self) -> str:
        return ", ".join(device.name for device in self.devices)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Card:
    """What can be used on its own: a card, or an instance of one in MIG mode; `index` is the number of the card.

    Memory in bytes, None where the driver does not report it.
    """

    uuid: str
    name: str
    index: int
    total_bytes: int | None
    free_bytes: int | None
    processes: tuple[GpuProcess, ...] = ()

    @property
    def docker_name(self) -> str:
        """What `docker run --gpus device=…` calls it."""
        # Some drivers report no UUID; the index works everywhere.
        return self.uuid if self.uuid.startswith(("GPU-", "MIG-")) else str(self.index)


HostAnswer = tuple[HostGpus | None, NvmlRefused | None]


def ask_host() -> HostGpus:
    """Driver and cards, at least one. Raises NvmlRefused with the reason and the remedy."""
    try:
        with opened() as nvml:
            return _read(nvml)
    except NvmlRefused as refused:
        # A machine without a card needs no driver; one with a card does.
        if refused.kind == "no-library" and (cards := count_pci_cards()):
            words = f"{cards} NVIDIA card{'s' if cards > 1 else ''} on the PCI bus, but no driver for it"
            raise NvmlRefused("driver-not-loaded", words, DRIVER_GUIDE) from refused
        raise


def try_host() -> HostAnswer:
    """Driver and cards, or why there are none."""
    try:
        return ask_host(), None
    except NvmlRefused as refused:
        return None, refused


def read_host() -> HostGpus | None:
    """Driver and cards; None without a working driver or a card."""
    return try_host()[0]


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


def read_processes(nvml: Nvml, handle: Any) -> tuple[GpuProcess, ...]:
    """The compute and graphics processes of a card or instance, each once."""
    most: dict[int, int | None] = {}
    for kind in ("Compute", "Graphics"):
        for one in nvml.ask(f"nvmlDeviceGet{kind}RunningProcesses", handle) or ():
            known = [used for used in (most.get(one.pid), one.usedGpuMemory) if used is not None]
            # A process that computes and draws is in both lists; its memory must not count twice.
            most[one.pid] = max(known, default=None)
    return tuple(GpuProcess(pid, used) for pid, used in sorted(most.items()))


def read_memory(nvml: Nvml, handle: Any) -> tuple[int | None, int | None]:
    """(total, free) bytes of a card or instance, None where the driver does not report them."""
    memory = nvml.ask("nvmlDeviceGetMemoryInfo", handle)
    return (int(memory.total), int(memory.free)) if memory else (None, None)


def count_pci_cards() -> int:
    """NVIDIA display devices on the PCI bus, which are listed without a driver too."""

    def is_card(device: Path) -> bool:
        try:
            vendor, kind = ((device / name).read_text().strip() for name in ("vendor", "class"))
        except OSError:
            return False
        return vendor == NVIDIA_VENDOR and kind.startswith(DISPLAY_CLASSES)

    return sum(map(is_card, PCI_DEVICES.iterdir())) if PCI_DEVICES.is_dir() else 0


def _parts(gpu: Gpu) -> Iterator[Card]:
    if not gpu.has_mig:
        name = gpu.uuid or f"card-{gpu.index}"
        yield Card(name, gpu.name, gpu.index, gpu.memory_total_bytes, gpu.memory_free_bytes, gpu.processes)
    for part in gpu.instances:
        yield Card(part.uuid, part.name, gpu.index, part.memory_total_bytes, part.memory_free_bytes, part.processes)


def _read(nvml: Nvml) -> HostGpus:
    try:
        count = nvml.calls.nvmlDeviceGetCount()
    except nvml.calls.NVMLError as error:
        raise refusal(int(error.value), str(error)) from error
    if not count:
        raise NvmlRefused("no-device", "the NVIDIA driver runs, but finds no card")
    return HostGpus(nvml.text("nvmlSystemGetDriverVersion"), tuple(_read_card(nvml, index) for index in range(count)))


def _read_card(nvml: Nvml, index: int) -> Gpu:
    try:
        handle = nvml.calls.nvmlDeviceGetHandleByIndex(index)
    except nvml.calls.NVMLError as error:
        # A card that fell off the bus must not hide the others.
        return Gpu(index, f"card {index}", "", None, None, "", problem=str(error))
    total, free = read_memory(nvml, handle)
    capability = nvml.ask("nvmlDeviceGetCudaComputeCapability", handle)
    mig_mode = nvml.ask("nvmlDeviceGetMigMode", handle)
    has_mig = bool(mig_mode and mig_mode[0])
    return Gpu(
        index=index,
        name=nvml.text("nvmlDeviceGetName", handle) or f"card {index}",
        uuid=nvml.text("nvmlDeviceGetUUID", handle),
        memory_total_bytes=total,
        memory_free_bytes=free,
        compute_capability=".".join(map(str, capability)) if capability else "",
        processes=read_processes(nvml, handle),
        has_mig=has_mig,
        instances=tuple(_read_instances(nvml, handle)) if has_mig else (),
    )


def _read_instances(nvml: Nvml, card: Any) -> Iterator[MigInstance]:
    for index in range(nvml.ask("nvmlDeviceGetMaxMigDeviceCount", card) or 0):
        # Removed instances leave gaps in the indices.
        handle = nvml.ask("nvmlDeviceGetMigDeviceHandleByIndex", card, index)
        if handle:
            uuid, name = nvml.text("nvmlDeviceGetUUID", handle), nvml.text("nvmlDeviceGetName", handle)
            yield MigInstance(uuid, name, *read_memory(nvml, handle), read_processes(nvml, handle))
