"""A project from the text of its Compose file, as Compose would resolve it when nothing needs resolving."""

from pathlib import Path
from typing import Any

import yaml

from layerstack.dockerfile.image import Image
from layerstack.project import compose_source
from layerstack.project.compose_source import ComposeSource
from layerstack.project.project import Port, Project, Service
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
    ports = tuple(_port(text) for text in definition.get("ports") or ())
    return Service(name, definition.get("image", ""), ports, definition)


def _port(text: str) -> Port:
    """Of `[[ADDRESS:]PUBLISHED:]TARGET`; numbers of 0 where it is not published."""
    before, _, target = text.rpartition(":")
    address, _, published = before.rpartition(":")
    return Port(address, int(published), int(target)) if published else Port("", 0, 0)


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
