"""The last good answer of the GPU probe, for as long as the same start of the engine and the same driver are there."""

import hashlib
import json
import os
from pathlib import Path

from layerstack.engine import engine
from layerstack.errors import EngineError
from layerstack.gpu.engine_start import identify_start
from layerstack.gpu.gpu_probe import DockerGpu, probe_docker
from layerstack.project.gpu_request import EVERY_GPU, GpuRequest
from layerstack.state_folder import write_atomically

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


def forget() -> None:
    """Ask the engine anew the next time."""
    _path().unlink(missing_ok=True)


def _key(request: GpuRequest, driver: str) -> str:
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        start = identify_start(engine.client())
    except (EngineError, DockerException, RequestException, OSError):
        return ""
    return hashlib.sha256(f"{start}|{driver}|{request}".encode()).hexdigest() if start else ""


def _path() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "layerstack" / "gpu-probe.json"


def _read() -> dict[str, str]:
    try:
        kept = json.loads(_path().read_text())
    except (OSError, ValueError):
        return {}
    return {str(key): str(reason) for key, reason in kept.items()} if isinstance(kept, dict) else {}


def _keep(key: str, reason: str) -> None:
    """Remember one answer; a folder that cannot be written remembers nothing."""
    newest = dict([*_read().items(), (key, reason)][-MOST_KEPT:])
    try:
        _path().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(_path(), json.dumps(newest))
    except OSError:
        return
