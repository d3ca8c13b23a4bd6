"""Where published ports are reached: on this machine or on the engine's."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from layerstack.engine.endpoint import find_endpoint
from layerstack.project.project import Port

# A port bound to one of these is reached at every address of its machine.
WILDCARDS = ("", "0.0.0.0", "::")
# 127.0.0.2 and the like are given to tunnels and virtual machines: what answers there need not be of this machine.
LOCAL = ("", "localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class EnginePlace:
    """`host` is "" for an engine of this machine; `login` is what ssh takes to get to another one."""

    host: str = ""
    login: str = ""

    @property
    def is_remote(self) -> bool:
        return bool(self.host)

    def address(self, port: Port) -> str:
        """`host:port` of a published port as seen from here; "" for one bound to the loopback of another machine."""
        if not self.is_remote:
            return port.address
        if _is_loopback(port.host_ip):
            return ""
        return f"{bracketed(self.host if port.host_ip in WILDCARDS else port.host_ip)}:{port.published}"


def find_place() -> EnginePlace:
    """From DOCKER_HOST or the context, over TCP or SSH."""
    parts = urlsplit(find_endpoint().host)
    host = parts.hostname or ""
    if parts.scheme not in ("tcp", "http", "https", "ssh") or host in LOCAL:
        return EnginePlace()
    # The docker command goes the same way: with the same user and port.
    return EnginePlace(host, f"ssh://{parts.netloc}" if parts.scheme == "ssh" else host)


def bracketed(host: str) -> str:
    """A host as it stands before a colon and a port."""
    return f"[{host}]" if ":" in host else host


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
