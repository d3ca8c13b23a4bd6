"""What is shared without and with names, and what stands against it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from image_folder import ImageFolder

from layerstack.build.plan import Plan, PlannedImage
from layerstack.dockerfile.image import Image
from layerstack.engine import images
from layerstack.engine.images import StoredImage
from layerstack.errors import UsageError
from layerstack.project.project import Project, Service
from layerstack.registry.team import TeamRegistry
from layerstack.share import candidates
from layerstack.share.candidates import Candidate, find_candidates

TEAM = TeamRegistry("h:1/team")


class Shop:
    """A base on `node:18`, a service on the base, and a database from outside; all are here and fresh."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        base, web = Image("base", "base", tags=("base:1",)), Image("web", "web", tags=("web:1",))
        services = {"web": Service("web", "web:1", (), {"build": {}}, {}), "db": Service("db", "mongo:7", (), {}, {})}
        self.project = Project(root, "shop", "cpu", (), (), {"base": base, "web": web}, services)
        self.planned = {image.name: self._planned(root, image) for image in (base, web)}
        self.here = {
            "node:18": StoredImage("id-node", (), 1, "", {}, ()),
            "mongo:7": StoredImage("", (), 1, "", {}, ()),
        }
        self.planned["base"] = replace(self.planned["base"], is_base=True, externals={"node:18": self.here["node:18"]})
        monkeypatch.setattr(images, "find", self.here.get)
        monkeypatch.setattr(candidates, "make_plan", lambda *_: Plan(tuple(self.planned.values())))

    def _planned(self, root: Path, image: Image) -> PlannedImage:
        (root / image.name).mkdir()
        manifest = ImageFolder(root / image.name).dockerfile("FROM node:18\n").manifest()
        stored = StoredImage(f"id-{image.name}", image.tags, 1, "", {}, ())
        return PlannedImage(image, replace(manifest, unknown=()), stored, None, is_fresh=True)

    def find(self, *names: str, has_all: bool = False) -> dict[str, Candidate]:
        return {one.image: one for one in find_candidates(self.project, TEAM, names, has_all)}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("names", "has_all", "found"),
    [
        ((), False, ["mongo:7", "node:18", "base"]),
        ((), True, ["mongo:7", "node:18", "base", "web"]),
        (("web",), False, ["web"]),
        (("base:1", "docker.io/library/node:18"), False, ["node:18", "base"]),
    ],
)
def test_what_is_shared(shop: Shop, names: Sequence[str], has_all: bool, found: list[str]) -> None:
    assert list(shop.find(*names, has_all=has_all)) == found
    assert not any(one.obstacle for one in shop.find(*names, has_all=has_all).values())


def test_an_unknown_name_is_answered_with_those_that_there_are(shop: Shop) -> None:
    with pytest.raises(UsageError, match="nope") as caught:
        shop.find("nope")
    assert "base, web, mongo:7, node:18" in caught.value.advice


def test_each_image_has_its_name_in_the_registry(shop: Shop) -> None:
    found = shop.find()
    assert found["node:18"].reference == "h:1/team/system-node:18"
    assert found["base"].reference == TEAM.inputs_reference("base", shop.planned["base"].manifest.digest)


@pytest.mark.parametrize(
    ("change", "obstacle"),
    [
        ({"stored": None}, "`invoke build base`"),
        ({"is_fresh": False, "reason": "its inputs changed"}, "its inputs changed"),
        ({"unknown": ("a secret",)}, "a secret"),
        ({"volatile": ("it says pull",)}, "it says pull"),
    ],
)
def test_what_others_might_build_otherwise_is_not_shared(shop: Shop, change: dict[str, Any], obstacle: str) -> None:
    base = shop.planned["base"]
    of_manifest = {key: value for key, value in change.items() if key in ("unknown", "volatile")}
    rest = {key: value for key, value in change.items() if key not in of_manifest}
    shop.planned["base"] = replace(base, manifest=replace(base.manifest, **of_manifest), **rest)
    assert obstacle in shop.find()["base"].obstacle


def test_a_system_image_that_is_not_here_is_not_shared(shop: Shop) -> None:
    del shop.here["mongo:7"]
    assert "`invoke setup`" in shop.find()["mongo:7"].obstacle
