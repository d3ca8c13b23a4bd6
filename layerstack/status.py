"""What runs right now, a line a service."""

from dataclasses import dataclass
from typing import Any

from layerstack import engine
from layerstack.container import Container, read_all
from layerstack.dependency import in_start_order
from layerstack.project import Device, Project
from layerstack.stack import addresses


@dataclass(frozen=True)
class ServiceStatus:
    """One service; `is_newest` is False when its image's tag points to another image by now."""

    service: str
    state: str
    image: str
    is_newest: bool
    uptime_seconds: float
    ports: tuple[str, ...]
    address: str
    device: Device
    stand_in_for: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "state": self.state,
            "image": self.image,
            "newest": self.is_newest,
            "uptime_seconds": round(self.uptime_seconds),
            "ports": list(self.ports),
            "address": self.address,
            "device": self.device,
            "stand_in_for": self.stand_in_for or None,
        }


def read_status(project: Project) -> list[ServiceStatus]:
    """Every service in start order, `absent` without a container. Raises EngineError."""
    client = engine.client()
    found = read_all(client, project.name)
    where = addresses(project)
    statuses = []
    for name in in_start_order(project):
        for one in found.get(name, ()):
            statuses.append(_status(client, name, one, where.get(name, "")))
        if name not in found:
            image = project.services[name].image
            statuses.append(ServiceStatus(name, "absent", image, True, 0.0, (), where.get(name, ""), "cpu"))
    return statuses


def _status(client: Any, name: str, one: Container, address: str) -> ServiceStatus:
    return ServiceStatus(
        service=name,
        state=one.state,
        image=one.image,
        is_newest=one.is_newest(client),
        uptime_seconds=one.uptime_seconds,
        ports=tuple(f"{port.address}→{port.target}" for port in one.ports),
        address=address,
        device="gpu" if one.has_gpu else "cpu",
        stand_in_for=one.stand_in_for,
    )
