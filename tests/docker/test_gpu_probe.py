"""The probe, asked of a real engine that knows a GPU in each of the ways in which one can be known or missing."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from own_engine import FINE, OwnEngine, own_engine

from layerstack.gpu import gpu_probe
from layerstack.gpu.gpu_probe import probe_docker
from layerstack.project.gpu_request import EVERY_CDI_GPU, EVERY_GPU, GpuRequest

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="a second engine takes root"),
]
DEVICES = {
    "cdiVersion": "0.6.0",
    "kind": "nvidia.com/gpu",
    "devices": [{"name": name, "containerEdits": {"env": ["CARD=1"]}} for name in ("0", "all")],
}
NOT_LOADED = (
    'cat >/dev/null; echo "nvidia-container-cli: initialization error: nvml error: driver not loaded" >&2; exit 1'
)
UNKNOWN = 'cat >/dev/null; echo "nvidia-container-cli: device error: 1: unknown device" >&2; exit 1'


@pytest.fixture(scope="module")
def started() -> Iterator[OwnEngine]:
    with own_engine() as found:
        yield found


@pytest.fixture
def own(started: OwnEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OwnEngine:
    """The engine without any way to a GPU."""
    monkeypatch.setenv("DOCKER_HOST", started.host)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(gpu_probe, "TOOLKIT_PROGRAMS", ("no-such-program",))
    started.reset()
    return started


def with_hook(own: OwnEngine, script: str = FINE) -> None:
    own.set_hook(script)
    own.restart()


def test_a_driver_without_the_toolkit(own: OwnEngine) -> None:
    assert probe_docker().broken_link == "docker"
    assert probe_docker(EVERY_CDI_GPU).broken_link == "docker"
    assert probe_docker(GpuRequest(runtime="nvidia")).broken_link == "docker"


def test_a_toolkit_that_the_engine_does_not_know(own: OwnEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    own.set_program("nvidia-ctk", "exit 0")
    monkeypatch.setattr(gpu_probe, "TOOLKIT_PROGRAMS", (str(own.folder / "programs" / "nvidia-ctk"),))
    assert probe_docker().broken_link == "setup"


def test_cdi_alone(own: OwnEngine) -> None:
    own.describe_devices(DEVICES)
    assert probe_docker().broken_link == "cdi"
    assert probe_docker(EVERY_CDI_GPU).is_usable
    assert probe_docker(GpuRequest("cdi", 0, ("nvidia.com/gpu=7",), ())).broken_link == "request"


@pytest.mark.parametrize("request_", [EVERY_GPU, GpuRequest("nvidia", 1), GpuRequest("nvidia", 0, ("0",))])
def test_a_toolkit_that_works(own: OwnEngine, request_: GpuRequest) -> None:
    with_hook(own)
    assert probe_docker(request_).is_usable


def test_a_toolkit_that_fails(own: OwnEngine) -> None:
    with_hook(own, NOT_LOADED)
    found = probe_docker()
    assert found.broken_link == "toolkit"
    assert found.reason.endswith("driver not loaded")


def test_a_toolkit_that_was_removed_under_a_running_engine(own: OwnEngine) -> None:
    with_hook(own)
    own.set_hook(None)
    assert probe_docker().broken_link == "toolkit"


def test_more_cards_than_there_are(own: OwnEngine) -> None:
    with_hook(own, UNKNOWN)
    found = probe_docker(GpuRequest("nvidia", 4))
    assert found.broken_link == "request"
    assert "4 cards" in found.reason


def test_an_engine_that_is_down(own: OwnEngine) -> None:
    own.stop()
    assert probe_docker().broken_link == "engine"


def test_the_probe_leaves_nothing_behind(own: OwnEngine) -> None:
    with_hook(own)
    probe_docker()
    with_hook(own, NOT_LOADED)
    probe_docker()
    assert own.client.containers.list(all=True) == []
    assert own.client.images.list(all=True) == []


def test_two_probes_at_once_do_not_disturb_each_other(own: OwnEngine) -> None:
    with_hook(own)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: probe_docker(), range(18)))
    assert [one.reason for one in found if not one.is_usable] == []
