"""Compose's digest of a definition, and what differs between a definition and a container."""

from pathlib import Path
from typing import Any

import fake_docker
import pytest
from fake_docker import FakeDocker

from layerstack.engine.container import Container
from layerstack.project.project import Project, Service
from layerstack.run.dev_settings import HASH_LABEL
from layerstack.status import compose_hash


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    return fake_docker.install(tmp_path, monkeypatch)


def project(root: Path) -> Project:
    (root / "compose.yaml").write_text("services: {}\n")
    return Project(root, "shop", "cpu", (root / "compose.yaml",), (), {}, {})


def container(digest: str = "one", files: str = "") -> Container:
    labels = {HASH_LABEL: digest, compose_hash.FILES_LABEL: files}
    return Container("id", "shop-web-1", "web", "running", "", labels=labels)


def test_compose_tells_the_digest_of_every_service(docker: FakeDocker, tmp_path: Path) -> None:
    docker.answers("compose * config --hash *", "web one\napi two\n")
    assert compose_hash.read_hashes(project(tmp_path)) == {"web": "one", "api": "two"}


def test_only_what_up_would_replace_counts_as_changed(docker: FakeDocker, tmp_path: Path) -> None:
    docker.answers("compose * --dry-run *", stderr=" DRY-RUN MODE -  Container shop-web-1  Recreate\n")
    own = project(tmp_path)
    assert compose_hash.find_changed(own, {"web": "two"}, {"web": [container("one")]}) == {"shop-web-1"}
    docker.answers("compose * --dry-run *", stderr=" DRY-RUN MODE -  Container shop-web-1  Running\n")
    assert compose_hash.find_changed(own, {"web": "two"}, {"web": [container("one")]}) == set()


def test_the_digest_counts_where_compose_does_not_say_what_it_would_do(docker: FakeDocker, tmp_path: Path) -> None:
    docker.answers("compose * --dry-run *", stderr="no such image", exit_code=1)
    own = project(tmp_path)
    assert compose_hash.find_changed(own, {"web": "two"}, {"web": [container("one")]}) == {"shop-web-1"}


def test_where_all_digests_are_the_same_nothing_is_asked(docker: FakeDocker, tmp_path: Path) -> None:
    assert compose_hash.find_changed(project(tmp_path), {"web": "one"}, {"web": [container("one")]}) == set()
    assert docker.calls == []


def test_a_compose_that_does_not_tell_makes_nothing_stale(docker: FakeDocker, tmp_path: Path) -> None:
    docker.answers("compose *", stderr="unknown flag: --hash", exit_code=1)
    assert compose_hash.read_hashes(project(tmp_path)) == {}
    assert not compose_hash.is_other(container(), None)


def test_another_digest_is_another_definition() -> None:
    assert compose_hash.is_other(container("one"), "two")
    assert not compose_hash.is_other(container("one"), "one")
    assert not compose_hash.is_other(container(""), "one")


def test_files_of_somebody_else_are_named(tmp_path: Path) -> None:
    own = project(tmp_path)
    files = f"{tmp_path}/compose.yaml,/elsewhere/more.yml"
    assert compose_hash.other_files(container(files=files), own) == ["/elsewhere/more.yml"]


DEFINITION: dict[str, Any] = {
    "environment": {"GREETING": "hello", "EMPTY": None},
    "command": ["node", "server.js"],
    "ports": [{"target": 80, "published": "8080", "protocol": "tcp", "host_ip": "127.0.0.1"}],
    "volumes": [{"type": "bind", "source": "/a", "target": "/b"}, {"type": "volume", "source": "v", "target": "/c"}],
}
INSPECTED: dict[str, Any] = {
    "Config": {"Env": ["GREETING=hello", "PATH=/bin"], "Cmd": ["node", "server.js"], "Image": "shop/web"},
    "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}},
    "Mounts": [{"Type": "bind", "Source": "/a", "Destination": "/b"}, {"Type": "volume", "Destination": "/c"}],
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, []),
        ({"environment": {"GREETING": "secret"}}, ["environment GREETING"]),
        ({"command": ["node", "other.js"]}, ["command"]),
        ({"ports": []}, ["ports"]),
        ({"volumes": []}, ["mounts"]),
        ({"volumes": [], "volumes_from": ["api"]}, []),
        ({"volumes": [], "secrets": [{"source": "key", "target": "/b"}]}, []),
    ],
)
def test_what_can_be_compared_is_named_without_values(change: dict[str, Any], words: list[str]) -> None:
    service = Service("web", "shop/web", (), {**DEFINITION, **change})
    assert compose_hash.differences(INSPECTED, service) == words


def test_another_image_name_is_a_difference() -> None:
    (found,) = compose_hash.differences(INSPECTED, Service("web", "shop/web:2", (), DEFINITION))
    assert found == "image shop/web → shop/web:2"
