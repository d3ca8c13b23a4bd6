"""A project from the text of its Compose file, as Compose would resolve it when nothing needs resolving."""

from pathlib import Path
from typing import Any

import yaml

from layerstack.dockerfile.image import Image
from layerstack.project import compose_source
from layerstack.project.compose_source import ComposeSource
from layerstack.project.project import Project, Service
from layerstack.project.service import read_service
from layerstack.project.settings import read_project_settings

FILE = "compose.yaml"


def write(root: Path, text: str) -> ComposeSource:
    """The file in `root`, and what is written in it."""
    (root / FILE).write_text(text)
    return compose_source.read_source(root, [root / FILE])


def load(root: Path, text: str) -> tuple[Project, ComposeSource]:
    """The project and its source; `build: FOLDER` makes an image of the service's name."""
    source = write(root, text)
    written: dict[str, Any] = yaml.safe_load(text)
    services = {name: _service(name, definition) for name, definition in (written["services"] or {}).items()}
    images = {name: _image(one) for name, one in services.items() if one.is_built}
    settings = read_project_settings(written.get("x-layerstack"), lambda *keys: source.place("x-layerstack", *keys))
    return Project(root, "demo", "gpu", (root / FILE,), (), images, services, settings=settings), source


def _service(name: str, definition: dict[str, Any]) -> Service:
    if isinstance(definition.get("depends_on"), list):
        definition["depends_on"] = {one: {"condition": "service_started"} for one in definition["depends_on"]}
    if isinstance(definition.get("build"), str):
        definition["build"] = {"context": definition["build"]}
    definition["ports"] = [_port(one) if isinstance(one, str) else one for one in definition.get("ports") or ()]
    return Service(name, definition.get("image", ""), read_service(name, definition, "demo").ports, definition)


def _port(text: str) -> dict[str, Any]:
    """`[[ADDRESS:]PUBLISHED:]TARGET[/PROTOCOL]` as Compose resolves it."""
    numbers, _, protocol = text.partition("/")
    before, _, target = numbers.rpartition(":")
    address, _, published = before.rpartition(":")
    written = {"host_ip": address, "published": published, "target": int(target), "protocol": protocol or "tcp"}
    return {key: value for key, value in written.items() if value != ""}


def _image(service: Service) -> Image:
    settings = service.definition["build"]
    tag = service.image or f"demo-{service.name}:latest"
    return Image(
        service.name,
        settings["context"],
        settings.get("dockerfile", "Dockerfile"),
        settings.get("target", ""),
        (tag,),
        contexts=settings.get("contexts") or {},
    )
