"""An image that another stack runs, or that its images are built on, is used."""

from types import SimpleNamespace
from typing import Any

import pytest

from layerstack.cache.clean_up import read_uses
from layerstack.engine import engine
from layerstack.engine.container import PROJECT_LABEL
from layerstack.engine.images import StoredImage


def image(name: str, *layers: str) -> StoredImage:
    return StoredImage(name, (), 0, "", {}, layers)


def listed(name: str, project: str, *layers: str) -> Any:
    return SimpleNamespace(
        attrs={"Id": name, "Config": {"Labels": {PROJECT_LABEL: project}}, "RootFS": {"Layers": layers}}
    )


def test_users_of_images(monkeypatch: pytest.MonkeyPatch) -> None:
    containers = [
        {"ImageID": "run-by-other", "Labels": {PROJECT_LABEL: "other"}},
        {"ImageID": "run-by-us", "Labels": {PROJECT_LABEL: "shop"}},
        {"ImageID": "run-by-hand", "Labels": {}},
    ]
    images = [listed("web", "shop", "a", "b"), listed("api", "other", "a", "c", "d")]
    client = SimpleNamespace(
        api=SimpleNamespace(containers=lambda **_: containers), images=SimpleNamespace(list=lambda **_: images)
    )
    monkeypatch.setattr(engine, "client", lambda: client)
    uses = read_uses("shop")
    assert uses.user_of(image("run-by-other")) == "other"
    assert uses.user_of(image("run-by-us", "x")) == ""
    assert uses.user_of(image("run-by-hand", "x")) == ""
    assert uses.user_of(image("base", "a", "c")) == "other"
    assert uses.user_of(image("own", "a", "b")) == ""
    # Nothing at all stands below everything.
    assert uses.user_of(image("empty")) == ""
