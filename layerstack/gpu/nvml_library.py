"""Opens NVIDIA's management library and explains its errors."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

LIBRARY = "libnvidia-ml.so.1"
# WSL and Kubernetes nodes keep it outside the loader's usual path.
LIBRARY_FOLDERS = (Path("/usr/lib/wsl/lib"), Path("/usr/local/nvidia/lib64"))

ProblemKind = Literal["no-library", "driver-not-loaded", "no-device", "driver-broken"]
# Of nvmlReturn_t: an updated driver reports LIB_RM_VERSION_MISMATCH until the reboot.
DRIVER_NOT_LOADED, MISMATCH, NO_PERMISSION = 9, 18, 4
REMEDIES = {
    DRIVER_NOT_LOADED: "`sudo modprobe nvidia`; where that fails, install the driver for this kernel again.",
    MISMATCH: "`sudo reboot`: the driver was updated while the old one was loaded.",
    NO_PERMISSION: "`ls -l /dev/nvidia*`: this user may not open the driver's devices.",
}
ELSE_REMEDY = "`sudo dmesg | grep NVRM` shows more; `sudo reboot` restarts the driver."


class NvmlRefused(Exception):
    """The library is missing or does not start; `remedy` is "" when there is nothing to repair."""

    def __init__(self, kind: ProblemKind, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.remedy = remedy


@dataclass(frozen=True)
class Nvml:
    """The started library. `calls` is the module pynvml."""

    calls: Any

    def ask(self, call: str, *arguments: Any) -> Any:
        """The result, or None where driver, card or platform (WSL, old, lost) do not provide it."""
        function: Callable[..., Any] = getattr(self.calls, call)
        try:
            return function(*arguments)
        except (self.calls.NVMLError, ValueError):  # ValueError: text that is not UTF-8
            return None

    def text(self, call: str, *arguments: Any) -> str:
        """The same for text; "" without a result. Older bindings return bytes."""
        value = self.ask(call, *arguments)
        return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value or "")


@contextmanager
def opened() -> Iterator[Nvml]:
    """The initialised library, shut down afterwards. Raises NvmlRefused."""
    if not _is_loadable():
        raise NvmlRefused("no-library", f"no NVIDIA driver on this machine ({LIBRARY} is not here)")
    # Only once the library is known to load: importing pynvml takes longer than everything else here.
    import pynvml

    calls: Any = pynvml
    try:
        calls.nvmlInit()
    except calls.NVMLError as error:
        raise refusal(int(error.value), str(error)) from error
    try:
        yield Nvml(calls)
    finally:
        calls.nvmlShutdown()


def refusal(code: int, message: str) -> NvmlRefused:
    """The meaning of an NVML error of the driver as a whole."""
    kind: ProblemKind = "driver-not-loaded" if code == DRIVER_NOT_LOADED else "driver-broken"
    return NvmlRefused(kind, f"the NVIDIA driver does not answer: {message}", REMEDIES.get(code, ELSE_REMEDY))


def _is_loadable() -> bool:
    # pynvml loads it by name only, and then finds the library that was loaded from one of the other folders.
    for place in (LIBRARY, *(str(folder / LIBRARY) for folder in LIBRARY_FOLDERS)):
        try:
            ctypes.CDLL(place)
        except OSError:
            continue
        return True
    return False
