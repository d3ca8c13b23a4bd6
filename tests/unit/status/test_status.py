"""The answer to "does it run my code": one line for all, a line a service, one command where something is stale."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from layerstack.dockerfile.image import Image
from layerstack.project.project import Project, Service
from layerstack.status import staleness, status
from layerstack.status.freshness import Freshness
from layerstack.status.staleness import Need, Stale
from layerstack.status.status import ServiceStatus

ROOT = Path("/somewhere")


def project(*files: str, images: Mapping[str, Image] | None = None) -> Project:
    return Project(ROOT, "shop", "cpu", tuple(ROOT / file for file in files), (), images or {}, {})


def service(name: str, state: str = "healthy", *stale: Stale, **parts: Any) -> ServiceStatus:
    repaired = staleness.with_repair(project("compose.yaml"), name, name, stale)
    fresh = Freshness(repaired, image=name, **parts)
    return ServiceStatus(name, state, f"{name}:latest", True, 1.0, (), "", "cpu", freshness=fresh)


BEHIND = Stale("source-changed", "app.py changed", "build")
DOUBTFUL = Stale("not-reloaded", "app.py was written", "restart", is_certain=False)
ABSENT = Stale("not-running", "it has no container", "recreate")


@pytest.mark.parametrize(
    ("needs", "command"),
    [
        (["restart"], "invoke restart web"),
        (["recreate"], "invoke up web"),
        (["restart", "recreate"], "invoke up web"),
        (["build"], "invoke build app up web"),
        (["restart", "build", "recreate"], "invoke build app up web"),
        (["renew"], "docker compose up --detach --force-recreate --renew-anon-volumes web"),
        (
            ["build", "renew"],
            "invoke build app && docker compose up --detach --force-recreate --renew-anon-volumes web",
        ),
    ],
)
def test_one_command_ends_all_reasons_of_a_service(needs: list[Need], command: str) -> None:
    reasons = [Stale("old-image", "", need) for need in needs]
    found = staleness.with_repair(project("docker-compose.yml", "docker-compose.override.yml"), "web", "app", reasons)
    assert [one.repair for one in found] == [command] * len(needs)


def test_files_that_compose_does_not_find_by_itself_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    files = tuple(tmp_path / name for name in ("compose.yml", "compose.cpu.yml"))
    own = Project(tmp_path, "shop", "cpu", files, (), {}, {})
    (found,) = staleness.with_repair(own, "web", "web", [Stale("old-volume", "", "renew")])
    assert found.repair.startswith("docker compose --file compose.yml --file compose.cpu.yml up ")


@pytest.mark.parametrize(
    ("services", "line"),
    [
        ([service("web"), service("api")], "everything runs your code"),
        ([service("web", "healthy", BEHIND), service("api")], "1 of 2 services do not run your code"),
        (
            [service("web", "healthy", BEHIND, DOUBTFUL), service("api", "healthy", DOUBTFUL)],
            "1 of 2 services do not run your code, 1 of 2 may not run your code",
        ),
        ([service("web", "healthy", DOUBTFUL)], "1 of 1 may not run your code"),
        ([service("web", "absent", ABSENT), service("api")], "1 of 2 services do not run your code"),
        ([service("web", "absent", ABSENT), service("api", "absent", ABSENT)], "nothing runs"),
        (
            [service("web", unknown=("its origin",)), service("api")],
            "no service is known to run old code, but 1 of 2 could not be fully checked",
        ),
        ([service("web"), service("web", "healthy", BEHIND)], "1 of 1 services do not run your code"),
    ],
)
def test_one_line_says_how_many_services_do_not_run_the_code(services: list[ServiceStatus], line: str) -> None:
    assert status.summary(services) == line
    assert status.document(services)["ok"] is not any(one.freshness.stale for one in services)


@pytest.mark.parametrize(
    ("services", "command"),
    [
        ([service("web"), service("api")], ""),
        ([service("web", "healthy", BEHIND), service("api")], "invoke build web up web"),
        ([service("web", "absent", ABSENT, BEHIND), service("api", "absent", ABSENT)], "invoke build up"),
        ([service("web", "healthy", DOUBTFUL), service("api")], "invoke restart web"),
        (
            [service("web", "healthy", BEHIND), service("api", "healthy", DOUBTFUL), service("db", "absent", ABSENT)],
            "invoke build web up web db restart api",
        ),
        (
            [service("web", "healthy", Stale("old-volume", "", "renew")), service("api", "absent", ABSENT)],
            "invoke up api && docker compose up --detach --force-recreate --renew-anon-volumes web",
        ),
    ],
)
def test_one_command_repairs_all_services(services: list[ServiceStatus], command: str) -> None:
    assert status.repair(services) == command
    assert status.document(services)["repair"] == (command or None)


def test_a_container_of_no_service_is_removed_first() -> None:
    orphan = replace(service("old", "running", Stale("orphan", "", "remove")), container="shop-old-1")
    assert status.repair([service("web", "absent", ABSENT), orphan]) == "docker rm -f shop-old-1 && invoke up"


def test_a_document_names_what_was_and_what_is_new() -> None:
    (written,) = status.document([service("web", "healthy", BEHIND)])["services"]
    old = {"service", "state", "image", "newest", "uptime_seconds", "ports", "address", "device", "stand_in_for"}
    assert old < written.keys()
    assert written["stale"] == [
        {
            "kind": "source-changed",
            "detail": "app.py changed",
            "repair": "invoke build web up web",
            "certain": True,
        }
    ]


def test_a_service_may_run_the_image_that_another_one_builds() -> None:
    web = Image("web", "web", tags=("shop/web:latest",))
    services = (
        Service("web", "shop/web", (), {"build": {}}),
        Service("worker", "shop/web", (), {}),
        Service("database", "mongo:7", (), {}),
    )
    own = replace(project(images={"web": web}), services={one.name: one for one in services})
    assert [own.image_of(one) for one in services] == [web, web, None]
