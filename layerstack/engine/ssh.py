"""The Docker SDK over `ssh://` with the system's ssh, as the docker command does it, and without Paramiko."""

import sys
import threading
from types import ModuleType

from docker.api import client

# Two threads may ask for a client at the same time.
_LOCK = threading.Lock()


def use_system_ssh() -> None:
    """Give the SDK its adapter. That imports Paramiko, for a client of its own that `use_ssh_client` leaves unused.

    Seen in docker 7.2: without Paramiko the SDK refuses every address that begins with `ssh://`.
    """
    with _LOCK:
        if not hasattr(client, "SSHHTTPAdapter"):
            vars(client)["SSHHTTPAdapter"] = _import_adapter()


def _import_adapter() -> type:
    empty = ModuleType("paramiko")
    sys.modules.setdefault("paramiko", empty)
    try:
        from docker.transport.sshconn import SSHHTTPAdapter
    finally:
        if sys.modules["paramiko"] is empty:
            del sys.modules["paramiko"]
    return SSHHTTPAdapter
