"""Every image by its digest in the team's registry, pushed once, refused where that cannot be."""

from pathlib import Path
from typing import Any

import pytest

from layerstack.deploy import pinned_images
from layerstack.deploy.pinned_images import WantedImage, pin, push_missing, wanted_images
from layerstack.engine import images
from layerstack.engine.images import StoredImage
from layerstack.errors import CheckFailed, StartFailed, UsageError
from layerstack.project.project import Project
from layerstack.project.service import read_service
from layerstack.registry import transfer
from layerstack.registry.look_up import Answer
from layerstack.registry.team import TeamRegistry
from layerstack.registry.trouble import SILENT, RegistryFailed, Trouble

TEAM = TeamRegistry("h:1/team")
STORED = StoredImage("sha256:1", ("redis:7",), 1, "", {}, ("l",))


class Registry:
    """What it has, by name, and what it says instead of an answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.has: dict[str, str] = {}
        self.trouble: Trouble | None = None
        self.pushed: list[str] = []
        monkeypatch.setattr(pinned_images, "look_up", self._look_up)
        monkeypatch.setattr(transfer, "push", self._push)

    def _look_up(self, references: Any) -> dict[str, Answer]:
        return {one: Answer(one, self.has.get(one, ""), self.trouble) for one in references}

    def _push(self, image_id: str, reference: str, say: Any) -> str:
        if self.trouble:
            raise RegistryFailed(self.trouble)
        self.pushed.append(reference)
        return "sha256:9"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    return Registry(monkeypatch)


def push(**wanted: WantedImage) -> dict[str, str]:
    return push_missing(wanted, TEAM, lambda _: None)


def test_what_is_there_is_not_pushed_and_what_two_run_is_pushed_once(registry: Registry) -> None:
    registry.has["h:1/team/a:content-1"] = "sha256:5"
    queue = WantedImage("q", "h:1/team/q:content-2", STORED)
    found = push(web=WantedImage("a", "h:1/team/a:content-1", STORED), one=queue, two=queue)
    assert found == {"web": "h:1/team/a@sha256:5", "one": "h:1/team/q@sha256:9", "two": "h:1/team/q@sha256:9"}
    assert registry.pushed == ["h:1/team/q:content-2"]


def test_an_image_that_is_nowhere_is_refused_before_anything_is_pushed(registry: Registry) -> None:
    with pytest.raises(StartFailed, match="gone:1") as refused:
        push(web=WantedImage("a", "h:1/team/a:content-1", STORED), queue=WantedImage("gone:1", "r", None))
    assert "docker pull gone:1" in refused.value.advice
    assert not registry.pushed


def test_a_registry_in_trouble_is_named(registry: Registry) -> None:
    registry.trouble = SILENT
    with pytest.raises(CheckFailed, match="h:1 does not answer"):
        push(web=WantedImage("a", "h:1/team/a:content-1", STORED))


def test_explaining_takes_a_tag_where_there_is_no_digest(registry: Registry) -> None:
    wanted = {"web": WantedImage("a", "r/a:content-1", STORED), "queue": WantedImage("q", "r/q:content-missing", None)}
    registry.has["r/a:content-1"] = "sha256:5"
    assert pin(wanted) == {"web": "r/a@sha256:5", "queue": "r/q:content-missing"}


def test_the_name_says_what_is_in_the_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services = {"queue": read_service("queue", {"image": "docker.io/acme/redis:7"}, "shop")}
    project = Project(tmp_path, "shop", "cpu", (), (), {}, services)
    monkeypatch.setattr(images, "find_all", lambda names: dict.fromkeys(names, STORED))
    digest = STORED.identity.removeprefix("sha256:")
    (found,) = wanted_images(project, TEAM, ["queue"]).values()
    assert found.reference == f"h:1/team/system-acme-redis:content-{digest}"
    assert len(f"content-{digest}") <= 128


def test_without_a_registry_there_is_nothing_to_deploy(tmp_path: Path) -> None:
    project = Project(tmp_path, "shop", "cpu", (tmp_path / "compose.yml",), (), {}, {})
    with pytest.raises(UsageError, match="No registry"):
        pinned_images.publish(project, None, lambda _: None)
