"""The device decision, with every link broken once, and NVML as old and new drivers speak it."""

from types import SimpleNamespace
from typing import Any

import pytest

from layerstack import nvml
from layerstack.errors import GpuMissing
from layerstack.gpu import DockerGpu, decide, judge_refusal
from layerstack.nvml import Gpu, HostGpus

HOST = HostGpus("550.1", (Gpu(0, "A card", "GPU-1", 1, 1, "9.0"),))
WORKS = DockerGpu(True, "a container gets a GPU")
NO_DOCKER = DockerGpu(False, "Docker has no way to a GPU", "docker")
NO_TOOLKIT = DockerGpu(False, "the NVIDIA container toolkit fails", "toolkit")


@pytest.mark.parametrize(
    ("message", "is_usable", "link"),
    [
        ('could not select device driver "" with capabilities: [[gpu]]', False, "docker"),
        ("failed to discover GPU vendor from CDI: no known GPU vendor found", False, "docker"),
        ("nvidia-container-cli: initialization error: libnvidia-ml.so.1: no such file or directory", False, "toolkit"),
        ("nvidia-container-cli: mount error: file creation failed: no such file or directory", False, "toolkit"),
        ("error running hook: nvidia-ctk: executable file not found in $PATH", False, "toolkit"),
        ('exec: "/absent": stat /absent: no such file or directory: unknown', True, "works"),
        ("no space left on device", False, "docker"),
    ],
)
def test_what_the_refusal_of_the_probe_means(message: str, is_usable: bool, link: str) -> None:
    found = judge_refusal(message)
    assert (found.is_usable, found.broken_link) == (is_usable, link)


@pytest.mark.parametrize(
    ("host", "docker", "wants_gpu", "device", "said"),
    [
        (HOST, WORKS, True, "gpu", "A card, driver 550.1"),
        (HOST, NO_DOCKER, True, "cpu", "Docker has no way"),
        (None, WORKS, True, "cpu", "no NVIDIA driver"),
        (HOST, WORKS, False, "cpu", "no service of this project"),
    ],
)
def test_auto(host: HostGpus | None, docker: DockerGpu, wants_gpu: bool, device: str, said: str) -> None:
    decision = decide("auto", wants_gpu, lambda: host, lambda: docker)
    assert decision.device == device
    assert said in decision.why


def test_docker_is_not_asked_without_a_driver() -> None:
    def probe() -> DockerGpu:
        pytest.fail("Docker was asked")

    assert decide("auto", True, lambda: None, probe).to_json() == {
        "host": None,
        "docker": {"usable": False, "reason": "not asked"},
        "decision": "cpu",
        "why": "no NVIDIA driver answers on this machine",
    }
    assert decide("cpu", True, lambda: HOST, probe).device == "cpu"


@pytest.mark.parametrize(
    ("host", "docker", "said"),
    [
        (None, NO_DOCKER, "no NVIDIA driver"),
        (None, NO_TOOLKIT, "no NVIDIA driver"),
        (HOST, NO_DOCKER, "Docker has no way"),
        (HOST, NO_TOOLKIT, "toolkit fails"),
        (HOST, DockerGpu(False, "Docker could not be asked", "engine"), "could not be asked"),
    ],
)
def test_a_demanded_gpu_that_is_missing_names_the_broken_link(
    host: HostGpus | None, docker: DockerGpu, said: str
) -> None:
    with pytest.raises(GpuMissing, match=said) as caught:
        decide("gpu", True, lambda: host, lambda: docker)
    assert caught.value.exit_code == 6
    assert caught.value.advice


def test_a_demanded_gpu_of_an_engine_elsewhere_counts() -> None:
    assert decide("gpu", True, lambda: None, lambda: WORKS).device == "gpu"


class FakeNvml:
    """The parts of pynvml that are used; `broken` names calls that are not supported."""

    class NVMLError(Exception):
        pass

    def __init__(self, count: int, name: Any, broken: tuple[str, ...] = ()) -> None:
        self._answers = {
            "nvmlInit": None,
            "nvmlShutdown": None,
            "nvmlDeviceGetCount": count,
            "nvmlSystemGetDriverVersion": b"550.1",
            "nvmlDeviceGetHandleByIndex": "handle",
            "nvmlDeviceGetName": name,
            "nvmlDeviceGetUUID": "GPU-1",
            "nvmlDeviceGetMemoryInfo": SimpleNamespace(total=10, free=4),
            "nvmlDeviceGetCudaComputeCapability": (9, 0),
        }
        self._broken = broken

    def __getattr__(self, call: str) -> Any:
        def answer(*_: Any) -> Any:
            if call in self._broken:
                raise self.NVMLError(call)
            return self._answers[call]

        return answer


def read(monkeypatch: pytest.MonkeyPatch, fake: FakeNvml) -> HostGpus | None:
    monkeypatch.setattr(nvml, "_has_library", lambda: True)
    monkeypatch.setitem(__import__("sys").modules, "pynvml", fake)
    return nvml.read_host()


@pytest.mark.parametrize("name", ["A card", b"A card"])
def test_names_may_be_bytes(monkeypatch: pytest.MonkeyPatch, name: Any) -> None:
    assert read(monkeypatch, FakeNvml(1, name)) == HostGpus("550.1", (Gpu(0, "A card", "GPU-1", 10, 4, "9.0"),))


def test_what_wsl_does_not_support_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = ("nvmlDeviceGetMemoryInfo", "nvmlDeviceGetCudaComputeCapability", "nvmlDeviceGetUUID")
    assert read(monkeypatch, FakeNvml(1, "A card", missing)) == HostGpus(
        "550.1", (Gpu(0, "A card", "", None, None, ""),)
    )


@pytest.mark.parametrize("broken", ["nvmlInit", "nvmlDeviceGetCount"])
def test_no_driver_is_no_gpu(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    assert read(monkeypatch, FakeNvml(1, "A card", (broken,))) is None
    assert read(monkeypatch, FakeNvml(0, "A card")) is None
