"""NVIDIA's management library, opened for a while: where it lies, what its refusals mean."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

LIBRARY = "libnvidia-ml.so.1"
# WSL and Kubernetes nodes keep it where the loader does not always look.
LIBRARY_FOLDERS = (Path("/usr/lib/wsl/lib"), Path("/usr/local/nvidia/lib64"))

ProblemKind = Literal["no-library", "driver-not-loaded", "no-device", "driver-broken"]
DRIVER_NOT_LOADED, MISMATCH, NO_PERMISSION = 9, 18, 4
REMEDIES = {
    DRIVER_NOT_LOADED: "`sudo modprobe nvidia`; where that fails, install the driver for this kernel again.",
    MISMATCH: "`sudo reboot`: the driver was updated while the old one was loaded.",
    NO_PERMISSION: "`ls -l /dev/nvidia*`: this user may not open the driver's devices.",
}
ELSE_REMEDY = "`sudo dmesg | grep NVRM` tells more; `sudo reboot` starts the driver anew."


class NvmlRefused(Exception):
    """The library is missing or does not start; `remedy` is what to do, "" when there is nothing to repair."""

    def __init__(self, kind: ProblemKind, words: str, remedy: str = "") -> None:
        super().__init__(words)
        self.kind = kind
        self.remedy = remedy


@dataclass(frozen=True)
class Nvml:
    """The started library. `calls` is the module pynvml."""

    calls: Any

    def ask(self, call: str, *arguments: Any) -> Any:
        """The answer, or None where this driver, card or platform (WSL, old, lost) cannot give it."""
        function: Callable[..., Any] = getattr(self.calls, call)
        try:
            return function(*arguments)
        except (self.calls.NVMLError, ValueError):  # ValueError: text that is not UTF-8
            return None

    def text(self, call: str, *arguments: Any) -> str:
        """The same for a text; "" without an answer. Older bindings return bytes."""
        value = self.ask(call, *arguments)
        return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value or "")


@contextmanager
def opened() -> Iterator[Nvml]:
    """The library, started and stopped again. Raises NvmlRefused."""
    if not _is_loadable():
        raise NvmlRefused("no-library", f"no NVIDIA driver on this machine ({LIBRARY} is not here)")
    # After the library itself: importing pynvml takes longer than all the rest.
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


def refusal(code: int, words: str) -> NvmlRefused:
    """What an NVML error of the whole driver means."""
    kind: ProblemKind = "driver-not-loaded" if code == DRIVER_NOT_LOADED else "driver-broken"
    return NvmlRefused(kind, f"the NVIDIA driver does not answer: {words}", REMEDIES.get(code, ELSE_REMEDY))


def _is_loadable() -> bool:
    """Load it by its usual name or from a known folder; pynvml then gets the loaded one by its usual name."""
    for place in (LIBRARY, *(str(folder / LIBRARY) for folder in LIBRARY_FOLDERS)):
        try:
            ctypes.CDLL(place)
        except OSError:
            continue
        return True
    return False
