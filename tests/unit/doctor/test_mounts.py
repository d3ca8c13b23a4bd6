"""The mounts of a service, with what provides each and the line that declares it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from compose_project import load

from layerstack.doctor.mounts import ServiceMount, Volumes, mounts_of, read_volumes

TEXT = """\
services:
  web:
    image: x
    volumes:
      - { type: bind, source: /host/src, target: /app/src/ }
      - { type: volume, source: packages, target: /app/node_modules }
      - { type: volume, source: later, target: /later, volume: { nocopy: true } }
      - { type: volume, target: /anonymous }
      - { type: volume, source: packages, target: /part, volume: { subpath: a } }
      - { type: npipe, source: a, target: /pipe }
    tmpfs: ["/scratch:size=1m"]
"""


def found(root: Path, declared: tuple[str, ...] = ()) -> dict[str, ServiceMount]:
    project, source = load(root, TEXT)
    volumes = Volumes({"packages": "demo_packages"}, {("web", "/anonymous"): "abc", ("web", "/data"): "def"})
    return {one.target: one for one in mounts_of(project.services["web"], declared, volumes, source)}


def test_every_kind_of_mount(tmp_path: Path) -> None:
    mounts = found(tmp_path)
    assert mounts["/app/src"] == ServiceMount("bind", "/app/src", "/host/src", "compose.yaml:5")
    assert mounts["/app/node_modules"] == ServiceMount("volume", "/app/node_modules", "demo_packages", "compose.yaml:6")
    assert mounts["/later"] == ServiceMount("volume", "/later", "", "compose.yaml:7", is_filled=False)
    assert mounts["/anonymous"] == ServiceMount("anonymous", "/anonymous", "abc", "compose.yaml:8")
    assert mounts["/scratch"] == ServiceMount("tmpfs", "/scratch", place="compose.yaml:11")
    assert set(mounts) == {"/app/src", "/app/node_modules", "/later", "/anonymous", "/scratch"}


def test_volumes_of_the_image_are_anonymous_unless_something_else_is_mounted_there(tmp_path: Path) -> None:
    mounts = found(tmp_path, ("/data", "/app/src"))
    assert mounts["/data"] == ServiceMount("anonymous", "/data", "def")
    assert mounts["/app/src"].kind == "bind"


def test_volumes_are_read_by_the_labels_of_compose(tmp_path: Path) -> None:
    project, _ = load(tmp_path, TEXT)
    named = {"Name": "demo_packages", "Labels": {"com.docker.compose.volume": "packages"}}
    container: dict[str, Any] = {
        "Labels": {"com.docker.compose.service": "web"},
        "Mounts": [
            {"Type": "volume", "Name": "demo_packages", "Destination": "/app/node_modules"},
            {"Type": "volume", "Name": "abc", "Destination": "/anonymous"},
            {"Type": "bind", "Destination": "/app/src"},
        ],
    }
    api = SimpleNamespace(volumes=lambda filters: {"Volumes": [named]}, containers=lambda all, filters: [container])
    volumes = read_volumes(SimpleNamespace(api=api), project)
    assert volumes == Volumes({"packages": "demo_packages"}, {("web", "/anonymous"): "abc"})
