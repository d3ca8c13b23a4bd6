"""Who has a port or a name that the project needs: its own services, orphans of it, others."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from compose_project import load
from verify_parts import failed, make_container, make_evidence, make_port, make_project, make_result

from layerstack.dockerfile.image import Image
from layerstack.doctor.project_checks import check_names
from layerstack.engine.api import EngineRefused, ObjectMissing
from layerstack.engine.ports import Holder
from layerstack.errors import StartFailed
from layerstack.project.project import Port, Project, Service
from layerstack.run import start_failure
from layerstack.run.conflict import (
    NameHolder,
    find_name_holder,
    find_orphans,
    find_shared_ports,
    freeing,
    is_own,
    service_of,
)
from layerstack.run.start_failure import require_images, require_names, require_ports
from layerstack.status import status
from layerstack.status.freshness import Freshness
from layerstack.status.staleness import Stale
from layerstack.verify.diagnosis import name_fault


class Engine:
    """Containers by name, with their Compose labels."""

    def __init__(self, **labels: dict[str, str]) -> None:
        self.api = self
        self._labels = labels
        self.ports: list[dict[str, Any]] = []

    def containers(self, all: bool = False, filters: Mapping[str, Any] = MappingProxyType({})) -> list[dict[str, Any]]:
        return [
            {"Id": "1", "Names": [f"/{name}"], "Labels": labels, "Image": "debian", "Ports": self.ports}
            for name, labels in self._labels.items()
            if "name" not in filters or re.search(filters["name"], name)
        ]


def labels(project: str, service: str) -> dict[str, str]:
    return {"com.docker.compose.project": project, "com.docker.compose.service": service}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "compose.yml").write_text("services: {}\n")
    found = make_project({"web": {"container_name": "taken"}, "api": {}}, tmp_path)
    return replace(found, inactive={"tools": ("debug",)})


def test_a_name_is_never_taken_for_the_beginning_of_an_id(tmp_path: Path) -> None:
    client = Engine(dbx={})
    # What the engine answers where the ids of two containers begin so.
    client.inspect_container = _refuse  # type: ignore[attr-defined]
    found = make_project({"db": {"container_name": "db"}}, tmp_path)
    assert find_name_holder(client, found, found.services["db"]) is None


def _refuse(name: str) -> None:
    raise EngineRefused(f"multiple IDs found with provided prefix: {name}")


@pytest.mark.parametrize(
    ("holder", "own", "command"),
    [
        (Holder(1, "shop-api-1", 0, "shop", "api", True), True, "docker rm -f shop-api-1"),
        (Holder(1, "shop-old-1", 0, "shop", "old", True), False, "docker rm -f shop-old-1"),
        (Holder(1, "shop-tools-1", 0, "shop", "tools", True), False, "docker rm -f shop-tools-1"),
        (Holder(1, "other-web-1", 0, "other", "web", True), False, "docker compose -p other stop"),
        (Holder(1, "nginx", 42), False, "kill 42"),
    ],
)
def test_an_orphan_is_not_the_project_itself(project: Project, holder: Holder, own: bool, command: str) -> None:
    assert (is_own(project, holder), freeing(project, holder)) == (own, command)


def test_only_services_that_no_file_has_leave_orphans(project: Project) -> None:
    found = {name: (make_container(name),) for name in ("web", "tools", "old")}
    assert [one.service for one in find_orphans(project, found)] == ["old"]


@pytest.mark.parametrize(
    ("owner", "freeing_it"),
    [
        ({}, "docker rename taken taken-before"),
        (labels("shop", "old"), "docker rm -f taken"),
        (labels("other", "web"), "docker rename taken taken-before"),
        (labels("shop", "web"), ""),
    ],
)
def test_a_name_is_taken_by_everybody_but_the_service(project: Project, owner: dict[str, str], freeing_it: str) -> None:
    engine: Any = Engine(taken=owner)
    assert bool(find_name_holder(engine, project, project.services["web"])) is bool(freeing_it)
    if freeing_it:
        with pytest.raises(StartFailed) as refused:
            require_names(engine, project, ["api", "web"])
        assert freeing_it in refused.value.advice
    else:
        require_names(engine, project, ["api", "web"])


def test_a_free_name_and_a_service_without_one_have_no_holder(project: Project) -> None:
    engine: Any = Engine()
    assert not any(find_name_holder(engine, project, one) for one in project.services.values())


def test_doctor_names_the_line_of_a_name_that_is_taken(tmp_path: Path) -> None:
    loaded = load(tmp_path, "services:\n  web:\n    image: x\n    container_name: taken\n")
    (found,) = check_names(Engine(taken={}), *loaded)
    assert (found.check, found.severity, found.place) == ("container-name", "error", "compose.yaml:4")


@pytest.mark.parametrize(
    ("seen", "kind", "repair"),
    [
        (
            {"holders": ((make_port(), Holder(8080, "shop-old-1", 0, "shop", "old", True)),)},
            "port-held",
            "docker rm -f shop-old-1 && invoke up",
        ),
        (
            {"name_holder": NameHolder("taken", "a container")},
            "name-taken",
            "docker rename taken taken-before && invoke up",
        ),
    ],
)
def test_verify_removes_what_stands_in_the_way(project: Project, seen: dict[str, Any], kind: str, repair: str) -> None:
    fault = name_fault(make_evidence(project, make_result(None, failed("running"), name="web"), **seen))
    assert (fault.kind, fault.repair) == (kind, repair)


@pytest.mark.parametrize(
    ("container", "service"),
    [
        ("shop-db-1", "db"),
        ("shop-db-admin-1", "db-admin"),
        ("shop_db_2", "db"),
        ("the-cache", "cache"),
        ("other-db-1", ""),
        ("shop-web-1", ""),
    ],
)
def test_the_service_of_a_container_by_its_name(tmp_path: Path, container: str, service: str) -> None:
    text = "services:\n  db: {image: a}\n  db-admin: {image: a}\n"
    found, _ = load(tmp_path, f"{text}  cache: {{image: a, container_name: the-cache}}\n")
    assert service_of(found, container.replace("shop", found.name)) == service


def test_status_shows_an_orphan_beside_the_services() -> None:
    gone = Freshness((Stale("orphan", "gone", "remove", repair="docker rm -f shop-old-1"),))
    absent = status.ServiceStatus("web", "absent", "", True, 0.0, (), "", "cpu")
    orphan = replace(absent, service="old", state="running", container="shop-old-1", freshness=gone)
    document = status.document([absent, orphan])
    assert document["summary"].startswith("nothing runs")
    assert "shop-old-1" in document["summary"]
    assert document["services"][1]["repair"] == "docker rm -f shop-old-1"


def sharing(second_port: int, third_port: int = 9, **definitions: dict[str, Any]) -> Project:
    ports = {"api": (make_port(8080),), "pose": (make_port(second_port, 5000),), "web": (make_port(third_port),)}
    project = make_project({name: definitions.get(name, {}) for name in ports})
    services = {name: replace(one, ports=ports[name]) for name, one in project.services.items()}
    return replace(project, services=services, compose_files=(Path("compose.yaml"),))


def test_two_services_that_publish_one_port_are_named_before_anything_starts() -> None:
    with pytest.raises(StartFailed) as refused:
        require_ports(Engine(), sharing(8080), ["api", "pose"])
    assert "api and pose" in str(refused.value)
    assert list(find_shared_ports(sharing(8081))) == []


def test_a_service_without_containers_publishes_nothing() -> None:
    assert list(find_shared_ports(sharing(8080, pose={"scale": 0}))) == []
    assert list(find_shared_ports(sharing(8081, pose={"scale": 0}))) == []


def test_the_services_that_start_are_compared_whatever_others_publish() -> None:
    (shared,) = find_shared_ports(sharing(8080, 8080), ["pose", "web"])
    assert (shared.first, shared.second) == ("pose", "web")


def test_two_of_three_services_on_one_address_share_the_port() -> None:
    project = sharing(8080, 8080)
    other = replace(project.services["pose"], ports=(replace(make_port(8080), host_ip="127.0.0.2"),))
    (shared,) = find_shared_ports(replace(project, services={**project.services, "pose": other}))
    assert (shared.first, shared.second) == ("api", "web")


def test_a_running_service_does_not_hold_a_port_that_it_was_given_since(monkeypatch: pytest.MonkeyPatch) -> None:
    running = make_container("api", ports=(make_port(8080),))
    monkeypatch.setattr(start_failure, "read_all", lambda *_: {"api": (running,)})
    holder = Holder(9090, "other-web-1", 0, "other", "web", True)
    asked: list[int] = []

    def find(_client: Any, port: Port) -> Holder:
        asked.append(port.published)
        return holder

    monkeypatch.setattr(start_failure.ports, "find_holder", find)
    project = sharing(8081)
    both = replace(project.services["api"], ports=(make_port(8080), make_port(9090)))
    with pytest.raises(StartFailed):
        require_ports(Engine(), replace(project, services={"api": both}), ["api"])
    assert asked == [9090]


def test_the_service_that_came_second_is_told_who_shares_its_port() -> None:
    result = make_result(make_container("pose", status="created"), failed("running", link="running"), name="pose")
    found = name_fault(make_evidence(sharing(8080), result))
    assert (found.kind, found.repair) == ("port-held", "invoke up")
    assert "api and pose" in found.cause
    assert found.change


class NoImages:
    """An engine without any image."""

    def __init__(self) -> None:
        self.api = self

    def inspect_image(self, reference: str) -> None:
        raise ObjectMissing(reference)


@pytest.mark.parametrize(("tag", "advice"), [("shop-web:latest", "invoke build web"), ("snow-web:cpu", "`tags`")])
def test_building_again_is_no_advice_where_the_image_gets_another_name(tmp_path: Path, tag: str, advice: str) -> None:
    service = Service("web", "shop-web", (), {"build": {}})
    found = Project(tmp_path, "shop", "cpu", (), (), {"web": Image("web", "web", tags=(tag,))}, {"web": service})
    client: Any = NoImages()
    with pytest.raises(StartFailed) as refused:
        require_images(client, found, ["web"])
    assert advice in refused.value.advice
