"""The last good answer of the GPU probe, valid until the engine is restarted or the driver changes."""

import hashlib
import socket
import struct
from pathlib import Path

from layerstack.engine import engine
from layerstack.engine.client import EngineClient
from layerstack.engine.endpoint import find_endpoint
from layerstack.errors import EngineError, NotInEngine
from layerstack.gpu.gpu_probe import DockerGpu, probe_docker
from layerstack.process_life import read_pid, start_time
from layerstack.project.gpu_request import EVERY_GPU, GpuRequest
from layerstack.state_folder import read_json, shared_folder, write_json

PID_FILE = Path("/var/run/docker.pid")
MOST_KEPT = 16


def remembered_probe(request: GpuRequest = EVERY_GPU, driver: str = "") -> DockerGpu:
    """As `probe_docker`; a success is remembered until the engine is restarted, a failure is not remembered.

    `driver` is the version on this machine: the toolkit depends on it.
    """
    key = _key(request, driver)
    if key and (reason := _read().get(key)):
        return DockerGpu(True, reason)
    found = probe_docker(request)
    if key and found.is_usable:
        _keep(key, found.reason)
    return found


def identify_start(client: EngineClient) -> str:
    """The engine and its start as one word; "" where nothing tells one start from another.

    Signs of a start: the process behind the socket, the process in the pid file (systemd may hold the socket), and the
    default network, which dockerd recreates. Raises EngineError.
    """
    signs = [*_socket_process(), *_pid_file_process(), *_default_network(client)]
    return "|".join([str(client.api.info().get("ID")), *signs]) if signs else ""


def _socket_process() -> list[str]:
    path = find_endpoint().socket_path
    if not path or not hasattr(socket, "SO_PEERCRED"):
        return []
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        pid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    # Process 1 listens for a daemon that it may start again at any time.
    return [f"{pid}@{start_time(pid)}"] if pid > 1 and start_time(pid) else []


def _pid_file_process() -> list[str]:
    pid = read_pid(PID_FILE)
    return [] if pid is None else [f"{pid}@{start_time(pid)}"]


def _default_network(client: EngineClient) -> list[str]:
    try:
        found = client.api.inspect_network("bridge")
    except NotInEngine:
        return []
    return [f"{found.get('Id')}@{found.get('Created')}"]


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
