"""A stranger's first use: `pip install .` in an empty environment, then `layerstack` in two Compose folders."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from layers import remove_images, system_image

from layerstack.engine import images
from layerstack.engine.container import STAND_IN_LABEL
from layerstack.project import choices, project

pytestmark = [pytest.mark.docker, pytest.mark.long]
ROOT = Path(__file__).parents[2]
PROJECTS = Path(__file__).parent / "projects"
STAND_IN_DEBIAN = "stand-in/debian:bookworm"
SERVICES = {"fastapi-postgres": ["api", "db"], "node-monorepo": ["catalog", "gateway", "orders"]}
STATES = {"healthy", "running"}


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The installed command. The checkout is a copy, which must be as clean afterwards as before."""
    folder = tmp_path_factory.mktemp("installed")
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in files.stdout.rstrip("\0").split("\0"):
        if (ROOT / name).is_file() and name.split("/")[0] not in ("backend", "tests", "benchmarks"):
            (folder / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "checkout" / name)
    before = {path for path in (folder / "checkout").rglob("*")}
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    subprocess.run([folder / "venv/bin/pip", "install", "--quiet", folder / "checkout"], check=True)
    assert {path for path in (folder / "checkout").rglob("*")} == before
    return str(folder / "venv/bin/layerstack")


@pytest.fixture(params=sorted(SERVICES))
def folder(
    request: pytest.FixtureRequest, tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The project on this machine's system images; nothing of it is left afterwards."""
    root = tmp_path / request.param
    shutil.copytree(PROJECTS / request.param, root)
    python = os.environ.get("PYTHON_IMAGE") or choices.read(ROOT).get("PYTHON_IMAGE") or "python:3.12-slim"
    on_this_machine = {"node:22-slim": system_image(), "python:3.12-slim": python}
    # Somebody may have given a stand-in the official name.
    if (stored := images.find(python)) and STAND_IN_LABEL in stored.labels:
        on_this_machine["debian:bookworm-slim"] = STAND_IN_DEBIAN
    for dockerfile in root.rglob("Dockerfile"):
        text = dockerfile.read_text()
        for official, local in on_this_machine.items():
            text = text.replace(f"FROM {official}\n", f"FROM {local}\n")
        dockerfile.write_text(text)
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", f"layerstack-test-{request.param}-{os.getpid()}")
    monkeypatch.setenv("API_PORT", str(free_port))
    monkeypatch.setenv("GATEWAY_PORT", str(free_port))
    monkeypatch.setenv("COLUMNS", "80")
    try:
        yield root
    finally:
        left = ["docker", "compose", "down", "--volumes", "--remove-orphans", "--timeout", "2"]
        subprocess.run(left, cwd=root, check=False)
        remove_images(project.load(root, "cpu"))


def run(command: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [command, *words], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def document(command: str, folder: Path, *words: str) -> dict[str, Any]:
    outcome = run(command, folder, *words, "--json")
    assert outcome.returncode == 0, outcome.stderr
    answer: dict[str, Any] = json.loads(outcome.stdout)
    assert answer["ok"] is True
    return answer


def test_from_start_to_down(command: str, folder: Path) -> None:
    services = SERVICES[folder.name]
    started = document(command, folder, "start")
    assert {service["service"] for service in started["verify"]["services"]} == set(services)
    assert len(started["addresses"]) == 1
    (address,) = started["addresses"].values()
    assert address.startswith("http://"), address
    with urllib.request.urlopen(f"{address}/health", timeout=10) as response:
        assert json.load(response) == {"status": "ok"}

    assert {service["state"] for service in document(command, folder, "status")["services"]} <= STATES
    assert document(command, folder, "why", services[0])["steps"]
    assert {image["action"] for image in document(command, folder, "build")["images"]} == {"fresh"}
    assert document(command, folder, "verify")["diagnosis"] is None
    assert document(command, folder, "up", services[0])["started"] == []

    refused = run(command, folder, "down", "--volumes") if folder.name == "fastapi-postgres" else None
    assert refused is None or refused.returncode == 2
    assert len(document(command, folder, "down", "--volumes", "--yes")["removed"]) == len(services)
    assert run(command, folder, "verify").returncode == 1


def test_a_broken_service_is_named_and_ends_with_its_code(command: str, folder: Path) -> None:
    source = {"fastapi-postgres": "api/app/main.py", "node-monorepo": "services/orders/server.js"}[folder.name]
    culprit = {"fastapi-postgres": "api", "node-monorepo": "orders"}[folder.name]
    (folder / source).write_text("this is no code\n")
    outcome = run(command, folder, "start")
    assert outcome.returncode == 5, outcome.stderr
    assert culprit in outcome.stderr.splitlines()[-1] + outcome.stderr
    assert "Traceback (most recent call last)" not in outcome.stdout
    assert "`invoke" not in outcome.stderr
