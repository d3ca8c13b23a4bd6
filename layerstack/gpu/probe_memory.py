"""The last good answer of the GPU probe, for as long as the same start of the engine and the same driver are there."""

import hashlib
from pathlib import Path

from layerstack.engine import engine
from layerstack.errors import EngineError
from layerstack.gpu.engine_start import identify_start
from layerstack.gpu.gpu_probe import DockerGpu, probe_docker
from layerstack.project.gpu_request import EVERY_GPU, GpuRequest
from layerstack.state_folder import read_json, shared_folder, write_json

MOST_KEPT = 16


def remembered_probe(request: GpuRequest = EVERY_GPU, driver: str = "") -> DockerGpu:
    """As `probe_docker`, without asking again what worked since the engine's start; a failure is always asked again.

    `driver` is the version on this machine: the toolkit depends on it.
    """
    key = _key(request, driver)
    if key and (reason := _read().get(key)):
        return DockerGpu(True, reason)
    found = probe_docker(request)
    if key and found.is_usable:
        _keep(key, found.reason)
    return found


def _key(request: GpuRequest, driver: str) -> str:
    try:
        start = identify_start(engine.client())
    except (EngineError, OSError):
        return ""
    return hashlib.sha256(f"{start}|{driver}|{request}".encode()).hexdigest() if start else ""


def _path() -> Path:
    return shared_folder() / "gpu-probe.json"


def _read() -> dict[str, str]:
    return {key: str(reason) for key, reason in read_json(_path()).items()}


def _keep(key: str, reason: str) -> None:
    write_json(_path(), {**_read(), key: reason}, MOST_KEPT)
