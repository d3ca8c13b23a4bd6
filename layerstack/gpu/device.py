"""Chooses the device of a project: what its services ask for, compared with what machine and engine have.

The last good answer of the engine is valid until the engine is restarted or the driver changes.
"""

import hashlib
import socket
import struct
from collections.abc import Callable
from pathlib import Path

from layerstack.engine import engine
from layerstack.engine.client import EngineClient
from layerstack.engine.endpoint import find_endpoint
from layerstack.engine.place import find_place
from layerstack.errors import EngineError, NotInEngine
from layerstack.gpu import decision as gpu
from layerstack.gpu.decision import Decision, Request
from layerstack.gpu.gpu_probe import DockerGpu, probe_docker
from layerstack.gpu.nvml import try_host
from layerstack.process_life import read_pid, start_time
from layerstack.project import project
from layerstack.project.gpu_request import EVERY_GPU, GpuRequest, requests_of
from layerstack.state_folder import read_json, shared_folder, update_json

PID_FILE = Path("/var/run/docker.pid")
CONNECT_SECONDS = 2.0
# Every start of an engine adds one.
MOST_KEPT = 16


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
    # This is how most machines are: without a driver neither the project nor Docker has to be asked.
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
    # Loaded for a GPU, because docker-compose.cpu.yml drops the requests that are looked for.
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


def remembered_probe(request: GpuRequest = EVERY_GPU, driver: str = "") -> DockerGpu:
    """As `probe_docker`; a success is remembered until the engine is restarted, a failure is not remembered.

    `driver` is the version on this machine: the toolkit depends on it.
    """
    key = _key(request, driver)
    path = shared_folder() / "gpu-probe.json"
    if key and (reason := read_json(path).get(key)):
        return DockerGpu(True, str(reason))
    found = probe_docker(request)
    # A failure is not remembered, as its repair must show at once.
    if key and found.is_usable:
        update_json(path, lambda known: {**known, key: found.reason}, MOST_KEPT)
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
    # SO_PEERCRED exists on Linux only.
    if not path or not hasattr(socket, "SO_PEERCRED"):
        return []
    with socket.socket(socket.AF_UNIX) as connection:
        # An engine that hangs accepts nothing.
        connection.settimeout(CONNECT_SECONDS)
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
