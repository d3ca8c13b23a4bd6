"""What the project declares agrees with itself: images, ports, GPU, and which files reach which build."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from layerstack.dockerfile import context
from layerstack.project.project import Service
from layerstack.project.service import read_service

ROOT = Path(__file__).parents[3]
BUILT = {"pose-service": "backend/pose-service", "backend-api": "backend", "frontend": "backend/web"}
SOURCES = {
    "pose-service": ["app.py", "pose_service/__init__.py"],
    "backend-api": ["src/server.js", "package-lock.json"],
    "frontend": ["src/main.jsx", "package-lock.json"],
}


class ComposeLoader(yaml.SafeLoader):
    """Reads `!reset` as None, which is what Compose makes of it."""


ComposeLoader.add_constructor("!reset", lambda loader, node: None)


def read_services(name: str) -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.load((ROOT / name).read_text(), ComposeLoader)["services"]
    return services


def service(name: str, definition: dict[str, Any]) -> Service:
    return read_service(name, {**definition, "ports": []}, "snowboarding")


def bake_defaults() -> dict[str, str]:
    text = (ROOT / "docker-bake.hcl").read_text()
    return dict(re.findall(r'variable "(\w+)" \{\s*default\s*=\s*"([^"]*)"', text))


def sent(folder: str) -> set[Path]:
    """Every file, from the root on, that a build of this context sends."""
    sent = context.Context(ROOT / folder).walk()
    return {Path(folder) / entry.path for entry in sent if not entry.is_folder}


def test_bake_declares_the_system_images() -> None:
    expected = {"NODE_IMAGE", "PYTHON_IMAGE", "CUDA_RUNTIME_IMAGE", "CUDA_DEVEL_IMAGE", "MONGO_IMAGE"}
    assert expected <= set(bake_defaults())


def test_compose_and_bake_agree_on_the_system_images() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    used = dict(re.findall(r"\$\{(\w+_IMAGE):-([^}]+)\}", text))
    assert used.keys() >= {"MONGO_IMAGE", "MONGO_EXPRESS_IMAGE"}
    assert used == {name: bake_defaults()[name] for name in used}


def test_every_port_is_bound_to_this_machine_only() -> None:
    ports = [port for one in read_services("docker-compose.yml").values() for port in one.get("ports", ())]
    assert len(ports) == 5
    assert all(re.fullmatch(r"127\.0\.0\.1:\$\{\w+_PORT:-\d+\}:\d+", port) for port in ports)


def test_the_example_of_settings_names_the_ports_and_their_defaults() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    example = dict(re.findall(r"^(\w+_PORT)=(\d+)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert example == dict(re.findall(r"\$\{(\w+_PORT):-(\d+)\}", text))


def test_only_the_pose_service_reserves_a_gpu() -> None:
    services = read_services("docker-compose.yml")
    assert {name for name, one in services.items() if service(name, one).wants_gpu} == {"pose-service"}


def test_the_cpu_variant_drops_the_reservation_and_nothing_else_reserves_one() -> None:
    variant = read_services("docker-compose.cpu.yml")
    assert variant.keys() == {"pose-service"}
    assert variant["pose-service"]["deploy"] is None
    assert not service("pose-service", variant["pose-service"]).wants_gpu


def test_every_service_has_a_health_check_and_ends_cleanly() -> None:
    for name, one in read_services("docker-compose.yml").items():
        # One that runs once and ends has no health but its exit code.
        assert service(name, one).has_health_check or one["restart"] == "no", name
        assert one["init"] is True, name
        assert "no-new-privileges:true" in one["security_opt"], name
        assert "mem_limit" in one, name


def test_the_budgets_are_those_of_the_project() -> None:
    services = read_services("docker-compose.yml")
    budgets = {name: services[name]["x-layerstack"]["budget_seconds"] for name in BUILT}
    assert budgets == {"pose-service": 30, "backend-api": 10, "frontend": 10}


def test_what_a_rebuild_edits_is_part_of_its_build() -> None:
    for name, one in read_services("docker-compose.yml").items():
        if name in BUILT:
            assert Path(BUILT[name]) / one["x-layerstack"]["edit"] in sent(BUILT[name])


@pytest.mark.parametrize("name", BUILT)
def test_a_service_is_built_from_its_own_files_only(name: str) -> None:
    own = sent(BUILT[name])
    assert {Path(BUILT[name]) / source for source in SOURCES[name]} <= own
    for other, folder in BUILT.items():
        if other != name:
            assert own.isdisjoint(sent(folder)), other


@pytest.mark.parametrize("folder", BUILT.values())
def test_nothing_that_must_stay_here_is_sent(folder: str) -> None:
    names = {part for path in sent(folder) for part in path.relative_to(folder).parts}
    assert names.isdisjoint({"node_modules", "__pycache__", ".git", ".env", ".layerstack", "dist"})


def test_every_context_denies_first() -> None:
    found = ROOT.glob("**/.dockerignore")
    files = [path for path in found if not {"node_modules", "tests"} & set(path.relative_to(ROOT).parts)]
    assert len(files) >= 6
    for path in files:
        rules = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
        assert rules[0] == "*", path
