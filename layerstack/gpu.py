"""Is there a GPU, can Docker use it, and which device this stack therefore runs on."""

import io
import tarfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from layerstack import engine
from layerstack.errors import EngineError, GpuMissing
from layerstack.nvml import HostGpus, read_host
from layerstack.project import Device

Request = Literal["auto", "gpu", "cpu"]
Link = Literal["works", "driver", "docker", "toolkit", "engine", "not asked"]

PROBE_IMAGE = "layerstack/gpu-probe"
TOOLKIT_GUIDE = (
    "Install the NVIDIA container toolkit (docs.nvidia.com, container-toolkit/install-guide), restart Docker, "
    "or use --device cpu."
)
ADVICE = {
    "driver": "Install the NVIDIA driver (on WSL: the one for Windows), or use --device cpu.",
    "docker": TOOLKIT_GUIDE,
    "toolkit": "`nvidia-ctk runtime configure --runtime=docker`, then restart Docker; or use --device cpu.",
    "engine": "`invoke doctor` looks at the engine.",
}


@dataclass(frozen=True)
class DockerGpu:
    """Can a container get a GPU; `broken_link` names the part that stands in the way."""

    is_usable: bool
    reason: str
    broken_link: Link = "works"

    def to_json(self) -> dict[str, Any]:
        return {"usable": self.is_usable, "reason": self.reason}


@dataclass(frozen=True)
class Decision:
    """The device to run on, why, and what was seen on the way."""

    device: Device
    why: str
    host: HostGpus | None
    docker: DockerGpu

    def to_json(self) -> dict[str, Any]:
        return {
            "host": self.host.to_json() if self.host else None,
            "docker": self.docker.to_json(),
            "decision": self.device,
            "why": self.why,
        }


NOT_ASKED = DockerGpu(False, "not asked", "not asked")


def probe_docker() -> DockerGpu:
    """Ask the engine for a container with a GPU and a program that does not exist; never raises.

    Which of the two it misses first tells whether it can hand out a GPU: no image is pulled, nothing runs.
    """
    from docker.errors import APIError, DockerException

    try:
        api: Any = engine.client().api
        api.import_image_from_data(_one_file_archive(), repository=PROBE_IMAGE, tag="latest")
        request = _every_gpu()
        host_config = api.create_host_config(device_requests=[request], network_mode="none")
        container = api.create_container(PROBE_IMAGE, command=["/absent"], host_config=host_config)["Id"]
        try:
            api.start(container)
        except APIError as error:
            return judge_refusal(str(error.explanation or error))
        finally:
            api.remove_container(container, force=True)
            with suppress(DockerException):
                api.remove_image(PROBE_IMAGE)
    except (EngineError, DockerException, OSError) as error:
        return DockerGpu(False, f"Docker could not be asked: {str(error).splitlines()[0]}", "engine")
    return DockerGpu(False, "the probe container started without its program: the answer makes no sense", "engine")


def judge_refusal(message: str) -> DockerGpu:
    """What the engine's reason for not starting the probe says about GPUs."""
    text = message.lower()
    if "could not select device driver" in text or "cdi" in text:
        return DockerGpu(False, f"Docker has no way to a GPU: {message}", "docker")
    if "nvidia-container" in text or "nvidia-ctk" in text or "libnvidia" in text:
        return DockerGpu(False, f"the NVIDIA container toolkit fails: {message}", "toolkit")
    if "no such file" in text or "executable file not found" in text or "not found" in text:
        return DockerGpu(True, "a container gets a GPU")
    return DockerGpu(False, f"Docker refused for an unknown reason: {message}", "docker")


def decide(
    requested: Request,
    wants_gpu: bool = True,
    read: Callable[[], HostGpus | None] = read_host,
    probe: Callable[[], DockerGpu] = probe_docker,
) -> Decision:
    """The device for this stack; `wants_gpu` says whether any service reserves a GPU at all.

    Raises GpuMissing when a GPU is demanded and a link to it is broken, naming the link.
    """
    if requested == "cpu":
        return Decision("cpu", "asked for", read(), NOT_ASKED)
    host = read()
    if requested == "gpu":
        return _demand(host, probe())
    if not wants_gpu:
        return Decision("cpu", "no service of this project reserves a GPU", host, NOT_ASKED)
    if host is None:
        return Decision("cpu", "no NVIDIA driver answers on this machine", None, NOT_ASKED)
    docker = probe()
    names = ", ".join(device.name for device in host.devices)
    if docker.is_usable:
        return Decision("gpu", f"{names}, driver {host.driver}, usable from Docker", host, docker)
    return Decision("cpu", f"{names} is here, but {docker.reason}", host, docker)


def _demand(host: HostGpus | None, docker: DockerGpu) -> Decision:
    # Docker's word counts alone: the engine may be on another machine.
    if docker.is_usable:
        return Decision("gpu", "asked for, and usable from Docker", host, docker)
    if docker.broken_link in ("docker", "toolkit") and host is None:
        raise GpuMissing("A GPU was asked for, but no NVIDIA driver answers on this machine.", ADVICE["driver"])
    raise GpuMissing(f"A GPU was asked for, but {docker.reason}.", ADVICE[docker.broken_link])


def _every_gpu() -> Any:
    import docker.types

    types: Any = docker.types
    return types.DeviceRequest(count=-1, capabilities=[["gpu"]])


def _one_file_archive() -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("present"), io.BytesIO())
    return archive.getvalue()
