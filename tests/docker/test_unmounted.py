"""A stack on an engine that does not have the project's folder: what is in its images runs, and `dev` says why not."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from own_engine import PYTHON_IMAGE, OwnEngine, own_engine
from typed import invoke

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="a second engine takes root"),
]
NAME = f"layerstack-test-unmounted-{os.getpid()}"
SERVICE = {
    "image": PYTHON_IMAGE,
    "init": True,
    "network_mode": "none",
    "stop_signal": "SIGKILL",
    "command": ["sleep", "600"],
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One service with a folder, a file and a volume mounted, and one with nothing."""
    root = tmp_path_factory.mktemp("shop")
    (root / "src").mkdir()
    (root / "app.py").touch()
    volumes = ["./src:/src:ro", "./app.py:/app.py:ro", "data:/data", "/usr/share:/share:ro"]
    services = {"web": {**SERVICE, "volumes": volumes}, "plain": SERVICE}
    (root / "compose.yaml").write_text(yaml.safe_dump({"name": NAME, "services": services, "volumes": {"data": {}}}))
    return root


@pytest.fixture(scope="module")
def elsewhere(shop: Path, engine_client: Any) -> Iterator[OwnEngine]:
    with own_engine(hidden=shop) as found:
        found.take_python(engine_client)
        yield found


def test_the_mounts_of_the_folder_are_left_out_and_nothing_else(shop: Path, elsewhere: OwnEngine) -> None:
    outcome = invoke(shop, "up --json", DOCKER_HOST=elsewhere.host)
    assert outcome.returncode == 0, outcome.stderr
    assert "2 mounts" in outcome.stderr
    mounts = elsewhere.client.containers.get(f"{NAME}-web-1").attrs["Mounts"]
    assert {mount["Destination"] for mount in mounts} == {"/data", "/share"}
    assert elsewhere.client.containers.get(f"{NAME}-plain-1").status == "running"
    # A probe that was made and never started is gone again.
    assert len(elsewhere.client.containers.list(all=True)) == 2


def test_what_runs_is_no_change_and_is_left_alone(shop: Path, elsewhere: OwnEngine) -> None:
    status = invoke(shop, "status", DOCKER_HOST=elsewhere.host)
    assert "settings" not in status.stdout, status.stdout
    again = invoke(shop, "up --json", DOCKER_HOST=elsewhere.host)
    assert yaml.safe_load(again.stdout)["started"] == []


def test_dev_says_in_one_line_why_it_cannot(shop: Path, elsewhere: OwnEngine) -> None:
    outcome = invoke(shop, "dev", DOCKER_HOST=elsewhere.host)
    assert outcome.returncode == 5
    assert "does not have this folder" in outcome.stderr.splitlines()[-2]
    assert "invoke build && invoke up" in outcome.stderr.splitlines()[-1]


def test_down_ends_it(shop: Path, elsewhere: OwnEngine) -> None:
    assert invoke(shop, "down", DOCKER_HOST=elsewhere.host).returncode == 0
    assert elsewhere.client.containers.list(all=True) == []
