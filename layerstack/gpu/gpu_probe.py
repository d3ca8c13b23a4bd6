"""Whether the engine can give a container a GPU: asks it for one instead of reading its configuration.

`docker info` is no answer: hosts with CDI only do not list the runtime `nvidia`, and broken ones do.
"""

import io
import os
import shutil
import tarfile
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from layerstack.engine import engine, texts
from layerstack.engine.texts import Text
from layerstack.errors import EngineError, reason
from layerstack.project.gpu_request import CDI_DRIVER, EVERY_CDI_GPU, EVERY_GPU, GpuRequest

if TYPE_CHECKING:
    from docker.api import APIClient

Link = Literal["works", "driver", "docker", "setup", "cdi", "toolkit", "request", "engine", "not asked"]

PROBE_IMAGE = "layerstack/gpu-probe"
ABSENT = "/absent"
# dockerd offers a GPU when it finds its hook on PATH. Any of these means that the toolkit is installed.
TOOLKIT_PROGRAMS = ("nvidia-ctk", "nvidia-container-runtime-hook", "nvidia-container-cli")
ADVICE = {
    "driver": "Install the NVIDIA driver (on WSL: the one for Windows), or use --device cpu.",
    "docker": (
        "`sudo apt install nvidia-container-toolkit && sudo systemctl restart docker` "
        "(package source: docs.nvidia.com, container-toolkit/install-guide); or use --device cpu."
    ),
    "setup": (
        "`sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker`; or use --device cpu."
    ),
    "cdi": (
        "Let the service ask for `driver: cdi` and `device_ids: [nvidia.com/gpu=all]`, or "
        "`sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker`; or use --device cpu."
    ),
    "toolkit": "`sudo nvidia-container-cli --load-kmods info` shows what the toolkit misses; or use --device cpu.",
    "request": "Let the service ask for cards that are there (`invoke gpu` lists them), or use --device cpu.",
    "engine": "`invoke doctor` checks the engine.",
}
# Message of Docker, toolkit or runtime → the broken link. The first match counts.
# The toolkit comes before `cdi`, a word that its messages may contain, too (`nvidia-cdi-hook`).
SIGNS: tuple[tuple[tuple[Text, ...], Link], ...] = (
    # The program is looked for last, after everything that prepares a GPU.
    ((Text(ABSENT, texts.SOURCE),), "works"),
    (texts.GPU_UNKNOWN, "request"),
    (texts.NO_GPU_DRIVER, "docker"),
    (texts.TOOLKIT_FAILS, "toolkit"),
    ((Text("cdi", texts.ENGINE),), "docker"),
)


@dataclass(frozen=True)
class DockerGpu:
    """Whether a container can get a GPU; `broken_link` names the part that fails."""

    is_usable: bool
    reason: str
    broken_link: Link = "works"

    def to_json(self) -> dict[str, Any]:
        return {"usable": self.is_usable, "reason": self.reason}


NOT_ASKED = DockerGpu(False, "not asked", "not asked")


def probe_docker(request: GpuRequest = EVERY_GPU) -> DockerGpu:
    """Request a container with this GPU and a program that does not exist; never raises.

    Docker prepares the GPU before it looks for the program, so the error shows whether that worked. No image is pulled
    and nothing runs.
    """
    try:
        client = engine.client()
        found = judge_refusal(_refusal(client.api, request), request)
        return _refined(client.api, found) if found.broken_link == "docker" else found
    except (EngineError, OSError) as error:
        said = next(iter(reason(error).splitlines()), type(error).__name__)
        return DockerGpu(False, f"Docker could not be queried: {said}", "engine")


def judge_refusal(message: str, request: GpuRequest = EVERY_GPU) -> DockerGpu:
    """What the engine's error for the probe says about GPUs."""
    link = next((link for signs, link in SIGNS if texts.says(message, *signs)), None)
    cause = _last_cause(message)
    if link == "works":
        return DockerGpu(True, "a container gets a GPU")
    if link == "request":
        # A CDI request for all cards fails only when the CDI description is missing.
        is_all = request.driver == CDI_DRIVER and request.device_ids == EVERY_CDI_GPU.device_ids
        words = f"the service asks for {request.words}, and Docker cannot give that: {cause}"
        return DockerGpu(False, words, "docker" if is_all else "request")
    if link == "toolkit":
        return DockerGpu(False, f"the NVIDIA container toolkit fails: {cause}", "toolkit")
    if link == "docker":
        return DockerGpu(False, f"Docker cannot access a GPU: {cause}", "docker")
    return DockerGpu(False, f"Docker refused for an unknown reason: {cause}", "docker")


def _refusal(api: "APIClient", request: GpuRequest) -> str:
    """The engine's error for the probe. Raises EngineError when it fails at something else."""
    # A unique name, as two programs may probe at the same time.
    name = f"{PROBE_IMAGE}:{os.getpid()}-{os.urandom(4).hex()}"
    api.import_image_from_data(_one_file_archive(), repository=PROBE_IMAGE, tag=name.partition(":")[2])
    container = ""
    try:
        settings = api.create_host_config(network_mode="none", **_asked_for(request))
        container = api.create_container(name, command=[ABSENT], host_config=settings)["Id"]
        api.start(container)
    except EngineError as error:
        return str(getattr(error, "explanation", "") or error)
    finally:
        # A failed removal must not hide the answer.
        with suppress(EngineError):
            if container:
                api.remove_container(container, force=True)
        with suppress(EngineError):
            api.remove_image(name)
    return "the probe started without its program, which should not happen"


def _asked_for(request: GpuRequest) -> dict[str, Any]:
    if request.runtime:
        return {"runtime": request.runtime}
    from docker.types import DeviceRequest

    capabilities = [list(request.capabilities)] if request.capabilities else []
    asked = DeviceRequest(
        driver=request.driver, count=request.count, device_ids=list(request.device_ids), capabilities=capabilities
    )
    return {"device_requests": [asked]}


def _refined(api: "APIClient", verdict: DockerGpu) -> DockerGpu:
    """Why Docker has no way to a GPU: only CDI knows it, the toolkit is not set up, or not installed."""
    # An engine may know the GPU by its CDI name only.
    if judge_refusal(_refusal(api, EVERY_CDI_GPU), EVERY_CDI_GPU).is_usable:
        return DockerGpu(False, "Docker knows the GPU by its CDI name only, not as the service asks for it", "cdi")
    # A toolkit that is installed but not registered needs another repair than a missing one.
    has_toolkit = "nvidia" in (api.info().get("Runtimes") or ()) or any(map(shutil.which, TOOLKIT_PROGRAMS))
    return DockerGpu(False, verdict.reason, "setup") if has_toolkit else verdict


def _last_cause(message: str) -> str:
    """The end of the engine's chain of causes; the rest is its call stack."""
    line = " ".join(message.split())
    for start in ("nvidia-container-cli:", "CDI device injection failed:", "exec:"):
        if start in line:
            return line[line.rindex(start) :]
    return line


def _one_file_archive() -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("present"), io.BytesIO())
    return archive.getvalue()
