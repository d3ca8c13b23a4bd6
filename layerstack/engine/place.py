"""Where the engine's published ports are: on this machine, or on another one."""

import json
import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from layerstack import command
from layerstack.project.project import Port

WILDCARDS = ("", "0.0.0.0", "::")
LOCAL = ("", "localhost", "127.0.0.1", "::1")
CONTEXT_SECONDS = 5.0


@dataclass(frozen=True)
class EnginePlace:
    """`host` is "" for an engine of this machine."""

    host: str = ""

    @property
    def is_remote(self) -> bool:
        return bool(self.host)

    def address(self, port: Port) -> str:
        """`host:port` where this machine reaches a published port; "" for one that only the other machine reaches."""
        if not self.is_remote:
            return port.address
        if port.host_ip in LOCAL[1:]:
            return ""
        return f"{self.host if port.host_ip in WILDCARDS else port.host_ip}:{port.published}"


def find_place(client: Any) -> EnginePlace:
    """The place of the engine that this client talks to: DOCKER_HOST and contexts count, over TCP and SSH."""
    url = str(client.api.base_url)
    if url.startswith("http+docker://ssh"):
        return EnginePlace(_host_of(_ssh_address()))
    if url.startswith(("http://", "https://")):
        return EnginePlace(_host_of(url))
    return EnginePlace()


def _host_of(url: str) -> str:
    host = urlsplit(url).hostname or ""
    return "" if host in LOCAL else host


def _ssh_address() -> str:
    """The SDK keeps no address of an SSH engine: what the docker command would use."""
    if os.environ.get("DOCKER_HOST"):
        return os.environ["DOCKER_HOST"]
    asked = command.run(["docker", "context", "inspect"], timeout_seconds=CONTEXT_SECONDS)
    try:
        return str(json.loads(asked.stdout)[0]["Endpoints"]["docker"]["Host"])
    except (ValueError, LookupError):
        return ""
