"""Chooses the device of a project: what its services ask for, compared with what machine and engine have."""

from collections.abc import Callable
from pathlib import Path

from layerstack.engine.place import find_place
from layerstack.errors import EngineError
from layerstack.gpu import decision as gpu
from layerstack.gpu.decision import Decision, Request
from layerstack.gpu.gpu_probe import DockerGpu, probe_docker
from layerstack.gpu.nvml import try_host
from layerstack.project import project
from layerstack.project.gpu_request import EVERY_GPU, GpuRequest, requests_of


def choose(root: Path, requested: Request) -> Decision:
    """The device for the project in `root`, decided anew.

    Raises GpuMissing when a requested one is not available, UsageError when the project cannot be read.
    """
    if requested == "cpu":
        return gpu.decide("cpu")
    # Once: starting the driver's library can take a second.
    found, is_elsewhere = try_host(), is_engine_elsewhere()
    # This is how most machines are: without a driver neither the project nor Docker has to be asked.
    if requested == "auto" and not is_elsewhere and found[1]:
        return gpu.decide("auto", asked=found)
    asked = _requests(root)
    return gpu.decide(requested, bool(asked), found, _probe_all(asked or (EVERY_GPU,)), is_elsewhere)


def is_engine_elsewhere() -> bool:
    """Whether the engine is on another machine: this one's GPUs then say nothing."""
    try:
        return find_place().is_remote
    except EngineError:
        return False


def _requests(root: Path) -> tuple[GpuRequest, ...]:
    """What the project's services ask for, each once."""
    # Loaded for a GPU, because docker-compose.cpu.yml drops the requests that are looked for.
    services = project.load(root, "gpu").services.values()
    return tuple(dict.fromkeys(request for service in services for request in requests_of(service.definition)))


def _probe_all(asked: tuple[GpuRequest, ...]) -> Callable[[], DockerGpu]:
    """A probe of every request: the first that Docker cannot give, else that all works."""

    def probe() -> DockerGpu:
        answers = []
        for request in asked:
            answers.append(probe_docker(request))
            if not answers[-1].is_usable:
                return answers[-1]
        return answers[0]

    return probe
