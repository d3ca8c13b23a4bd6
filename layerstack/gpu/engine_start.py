"""Which start of which engine answers: a word that changes when the daemon is started again."""

import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from layerstack.engine.endpoint import find_endpoint
from layerstack.errors import NotInEngine
from layerstack.process_life import start_time

if TYPE_CHECKING:
    from layerstack.engine.api import EngineClient

PID_FILE = Path("/var/run/docker.pid")


def identify_start(client: "EngineClient") -> str:
    """The engine and its start as one word; "" where nothing tells one start from another.

    The process behind the socket counts, the process in the pid file (systemd holds the socket for dockerd), and the
    default network, which dockerd makes anew at its start. Raises EngineError.
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
    try:
        pid = int(PID_FILE.read_text())
    except (OSError, ValueError):
        return []
    return [f"{pid}@{start_time(pid)}"]


def _default_network(client: "EngineClient") -> list[str]:
    try:
        found = client.api.inspect_network("bridge")
    except NotInEngine:
        return []
    return [f"{found.get('Id')}@{found.get('Created')}"]
