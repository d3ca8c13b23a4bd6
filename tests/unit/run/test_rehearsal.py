"""A second copy of the stack: its own name and ports, removed whatever happens; `docker` answers from a table."""

import os
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fake_docker
import killed_owner
import pytest
import yaml
from fake_docker import FakeDocker

from layerstack.engine.api import ObjectMissing
from layerstack.engine.container import PROJECT_LABEL
from layerstack.owner import own_mark
from layerstack.project.project import Port, Project, Service
from layerstack.run import rehearsal


class ComposeLoader(yaml.SafeLoader):
    """Reads Compose's own tags: `!override` as the value, `!reset` as the word."""


def _replaced(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    is_mapping = isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, True) if is_mapping else loader.construct_sequence(node, True)


ComposeLoader.add_constructor("!override", _replaced)
ComposeLoader.add_constructor("!reset", lambda loader, node: "reset")


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    found = fake_docker.install(tmp_path, monkeypatch)
    found.answers("compose *", "name: copy\nservices: {}\n")
    return found


def stack(root: Path) -> Project:
    services = {
        "web": Service("web", "w", (Port("127.0.0.1", 80, 8000), Port("", 81, 8001)), {"container_name": "mine"}),
        "worker": Service("worker", "w", (), {}),
    }
    return Project(root, "shop", "cpu", (root / "compose.yml",), (), {}, services)


def overlay(root: Path, changes: dict[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    read: dict[str, Any] = yaml.load(rehearsal._overlay(stack(root), {}, changes or {}), ComposeLoader)["services"]
    return read


def test_every_port_is_a_free_one_on_this_machine_only(tmp_path: Path) -> None:
    ports = overlay(tmp_path)["web"]["ports"]
    assert [re.sub(r":\d+:", ":_:", port) for port in ports] == ["127.0.0.1:_:8000", "127.0.0.1:_:8001"]
    published = {int(port.split(":")[1]) for port in ports}
    assert len(published) == 2
    assert not published & {80, 81}
    assert overlay(tmp_path)["worker"]["ports"] == []


def test_nothing_restarts_and_no_container_keeps_a_fixed_name(tmp_path: Path) -> None:
    services = overlay(tmp_path)
    assert [services[name]["restart"] for name in ("web", "worker")] == ["no", "no"]
    assert services["web"]["container_name"] == "reset"
    assert "container_name" not in services["worker"]


def test_what_a_rehearsal_starts_is_marked_with_its_process(tmp_path: Path) -> None:
    text = yaml.load(rehearsal._overlay(stack(tmp_path), {}, {}), ComposeLoader)
    marked = [*text["services"].values(), text["networks"]["default"]]
    assert [one["labels"] for one in marked] == [{rehearsal.LABEL: own_mark()}] * 3


def test_the_copy_has_networks_and_volumes_of_its_own(tmp_path: Path) -> None:
    config = {
        "networks": {"default": {"name": "proxy", "external": True}, "back": {"name": "shop-back", "internal": True}},
        "volumes": {"data": {"name": "precious"}, "shared": {"name": "theirs", "external": True}},
    }
    text = yaml.load(rehearsal._overlay(stack(tmp_path), config, {}), ComposeLoader)
    label = {"labels": {rehearsal.LABEL: own_mark()}}
    assert text["volumes"] == {"data": label, "shared": label}
    assert text["networks"] == {"default": {"internal": False, **label}, "back": {"internal": True, **label}}


def test_a_fixed_address_stays_with_the_stack(tmp_path: Path) -> None:
    own = {"back": {"ipv4_address": "10.9.0.5", "aliases": ["cache"]}, "default": None}
    project = replace(stack(tmp_path), services={"web": Service("web", "w", (), {"networks": own})})
    text = yaml.load(rehearsal._overlay(project, {}, {}), ComposeLoader)
    assert text["services"]["web"]["networks"] == {"back": {"aliases": ["cache"]}, "default": {}}


class Engine:
    """Containers, networks and volumes with labels; removed ones are gone."""

    def __init__(self, *things: tuple[str, str, dict[str, str]]) -> None:
        self.left = {(kind, name) for kind, name, _ in things}
        for kind in ("containers", "networks", "volumes"):
            own = [(name, self._thing(kind, name, labels)) for one, name, labels in things if one == kind]
            setattr(self, kind, SimpleNamespace(list=partial(self._list, kind, own)))

    def _thing(self, kind: str, name: str, labels: dict[str, str]) -> Any:
        return SimpleNamespace(
            attrs={"Labels": labels}, labels=labels, remove=lambda **_: self.left.remove((kind, name))
        )

    def _list(self, kind: str, own: list[tuple[str, Any]], filters: dict[str, str], **how: Any) -> list[Any]:
        if kind == "containers" and not how.get("sparse"):
            raise ObjectMissing("the SDK asks for each one, and one has gone meanwhile")
        key, _sign, value = filters["label"].partition("=")
        there = [one for name, one in own if (kind, name) in self.left]
        return [one for one in there if key in one.labels and value in ("", one.labels[key])]


def test_only_marked_leftovers_of_ended_processes_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = killed_owner.killed()

    def labels(project: str, owner: str | None) -> dict[str, str]:
        mark = {} if owner is None else {rehearsal.LABEL: owner}
        return {PROJECT_LABEL: project, **mark}

    own = f"shop-trial-{os.getpid()}"
    client = Engine(
        ("containers", "dead", labels("shop-trial-1", ended)),
        ("networks", "dead", labels("shop-trial-1", ended)),
        ("volumes", "dead", labels("shop-trial-1", None)),
        ("networks", "half started", labels("shop-trial-2", ended)),
        ("containers", "at work", labels(own, own_mark())),
        ("volumes", "at work", labels(own, None)),
        ("containers", "of another project", labels("other-trial-3", ended)),
        ("containers", f"only called so {ended}", labels(f"shop-prod-{ended}", None)),
        ("volumes", f"only called so {ended}", labels(f"shop-prod-{ended}", None)),
        ("containers", "own stack", labels("shop", None)),
    )
    before = set(client.left)
    monkeypatch.setattr(rehearsal.engine, "client", lambda: client)
    for name in rehearsal.find_leftovers(stack(tmp_path)):
        rehearsal.remove_all(name)
    assert before - client.left == {
        ("containers", "dead"),
        ("networks", "dead"),
        ("volumes", "dead"),
        ("networks", "half started"),
    }


def test_a_service_runs_from_another_image_without_the_mounts_that_would_hide_it(tmp_path: Path) -> None:
    volumes = [
        {"type": "bind", "source": "/src", "target": "/app"},
        {"type": "volume", "source": "data", "target": "/data", "read_only": True},
        # Of a random name at each start: Compose gives it no source.
        {"type": "volume", "target": "/app/node_modules", "volume": {}},
    ]
    changes = rehearsal.from_image(Service("web", "w", (), {"volumes": volumes}), "trial:1")
    read = overlay(tmp_path, {"web": changes})["web"]
    assert (read["image"], read["volumes"]) == ("trial:1", volumes[1:])


def test_further_keys_are_added(tmp_path: Path) -> None:
    assert overlay(tmp_path, {"web": {"mem_limit": "1g"}})["web"]["mem_limit"] == "1g"


def test_the_copy_has_its_own_name_and_is_removed_with_its_volumes(tmp_path: Path, docker: FakeDocker) -> None:
    with rehearsal.rehearsal(stack(tmp_path), "trial") as copy:
        assert re.fullmatch(r"shop-trial-\d+", copy.name)
        assert copy.overlay is not None
        assert copy.overlay.exists()
        before = len(docker.calls)
    [down] = docker.calls[before:]
    assert {"down", "--volumes", "--remove-orphans"} <= set(down.split())
    assert not copy.overlay.exists()


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_the_copy_is_removed_after_a_failure(tmp_path: Path, docker: FakeDocker, failure: type[BaseException]) -> None:
    with pytest.raises(failure), rehearsal.rehearsal(stack(tmp_path), "trial"):
        raise failure
    assert " down " in docker.calls[-1]


def test_a_free_port_can_be_bound() -> None:
    import socket

    port = rehearsal.free_port()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
