"""A builder that does not share the engine's images: how it is recognised, and what bake is told for it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fake_docker import FakeDocker

from layerstack.build.bake import BakeCall, bake_argv, document
from layerstack.build.elsewhere import Elsewhere, find_builder, own_builder, require_own_builder
from layerstack.dockerfile.image import Image
from layerstack.errors import BuildFailed, UsageError
from layerstack.project.project import Project
from layerstack.project.settings import ProjectSettings

REMOTE = "Name:   far\nDriver: remote\n\nNodes:\nName: far0\nDriver: other\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in ("BUILDX_BUILDER", "DOCKER_CONTEXT", "DOCKER_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BUILDX_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    images = {
        "low": Image("low", "low", tags=("low:1",)),
        "web": Image("web", "web", tags=("web:1",), contexts={"low": "target:low"}),
    }
    return Project(tmp_path, "shop", "cpu", (), (), images, {})


def test_the_engines_own_builder_costs_no_call(docker: FakeDocker, shop: Project, tmp_path: Path) -> None:
    assert find_builder(shop) == ""
    (tmp_path / "current").write_text(json.dumps({"Key": "unix:///x", "Name": ""}))
    assert find_builder(shop) == ""
    assert docker.calls == []


def test_a_chosen_builder_is_elsewhere_where_its_driver_is_another_one(
    docker: FakeDocker, shop: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.answers("buildx inspect", REMOTE)
    (tmp_path / "current").write_text(json.dumps({"Name": "far"}))
    assert find_builder(shop) == "far"
    with pytest.raises(UsageError):
        require_own_builder(shop, "time-rebuild")
    monkeypatch.setenv("BUILDX_BUILDER", "near")
    docker.answers("buildx inspect", "Name: near\nDriver: docker\n")
    assert find_builder(shop) == ""


def test_the_compose_file_chooses_one_unless_the_environment_does(
    docker: FakeDocker, shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = replace(shop, settings=ProjectSettings(builder="far"))
    docker.answers("buildx inspect", REMOTE)
    assert named.environment["BUILDX_BUILDER"] == "far"
    assert find_builder(named) == "far"
    monkeypatch.setenv("BUILDX_BUILDER", "default")
    assert "BUILDX_BUILDER" not in named.environment
    assert find_builder(named) == ""


def test_one_that_cannot_be_used_fails_the_build(docker: FakeDocker, shop: Project) -> None:
    docker.answers("buildx inspect", "", 'ERROR: no builder "far" found\n', 1)
    with pytest.raises(BuildFailed) as failed:
        find_builder(replace(shop, settings=ProjectSettings(builder="far")))
    assert "BUILDX_BUILDER=default" in failed.value.advice


def test_the_own_builder_is_named_after_the_context(
    docker: FakeDocker, shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own_builder() == {"BUILDX_BUILDER": "default"}
    docker.answers("context inspect *", json.dumps([{"Endpoints": {"docker": {"Host": "unix:///x"}}}]))
    monkeypatch.setenv("DOCKER_CONTEXT", "eb")
    assert own_builder() == {"BUILDX_BUILDER": "eb"}


def test_images_go_both_ways_by_the_registry(shop: Project) -> None:
    outside = {"low": {"node:18": "docker-image://h:1/t/system-node@sha256:a"}}
    elsewhere = Elsewhere("far", outside, {"low": "h:1/t/low@sha256:b"}, {"web": "h:1/t/web:built-shop"}, "/d.json")
    call = BakeCall(("web",), elsewhere=elsewhere)
    web = document(shop, call)["target"]["web"]
    assert web["tags"] == ["h:1/t/web:built-shop"]
    assert web["output"][0].startswith("type=registry")
    assert web["contexts"] == {"low": "target:low"}
    assert document(shop, call)["target"]["low"]["contexts"] == outside["low"]
    assert "/d.json" in bake_argv(shop, call)
    kept = document(shop, replace(call, kept=frozenset({"low"})))["target"]
    # Not by the tag of this engine, which that builder does not have.
    assert kept["web"]["contexts"] == {"low": "docker-image://h:1/t/low@sha256:b"}


def test_without_a_registry_images_come_as_files(shop: Project) -> None:
    call = BakeCall(("web",), elsewhere=Elsewhere("far"))
    assert document(shop, call)["target"]["web"]["output"] == ["type=docker"]
    assert "--metadata-file" not in bake_argv(shop, call)
