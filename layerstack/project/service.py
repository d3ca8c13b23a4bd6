"""One Compose service: image, published ports, settings for layerstack."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from layerstack.project.gpu_request import requests_of
from layerstack.project.settings import KEY, ServiceSettings, read_service_settings

SERVICE_LABEL = "com.docker.compose.service"


@dataclass(frozen=True)
class Port:
    """A published TCP port: where the host reaches the container's `target`."""

    host_ip: str
    published: int
    target: int

    @property
    def address(self) -> str:
        # A server listens on these, but they are no addresses to connect to.
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host_ip, self.host_ip)
        return f"[{host}]:{self.published}" if ":" in host else f"{host}:{self.published}"


def _no_place(*_keys: str | int) -> str:
    return "the Compose file"


@dataclass(frozen=True)
class Service:
    """`definition` is all that Compose resolved; `image` the name that a container of it runs, its own if it is built.

    `place` gives `FILE:LINE` of a path of keys below its `x-layerstack`. `borrows_image` is set where the project
    builds the image for another service, as a worker runs the image of the web server, or by a bake file.
    """

    name: str
    image: str
    ports: tuple[Port, ...]
    definition: Mapping[str, Any]
    place: Callable[..., str] = field(default=_no_place, compare=False, repr=False)
    borrows_image: bool = False

    @cached_property
    def settings(self) -> ServiceSettings:
        """Its `x-layerstack` block. Raises UsageError for an unknown key."""
        return read_service_settings(self.definition.get(KEY), self.place)

    @property
    def declares_build(self) -> bool:
        return "build" in self.definition

    @property
    def is_built(self) -> bool:
        """Whether its image comes out of a build of this project, which `build NAME` runs."""
        return self.declares_build or self.borrows_image

    @property
    def has_health_check(self) -> bool:
        check = self.definition.get("healthcheck") or {}
        return bool(check) and not check.get("disable") and check.get("test") != ["NONE"]

    @property
    def wants_gpu(self) -> bool:
        return bool(requests_of(self.definition))

    @property
    def replicas(self) -> int:
        """The number of its containers; 0 when it is scaled to zero or another program provides it."""
        if "provider" in self.definition:
            return 0
        declared = (self.definition.get("deploy") or {}).get("replicas", self.definition.get("scale", 1))
        return int(declared) if str(declared).isdigit() else 1


def read_service(
    name: str, definition: Mapping[str, Any], project_name: str, place_of: Callable[..., str] = _no_place
) -> Service:
    """The service from what Compose resolved; one that is built without `image:` has the name that Compose gives it."""
    # A range has no single number, nor has a port that Docker chooses at each start, as it does for 0.
    ports = tuple(
        Port(port.get("host_ip", ""), int(port["published"]), int(port["target"]))
        for port in definition.get("ports") or ()
        if str(port.get("published", "")).strip("0").isdecimal() and port.get("protocol", "tcp") == "tcp"
    )
    own = f"{project_name}-{name}" if "build" in definition else ""
    return Service(name, definition.get("image") or own, ports, definition, place_of)
