"""Chooses the device of a project: what its services ask for, compared with what machine and engine have."""

from collections.abc import Callable
from pathlib import Path

from layerstack.engine.place import find_place
from layerstack.errors import EngineError
from layerstack.gpu import decision as gpu
from layerstack.gpu.decision import Decision, Request
from layerstack.gpu.gpu_probe import DockerGpu, probe_docker
from layerstack.gpu.nvml import try_host
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
    # Once: starting the driver's library can take a second.
    found, is_elsewhere = try_host(), is_engine_elsewhere()
    host, refused = found
    if requested == "auto" and not is_elsewhere and refused:
        return gpu.decide("auto", asked=found)
    asked = _requests(root)
    probe = _probe_all(asked or (EVERY_GPU,), host.driver if host else "", is_fresh)
    return gpu.decide(requested, bool(asked), found, probe, is_elsewhere)


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


def _probe_all(asked: tuple[GpuRequest, ...], driver: str, is_fresh: bool) -> Callable[[], DockerGpu]:
    """A probe of every request: the first that Docker cannot give, else that all works."""

    def probe() -> DockerGpu:
        answers = []
        for request in asked:
            answers.append(probe_docker(request) if is_fresh else remembered_probe(request, driver))
            if not answers[-1].is_usable:
                return answers[-1]
        return answers[0]

    return probe
