"""The GPU as a running container sees it: after `systemctl daemon-reload` it may be gone there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container, read_all
from layerstack.engine.inside import NOT_THERE, Answer, run_inside
from layerstack.errors import EngineError, reason
from layerstack.gpu.nvml import HostGpus

# nvidia-smi hangs when a card has fallen off the bus.
ASK_SECONDS = 10.0
# A restart brings the GPU back from these. From others (no permission, say) it does not.
LOST = re.compile(r"Unknown Error|No devices|version mismatch|finds no card", re.IGNORECASE)
# `GPU 0: NVIDIA H200 (UUID: GPU-6b2f7ae1-0000-0000-0000-000000000000)`
UUID = re.compile(r"\b(?:GPU|MIG)-[0-9A-Za-z/-]+")
# The toolkit brings nvidia-smi along, and the library, unless the image asks for `compute` without `utility`.
# Exit code 127, as for a missing program, makes the caller try the next way.
NVML_IN_PYTHON = """
import ctypes, sys
try:
    nvml = ctypes.CDLL("libnvidia-ml.so.1")
except OSError:
    sys.exit(127)
nvml.nvmlErrorString.restype = ctypes.c_char_p
code = nvml.nvmlInit_v2()
if code:
    sys.exit("Failed to initialize NVML: %s" % nvml.nvmlErrorString(code).decode())
count, handle, text = ctypes.c_uint(), ctypes.c_void_p(), ctypes.create_string_buffer(96)
nvml.nvmlDeviceGetCount_v2(ctypes.byref(count))
for index in range(count.value):
    if not nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(handle)):
        nvml.nvmlDeviceGetUUID(handle, text, 96)
        print(text.value.decode())
"""
WAYS: tuple[Sequence[str], ...] = (
    ("nvidia-smi", "-L"),
    ("python3", "-c", NVML_IN_PYTHON),
    ("python", "-c", NVML_IN_PYTHON),
)


@dataclass(frozen=True)
class ContainerGpu:
    """What NVML says inside one container; `problem` is "" when it sees cards, `is_lost` when the host has them."""

    service: str
    container: str
    uuids: tuple[str, ...] = ()
    problem: str = ""
    is_lost: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "container": self.container,
            "uuids": list(self.uuids),
            "problem": self.problem,
            "lost": self.is_lost,
        }


def read_containers(client: EngineClient, project_name: str, host: HostGpus | None) -> tuple[ContainerGpu, ...]:
    """Every running container of the project that was given a GPU. Raises EngineError when the engine is gone."""
    every = (one for containers in read_all(client, project_name).values() for one in containers)
    return tuple(look_inside(client, one, host) for one in every if one.has_gpu and one.is_running)


def look_inside(client: EngineClient, container: Container, host: HostGpus | None) -> ContainerGpu:
    """Ask NVML inside. A container that offers no way to ask does not count as lost."""
    found = ContainerGpu(container.service, container.name)
    try:
        answer = _ask(client, container.id)
    except (EngineError, OSError) as error:
        return replace(found, problem=f"NVML in the container could not be queried: {reason(error)}")
    if answer is None:
        return replace(found, problem="it has no NVML to ask (NVIDIA_DRIVER_CAPABILITIES without utility?)")
    uuids = tuple(UUID.findall(answer.output))
    if answer.exit_code == 0 and uuids:
        return replace(found, uuids=uuids)
    problem = answer.output.splitlines()[-1] if answer.output else "NVML finds no card"
    # Without a driver on this machine nothing shows that there was a GPU to lose.
    return replace(found, problem=problem, is_lost=bool(host and LOST.search(problem)))


def _ask(client: EngineClient, container_id: str) -> Answer | None:
    """The answer of the first way that exists in the container; None without one."""
    answers = (run_inside(client, container_id, way, ASK_SECONDS) for way in WAYS)
    return next((answer for answer in answers if answer.exit_code not in NOT_THERE), None)
