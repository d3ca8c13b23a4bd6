"""Mounts of the project's folder are left out where the engine does not have it; all others stay."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from layerstack.engine.api import ImageMissing
from layerstack.errors import StartFailed
from layerstack.project.project import Project, Service
from layerstack.run import unmounted

CLIENT: Any = None


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    (tmp_path / "src").mkdir()
    volumes = [
        {"type": "bind", "source": str(tmp_path / "src"), "target": "/src"},
        {"type": "bind", "source": "/etc/ssl", "target": "/ssl"},
        {"type": "volume", "source": "data", "target": "/data"},
    ]
    services = {
        "web": Service("web", "web", (), {"volumes": volumes}),
        "api": Service("api", "api", (), {"volumes": [{"type": "bind", "source": str(tmp_path), "target": "/app"}]}),
        "db": Service("db", "db", (), {"volumes": volumes[1:]}),
    }
    return Project(tmp_path, "shop", "cpu", (), (), {}, services)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The overlays with which the project is read again."""
    found: list[Path] = []
    monkeypatch.setattr(unmounted, "sees_folder", lambda *_: False)
    monkeypatch.setattr(unmounted, "with_overlay", lambda project, _name, path: found.append(path) or project)
    return found


def test_an_engine_that_has_the_folder_changes_nothing(
    shop: Project, read: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unmounted, "sees_folder", lambda *_: True)
    assert unmounted.for_engine(CLIENT, shop, pytest.fail) is shop
    unmounted.require_mounts(CLIENT, shop)
    assert read == []


def test_without_mounts_of_its_own_nothing_is_asked(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unmounted, "sees_folder", lambda *_: pytest.fail("asked the engine"))
    only = Project(shop.root, "shop", "cpu", (), (), {}, {"db": shop.services["db"]})
    assert unmounted.for_engine(CLIENT, only, pytest.fail) is only


class Loader(yaml.SafeLoader):
    """Knows the tags of Compose."""


Loader.add_constructor("!override", lambda loader, node: loader.construct_sequence(node, deep=True))
Loader.add_constructor("!reset", lambda loader, node: [])


def test_own_mounts_go_and_others_stay(shop: Project, read: list[Path]) -> None:
    said: list[str] = []
    unmounted.for_engine(CLIENT, shop, said.append)
    (path,) = read
    services = yaml.load(path.read_text(), Loader)["services"]
    assert {name: [one["target"] for one in service["volumes"]] for name, service in services.items()} == {
        "web": ["/ssl", "/data"],
        "api": [],
    }
    assert "2 mounts" in said[0]
    assert not path.is_relative_to(shop.root)


def test_dev_is_refused(shop: Project, read: list[Path]) -> None:
    with pytest.raises(StartFailed) as caught:
        unmounted.require_mounts(CLIENT, shop)
    assert caught.value.advice


class Bare:
    """An engine that has none of the project's images yet, but another one."""

    def __init__(self) -> None:
        self.api = self
        self.asked: list[str] = []

    def images(self) -> list[dict[str, str]]:
        return [{"Id": "sha256:other"}]

    def create_host_config(self, mounts: Any) -> Any:
        return mounts

    def create_container(self, image: str, *_: Any, **__: Any) -> dict[str, str]:
        self.asked.append(image)
        if image != "sha256:other":
            raise ImageMissing(image)
        return {"Id": "1"}

    def remove_container(self, *_: Any, **__: Any) -> None: ...


def test_an_image_that_is_yet_to_be_pulled_is_not_asked_with(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unmounted, "is_stored", lambda *_: False)
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/user/1000/docker.sock")
    client: Any = Bare()
    assert unmounted.for_engine(client, shop, pytest.fail) is shop
    assert client.asked == ["sha256:other"]
