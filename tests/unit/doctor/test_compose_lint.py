"""Shared memory of GPU services, build order by depends_on, ports that two services want."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from compose_project import load

from layerstack.doctor import compose_lint, project_checks
from layerstack.finding import Finding

GPU = "deploy: { resources: { reservations: { devices: [{ capabilities: [gpu] }] } } }"


def shared_memory(root: Path, setting: str) -> list[Finding]:
    project, source = load(root, f"services:\n  model:\n    image: m\n    {GPU}\n    {setting}\n")
    return list(compose_lint.check_shared_memory(project, source))


@pytest.mark.parametrize("setting", ["init: true", "ipc: shareable", "ipc: private"])
def test_a_gpu_service_without_shared_memory_is_named_with_its_line(tmp_path: Path, setting: str) -> None:
    (found,) = shared_memory(tmp_path, setting)
    assert (found.check, found.severity, found.service) == ("gpu-shm", "warning", "model")
    assert found.place == "compose.yaml:4"


@pytest.mark.parametrize("setting", ["shm_size: 1gb", "ipc: service:store", "tmpfs: ['/dev/shm:size=1g']"])
def test_shared_memory_of_its_own_is_enough(tmp_path: Path, setting: str) -> None:
    assert [one.severity for one in shared_memory(tmp_path, setting)] == ["ok"]


@pytest.mark.parametrize(("megabytes", "severity"), [(64, "warning"), (2048, "ok")])
def test_the_hosts_shared_memory_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, megabytes: int, severity: str
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(total=megabytes * 2**20))
    assert [one.severity for one in shared_memory(tmp_path, "ipc: host")] == [severity]


@pytest.mark.parametrize("way", ["runtime: nvidia", "gpus: [{ count: -1 }]"])
def test_every_way_of_asking_for_a_gpu_counts(tmp_path: Path, way: str) -> None:
    project, source = load(tmp_path, f"services:\n  model:\n    image: m\n    {way}\n")
    assert [one.severity for one in compose_lint.check_shared_memory(project, source)] == ["warning"]


def test_without_a_gpu_service_nothing_is_said(tmp_path: Path) -> None:
    project, source = load(tmp_path, "services: { web: { image: x } }")
    assert list(compose_lint.check_shared_memory(project, source)) == []


STACK = """\
services:
  base:
    build: base
    image: base-web
  web:
    build: web
    depends_on: [base]
"""


def build_order(root: Path, text: str) -> list[Finding]:
    for folder, parent in (("base", "scratch"), ("web", "base-web")):
        (root / folder).mkdir(exist_ok=True)
        (root / folder / "Dockerfile").write_text(f"FROM {parent}\n")
    return list(compose_lint.check_build_order(*load(root, text)))


def test_a_service_that_is_only_a_base_is_found(tmp_path: Path) -> None:
    (found,) = build_order(tmp_path, STACK)
    assert (found.check, found.severity, found.service, found.place) == (
        "build-order",
        "warning",
        "web",
        "compose.yaml:7",
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    image: base-web\n", "    image: base-web\n    ports: ['80:80']\n"),
        ("    build: web\n", "    build: { context: web, additional_contexts: { base-web: 'service:base' } }\n"),
        ("depends_on: [base]", "depends_on: { base: { condition: service_completed_successfully } }"),
        ("image: base-web", "image: another"),
        ("    depends_on: [base]\n", ""),
    ],
)
def test_services_that_do_more_or_are_declared_as_contexts_are_left_alone(tmp_path: Path, old: str, new: str) -> None:
    assert old in STACK
    assert [one.severity for one in build_order(tmp_path, STACK.replace(old, new))] == ["ok"]


PORTS = "services:\n  one:\n    image: a\n    ports: ['8080:80']\n  two:\n    image: b\n    ports: ['{}']\n"


def test_two_services_with_one_port_are_an_error(tmp_path: Path) -> None:
    (found,) = project_checks.check_shared_ports(*load(tmp_path, PORTS.format("8080:90")))
    assert (found.check, found.severity, found.service, found.place) == ("port 8080", "error", "two", "compose.yaml:7")
    assert list(project_checks.check_shared_ports(*load(tmp_path, PORTS.format("8081:80")))) == []


def test_two_containers_of_one_service_cannot_share_its_port(tmp_path: Path) -> None:
    text = "services:\n  one:\n    image: a\n    scale: 2\n    ports: ['8080:80']\n"
    assert [one.severity for one in project_checks.check_shared_ports(*load(tmp_path, text))] == ["error"]


def test_two_builds_under_one_tag_are_named_with_the_line(tmp_path: Path) -> None:
    text = "services:\n  web: {image: app, build: web}\n  worker:\n    image: app\n    build: worker\n"
    loaded, source = load(tmp_path, text)
    [found] = project_checks.check_shared_tags(loaded, source)
    assert (found.check, found.service, found.place) == ("shared-tag", "worker", "compose.yaml:4")


@pytest.mark.parametrize(
    ("ports", "repair"),
    [
        ('["8080:80"]', "127.0.0.1:8080:80"),
        ('["0.0.0.0:8080:80"]', "127.0.0.1:8080:80"),
        ('["127.0.0.1:8080:80", "5353:53/udp"]', "127.0.0.1:5353:53/udp"),
        ('["80"]', "127.0.0.1::80"),
        ('[{ target: 80, published: "8000-8010" }]', "host_ip: 127.0.0.1"),
    ],
)
def test_a_port_on_every_interface_is_named_with_its_line_and_its_repair(
    tmp_path: Path, ports: str, repair: str
) -> None:
    project, source = load(tmp_path, f"services:\n  web:\n    image: w\n    ports: {ports}\n")
    (found,) = compose_lint.check_open_ports(project, source)
    assert (found.check, found.severity, found.place) == ("port-open", "warning", "compose.yaml:4")
    assert f"`{repair}`" in found.remedy


@pytest.mark.parametrize(
    "keys", ['ports: ["127.0.0.1:8080:80", "::1:8081:81"]', "ports: []", '{ network_mode: host, ports: ["80:80"] }']
)
def test_a_port_of_this_machine_only_is_no_finding(tmp_path: Path, keys: str) -> None:
    keys = keys if keys.startswith("{") else f"{{ {keys} }}"
    project, source = load(tmp_path, f"services:\n  web: {keys}\n")
    (found,) = compose_lint.check_open_ports(project, source)
    assert found.severity == "ok"
