"""Starting a stack that wants a GPU, as a person types it: on an engine of its own, with the cards of a stand-in."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from own_engine import FINE, PYTHON_IMAGE, OwnEngine, own_engine
from typed import Done, invoke

from tests.nvml_stand_in.stand_in import StandIn, card, library

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="a second engine takes root"),
]
LOST = "error nvmlInit 999"
NO_GPU_HERE = 6


@pytest.fixture(scope="module")
def started(engine_client: Any) -> Iterator[OwnEngine]:
    """An engine with an image that has a Python, to ask the library inside with."""
    with own_engine() as found:
        found.take_python(engine_client)
        yield found


class Bench:
    """A project with one service, a machine with one card, and an engine."""

    def __init__(self, own: OwnEngine, root: Path) -> None:
        self.own = own
        self.root = root
        # Mounted into the container as a folder: a file that is replaced would stay the old one there.
        (root / "machine").mkdir()
        self.machine = StandIn(library(), root / "machine" / "cards")
        self.machine.describe("driver 550.54", *card(0, 24))
        self.environment = {
            **self.machine.environment,
            "DOCKER_HOST": own.host,
            "XDG_STATE_HOME": str(root / "state"),
            "COMPOSE_PROJECT_NAME": f"layerstack-test-gpu-{os.getpid()}",
        }

    def declare(self, wish: dict[str, Any], **settings: Any) -> None:
        model = {"image": PYTHON_IMAGE, "init": True, "network_mode": "none", "command": ["sleep", "600"], **wish}
        if settings:
            model["x-layerstack"] = settings
        other = {"image": PYTHON_IMAGE, "init": True, "network_mode": "none", "command": ["sleep", "600"]}
        (self.root / "docker-compose.yml").write_text(yaml.safe_dump({"services": {"model": model, "other": other}}))

    def give_through_cdi(self) -> None:
        """A card that Docker gives by its CDI name, with the driver's library in it, as the real toolkit does."""
        mounts = [
            {"hostPath": str(library()), "containerPath": "/driver/libnvidia-ml.so.1", "options": ["ro", "bind"]},
            {"hostPath": str(self.machine.path.parent), "containerPath": "/machine", "options": ["ro", "bind"]},
        ]
        devices = [{"name": "all", "containerEdits": {"mounts": mounts}}]
        self.own.describe_devices({"cdiVersion": "0.6.0", "kind": "nvidia.com/gpu", "devices": devices})

    def invoke(self, words: str) -> Done:
        return invoke(self.root, words, **self.environment)

    def survey(self) -> dict[str, Any]:
        answer = self.invoke("gpu --json")
        assert answer.returncode == 0, answer.stderr
        found: dict[str, Any] = json.loads(answer.stdout)
        return found

    def containers(self) -> dict[str, Any]:
        """Service → its container."""
        found = self.own.client.containers.list(all=True)
        return {one.labels["com.docker.compose.service"]: one for one in found}


EVERY_CARD = {"gpus": "all"}
# Programs that are started later in a container do not get the variables of a CDI description.
THROUGH_CDI = {
    "devices": ["nvidia.com/gpu=all"],
    "environment": {"LD_LIBRARY_PATH": "/driver", "NVML_STAND_IN": "/machine/cards"},
}


@pytest.fixture
def bench(started: OwnEngine, tmp_path: Path) -> Iterator[Bench]:
    started.reset()
    found = Bench(started, tmp_path)
    yield found
    for one in found.containers().values():
        one.remove(force=True)


def test_a_demanded_gpu_that_docker_cannot_give_starts_nothing(bench: Bench) -> None:
    bench.declare(EVERY_CARD)
    answer = bench.invoke("up --device gpu")
    assert answer.returncode == NO_GPU_HERE, answer.stderr
    assert "driver-without-toolkit" in answer.stderr
    assert bench.containers() == {}


def test_a_demanded_gpu_without_a_card_starts_nothing(bench: Bench) -> None:
    bench.declare(EVERY_CARD)
    bench.machine.describe("driver 550.54")
    answer = bench.invoke("up --device gpu")
    assert answer.returncode == NO_GPU_HERE, answer.stderr
    assert "no-card" in answer.stderr
    assert bench.containers() == {}


def test_a_project_that_cannot_do_without_starts_nothing_on_the_cpu_either(bench: Bench) -> None:
    bench.declare(EVERY_CARD)
    answer = bench.invoke("up")
    assert answer.returncode == NO_GPU_HERE, answer.stderr
    assert "docker-compose.cpu.yml" in answer.stderr
    assert bench.containers() == {}


def test_a_service_without_the_wish_starts_beside_it(bench: Bench) -> None:
    bench.declare(EVERY_CARD)
    assert bench.invoke("up other").returncode == 0
    assert set(bench.containers()) == {"other"}


def test_a_project_with_a_cpu_variant_starts_without_a_gpu_and_says_why(bench: Bench) -> None:
    bench.declare(EVERY_CARD)
    (bench.root / "docker-compose.cpu.yml").write_text("services:\n  model:\n    gpus: !reset null\n")
    answer = bench.invoke("up")
    assert answer.returncode == 0, answer.stderr
    assert "device cpu (driver-without-toolkit): NVIDIA A10 is here, but" in answer.stderr
    assert not bench.containers()["model"].attrs["HostConfig"]["DeviceRequests"]


def test_a_gpu_that_docker_can_give_is_taken_and_said(bench: Bench) -> None:
    bench.declare(EVERY_CARD)
    bench.own.set_hook(FINE)
    bench.own.restart()
    answer = bench.invoke("up")
    assert answer.returncode == 0, answer.stderr
    assert "device gpu (fine): NVIDIA A10, driver 550.54" in answer.stderr
    assert bench.containers()["model"].attrs["HostConfig"]["DeviceRequests"]


def test_the_gpu_inside_a_container_is_asked_for_there(bench: Bench) -> None:
    bench.declare(THROUGH_CDI)
    bench.give_through_cdi()
    assert bench.invoke("up").returncode == 0
    found = bench.survey()
    assert (found["decision"], found["reason"]) == ("gpu", "fine")
    assert [(one["service"], one["uuids"], one["lost"]) for one in found["containers"]] == [("model", ["GPU-0"], False)]


def test_a_gpu_lost_while_running_is_named_and_the_next_up_brings_it_back(bench: Bench) -> None:
    bench.declare(THROUGH_CDI)
    bench.give_through_cdi()
    assert bench.invoke("up").returncode == 0
    before = bench.containers()["model"].attrs["State"]["StartedAt"]
    # The host goes on seeing its card; what the container reads is what it lost.
    bench.environment["NVML_STAND_IN"] = str(bench.root / "host")
    StandIn(library(), bench.root / "host").describe("driver 550.54", *card(0, 24))
    bench.machine.describe("driver 550.54", *card(0, 24), LOST)
    found = bench.survey()
    assert (found["decision"], found["reason"]) == ("gpu", "lost-after-daemon-reload")
    assert found["remedy"] == "`invoke restart model`"
    assert "Unknown Error" in found["containers"][0]["problem"]
    answer = bench.invoke("up")
    assert answer.returncode == 0, answer.stderr
    assert "lost its GPU" in answer.stderr
    assert bench.containers()["model"].attrs["State"]["StartedAt"] != before


def test_a_container_without_the_library_is_not_called_lost(bench: Bench) -> None:
    bench.declare(EVERY_CARD)
    bench.own.set_hook(FINE)
    bench.own.restart()
    assert bench.invoke("up").returncode == 0
    (inside,) = bench.survey()["containers"]
    assert inside["problem"]
    assert not inside["lost"]


def test_a_card_is_held_only_while_its_services_start(bench: Bench) -> None:
    bench.declare(THROUGH_CDI, gpu_memory="20g")
    bench.give_through_cdi()
    assert bench.invoke("up").returncode == 0
    assert bench.survey()["leases"] == []
    bench.machine.describe("driver 550.54", *card(0, 24, 20))
    assert bench.invoke("up").returncode == 0, "a running service waited for itself"


def test_a_service_whose_memory_others_hold_starts_nothing(bench: Bench) -> None:
    bench.declare(THROUGH_CDI, gpu_memory="20g")
    bench.give_through_cdi()
    bench.machine.describe("driver 550.54", *card(0, 24, 10))
    answer = bench.invoke("up --timeout 1")
    assert answer.returncode == NO_GPU_HERE, answer.stderr
    assert "without a lease" in answer.stderr
    assert bench.containers() == {}
    assert bench.survey()["leases"] == []


def test_a_size_that_is_none_is_wrong_usage(bench: Bench) -> None:
    bench.declare(THROUGH_CDI, gpu_memory="much")
    bench.give_through_cdi()
    assert bench.invoke("up").returncode == 2
    assert bench.containers() == {}
