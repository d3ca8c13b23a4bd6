"""Where published ports are reached: on this machine or on the engine's."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from layerstack.engine.endpoint import find_endpoint
from layerstack.project.project import Port

# A port bound to one of these is reached at every address of its machine.
WILDCARDS = ("", "0.0.0.0", "::")
LOCAL = ("", "localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class EnginePlace:
    """`host` is "" for an engine of this machine."""

    host: str = ""

    @property
    def is_remote(self) -> bool:
        return bool(self.host)

    def address(self, port: Port) -> str:
        """`host:port` of a published port as seen from here; "" for one bound to the loopback of another machine."""
        if not self.is_remote:
            return port.address
        # Without "", which here means every address.
        if port.host_ip in LOCAL[1:]:
            return ""
        return f"{self.host if port.host_ip in WILDCARDS else port.host_ip}:{port.published}"


def find_place() -> EnginePlace:
    """From DOCKER_HOST or the context, over TCP or SSH."""
    host = urlsplit(find_endpoint().host)
    is_local = host.scheme not in ("tcp", "http", "https", "ssh") or (host.hostname or "") in LOCAL
    return EnginePlace("" if is_local else host.hostname or "")
