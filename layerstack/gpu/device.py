"""Chooses the device of a project: what its services ask for, compared with what machine and engine have."""

from collections.abc import Callable
from pathlib import Path

from layerstack.engine.place import find_place
from layerstack.errors import EngineError
from layerstack.gpu import decision as gpu
from layerstack.gpu.decision import Decision, Request
from layerstack.gpu.gpu_probe import DockerGpu, probe_docker
from layerstack.gpu.nvml import HostGpus, ask_host
from layerstack.gpu.nvml_library import NvmlRefused
from layerstack.gpu.probe_memory import remembered_probe
from layerstack.project import project
from layerstack.project.gpu_request import EVERY_GPU, GpuRequest, requests_of


def choose(root: Path, requested: Request, is_fresh: bool = False) -> Decision:
    """The device for the project in `root`.

    With `is_fresh` Docker is probed again even after an earlier success. Raises GpuMissing when a requested one is not
    available, UsageError when the project cannot be read.
    """
    if requested == "cpu":
        return gpu.decide("cpu")
    read, is_elsewhere = _once(ask_host), is_engine_elsewhere()
    if requested == "auto" and not is_elsewhere and not _answers(read):
        return gpu.decide("auto", read=read)
    asked = _requests(root)
    probe = _probe_all(asked or (EVERY_GPU,), read, is_fresh)
    return gpu.decide(requested, bool(asked), read, probe, is_elsewhere)


def is_engine_elsewhere() -> bool:
    """Whether the engine is on another machine: this one's GPUs then say nothing."""
    try:
        return find_place().is_remote
    except EngineError:
        return False


def _requests(root: Path) -> tuple[GpuRequest, ...]:
    """What the project's services ask for, each once."""
    services = project.load(root, "gpu").services.values()
    return tuple(dict.fromkeys(request for service in services for request in requests_of(service.definition)))


def _probe_all(asked: tuple[GpuRequest, ...], read: Callable[[], HostGpus], is_fresh: bool) -> Callable[[], DockerGpu]:
    """A probe of every request: the first that Docker cannot give, else that all works."""

    def probe() -> DockerGpu:
        driver = read().driver if _answers(read) else ""
        found = (probe_docker(one) if is_fresh else remembered_probe(one, driver) for one in asked)
        answers = []
        for answer in found:
            if not answer.is_usable:
                return answer
            answers.append(answer)
        return answers[0]

    return probe


def _once(read: Callable[[], HostGpus]) -> Callable[[], HostGpus]:
    """The same answer for every call: starting the driver's library can take a second."""
    kept: list[HostGpus | NvmlRefused] = []

    def answer() -> HostGpus:
        if not kept:
            try:
                kept.append(read())
            except NvmlRefused as refused:
                kept.append(refused)
        if isinstance(kept[0], NvmlRefused):
            raise kept[0]
        return kept[0]

    return answer


def _answers(read: Callable[[], HostGpus]) -> bool:
    try:
        read()
    except NvmlRefused:
        return False
    return True
