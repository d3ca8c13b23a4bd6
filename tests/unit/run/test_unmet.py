"""What Compose or the engine refuses before any container runs: said with the place to correct."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from layerstack.command import CommandResult
from layerstack.project.project import Project, Service
from layerstack.run.start_failure import ServiceFailed, compose_failed, was_stopped_for
from layerstack.run.unmet import misspelt, unmet

COMPOSE = """\
services:
  web:
    image: shop/wep
    platform: linux/arm64
    cpus: 64
"""


def project(root: Path, **definition: Any) -> Project:
    (root / "compose.yml").write_text(COMPOSE)
    services = {"web": Service("web", "shop/wep", (), definition)}
    return Project(root, "shop", "cpu", (root / "compose.yml",), (), {}, services)


def engine_with(*tags: str) -> Any:
    facts = {"Os": "linux", "Architecture": "amd64"}
    return SimpleNamespace(
        api=SimpleNamespace(images=lambda: [{"RepoTags": list(tags)}, {}], inspect_image=lambda _: facts)
    )


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ('external volume "shop_data" not found', "docker volume create shop_data && invoke up"),
        ("network proxy declared as external, but could not be found", "docker network create proxy && invoke up"),
    ],
)
def test_what_is_external_has_to_be_made(tmp_path: Path, said: str, command: str) -> None:
    found = unmet(engine_with(), project(tmp_path), ["web"], said)
    assert found is not None
    assert command in found.advice


def test_a_file_that_a_secret_names_has_to_be_made(tmp_path: Path) -> None:
    said = (
        'Error response from daemon: invalid mount config for type "bind": bind source path does not exist: '
        f"{tmp_path}/my token.txt\n"
    )
    loaded = project(tmp_path)
    (tmp_path / "compose.yml").write_text(COMPOSE + "secrets:\n  token: { file: './my token.txt' }\n")
    found = unmet(engine_with(), loaded, ["web"], said)
    assert found is not None
    assert "my token.txt" in str(found)
    assert "compose.yml:7" in found.advice


def test_a_wait_for_the_health_of_a_service_without_a_check(tmp_path: Path) -> None:
    found = project(tmp_path, depends_on={"db": {"condition": "service_healthy"}})
    services = {**found.services, "db": Service("db", "db", (), {})}
    said = "dependency failed to start: container shop-db-1 has no healthcheck configured"
    error = unmet(engine_with(), replace(found, services=services), ["web", "db"], said)
    assert error is not None
    assert "web waits until db is healthy" in str(error)
    assert "condition: service_started" in error.advice


@pytest.mark.parametrize(
    ("platform", "is_other"),
    [("linux/arm64", True), ("linux/amd64/v2", False), ("linux/x86_64", False), ("amd64", False), ("", False)],
)
def test_an_image_for_another_platform(tmp_path: Path, platform: str, is_other: bool) -> None:
    found = unmet(engine_with(), project(tmp_path, platform=platform), ["web"], "no such host")
    assert (found is not None) == is_other
    if found:
        assert "compose.yml:4" in found.advice


def test_an_image_of_nearly_the_same_name(tmp_path: Path) -> None:
    advice = misspelt(engine_with("shop/web:latest", "other:1"), project(tmp_path), "web")
    assert "shop/web" in advice
    assert "compose.yml:3" in advice
    assert misspelt(engine_with("postgres:16"), project(tmp_path), "web") == ""


def test_what_the_engine_refuses_is_the_first_line(tmp_path: Path) -> None:
    reason = "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"
    said = f" Container shop-web-1  Error response from daemon: {reason}\nError response from daemon: {reason}\n"
    found = compose_failed(project(tmp_path), CommandResult(("docker",), 1, "", said, 0.1))
    assert str(found).splitlines()[0] == f"The engine refuses to make web: {reason}"
    assert "compose.yml:3" in found.advice


def test_a_network_whose_addresses_another_one_has(tmp_path: Path) -> None:
    loaded = project(tmp_path)
    subnet = "networks:\n  default:\n    ipam: {config: [{subnet: 10.9.7.0/24}]}\n"
    (tmp_path / "compose.yml").write_text(COMPOSE + subnet)
    others = [{"Name": "other", "IPAM": {"Config": [{"Subnet": "10.9.0.0/16"}]}}, {"Name": "far", "IPAM": {}}]
    client: Any = SimpleNamespace(api=SimpleNamespace(networks=lambda: others))
    said = "failed to create network shop_default: Error response from daemon: invalid pool request: Pool overlaps"
    found = unmet(client, loaded, ["web"], said)
    assert found is not None
    assert "(other)" in str(found)
    assert "compose.yml:8" in found.advice


@pytest.mark.parametrize(
    ("reason", "is_stopped"), [("exited with code 137: killed", True), ("exited with code 1", False)]
)
def test_what_compose_stopped_before_a_refusal_is_not_to_blame(reason: str, is_stopped: bool) -> None:
    said = "Error response from daemon: no configured subnet contains the IP address 10.231.9.5"
    result = CommandResult(("docker",), 1, "", said, 0.1)
    assert was_stopped_for(result, ServiceFailed("web", reason)) is is_stopped
    other = CommandResult(("docker",), 1, "", "dependency failed to start: container x is unhealthy", 0.1)
    assert not was_stopped_for(other, ServiceFailed("web", reason))
