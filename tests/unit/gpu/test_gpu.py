"""The device decision: every row of its table, with every link broken once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fake_docker
import pytest

from layerstack.errors import GpuMissing
from layerstack.gpu import device, gpu_probe
from layerstack.gpu.decision import decide, with_containers
from layerstack.gpu.gpu_in_container import ContainerGpu
from layerstack.gpu.gpu_probe import ADVICE, DockerGpu, Link, judge_refusal, probe_docker
from layerstack.gpu.nvml import Gpu, HostAnswer, HostGpus, MigInstance
from layerstack.gpu.nvml_library import NvmlRefused
from layerstack.project.gpu_request import EVERY_CDI_GPU, EVERY_GPU, GpuRequest, requests_of

HOST = HostGpus("550.1", (Gpu(0, "A card", "GPU-1", 1, 1, "9.0"),))
FALLEN = HostGpus("550.1", (Gpu(0, "A card", "", None, None, "", problem="GPU is lost"),))
UNDIVIDED = HostGpus("550.1", (Gpu(0, "A card", "GPU-1", 1, 1, "9.0", has_mig=True),))
DIVIDED = HostGpus("550.1", (Gpu(0, "A card", "GPU-1", 1, 1, "9.0", (), True, (MigInstance("MIG-1", "part", 1, 1),)),))
WORKS = DockerGpu(True, "a container gets a GPU")


def broken(link: Link) -> DockerGpu:
    return DockerGpu(False, f"the link {link} is broken", link)


def answer(host: HostGpus | NvmlRefused) -> HostAnswer:
    return (None, host) if isinstance(host, NvmlRefused) else (host, None)


NO_LIBRARY = NvmlRefused("no-library", "no NVIDIA driver on this machine")
NOT_LOADED = NvmlRefused("driver-not-loaded", "the driver is not loaded", "modprobe")
MISMATCH = NvmlRefused("driver-broken", "version mismatch", "reboot")
NO_CARD = NvmlRefused("no-device", "no card")


@pytest.mark.parametrize(
    ("message", "is_usable", "link"),
    [
        ('could not select device driver "" with capabilities: [[gpu]]', False, "docker"),
        ("failed to discover GPU vendor from CDI: no known GPU vendor found", False, "docker"),
        ("unknown or invalid runtime name: nvidia", False, "docker"),
        ("CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=9", False, "request"),
        ("nvidia-container-cli: device error: 1: unknown device: unknown", False, "request"),
        ("nvidia-container-cli: initialization error: libnvidia-ml.so.1: no such file or directory", False, "toolkit"),
        ("nvidia-container-cli: mount error: file creation failed: no such file or directory", False, "toolkit"),
        ('exec: "nvidia-container-runtime-hook": executable file not found in $PATH', False, "toolkit"),
        ("error running hook: nvidia-ctk: executable file not found in $PATH", False, "toolkit"),
        ('exec: "/absent": stat /absent: no such file or directory: unknown', True, "works"),
        ("crun: executable file `/absent` not found: No such file or directory", True, "works"),
        ("no space left on device", False, "docker"),
    ],
)
def test_what_the_refusal_of_the_probe_means(message: str, is_usable: bool, link: str) -> None:
    found = judge_refusal(message)
    assert (found.is_usable, found.broken_link) == (is_usable, link)
    assert found.is_usable or found.broken_link in ADVICE


def test_the_end_of_the_engines_chain_of_causes_is_told() -> None:
    chain = "failed to create task: OCI runtime create failed: error running hook #0: stderr: Auto-detected mode\n"
    found = judge_refusal(f"{chain}nvidia-container-cli: initialization error: nvml error: driver not loaded")
    assert found.reason.endswith("fails: nvidia-container-cli: initialization error: nvml error: driver not loaded")


def test_cdi_without_a_description_is_no_wish_of_the_service() -> None:
    message = "CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=all"
    assert judge_refusal(message, EVERY_CDI_GPU).broken_link == "docker"


@pytest.mark.parametrize(
    ("host", "docker", "device", "reason", "said", "remedy"),
    [
        (HOST, WORKS, "gpu", "fine", "A card, driver 550.1", ""),
        (DIVIDED, WORKS, "gpu", "fine", "A card", ""),
        (NO_LIBRARY, WORKS, "cpu", "no-card", "no NVIDIA driver", ""),
        (NO_CARD, WORKS, "cpu", "no-card", "no card", ""),
        (NOT_LOADED, WORKS, "cpu", "driver-not-loaded", "not loaded", "modprobe"),
        (MISMATCH, WORKS, "cpu", "driver-broken", "mismatch", "reboot"),
        (FALLEN, WORKS, "cpu", "no-usable-card", "GPU is lost", "dmesg"),
        (UNDIVIDED, WORKS, "cpu", "no-usable-card", "MIG is on", "nvidia-smi mig"),
        (HOST, broken("docker"), "cpu", "driver-without-toolkit", "A card is here, but", "nvidia-container-toolkit"),
        (HOST, broken("setup"), "cpu", "toolkit-not-set-up", "A card is here, but", "nvidia-ctk runtime configure"),
        (HOST, broken("cdi"), "cpu", "cdi-only", "A card is here, but", "driver: cdi"),
        (HOST, broken("toolkit"), "cpu", "toolkit-fails", "A card is here, but", "nvidia-container-cli"),
        (HOST, broken("request"), "cpu", "request-too-large", "A card is here, but", "invoke gpu"),
        (HOST, broken("engine"), "cpu", "engine-unreachable", "A card is here, but", "invoke doctor"),
    ],
)
def test_each_row_of_the_table(
    host: HostGpus | NvmlRefused, docker: DockerGpu, device: str, reason: str, said: str, remedy: str
) -> None:
    found = decide("auto", True, answer(host), lambda: docker)
    assert (found.device, found.reason) == (device, reason)
    assert said in found.why
    assert remedy in found.remedy
    assert bool(found.remedy) == bool(remedy)


def test_asked_for_the_cpu() -> None:
    assert decide("cpu", True, answer(HOST), no_probe).reason == "asked-for-cpu"


def test_no_service_asks_for_a_gpu() -> None:
    found = decide("auto", False, answer(HOST), no_probe)
    assert (found.device, found.reason) == ("cpu", "no-service-wants-gpu")


def test_docker_is_not_asked_without_a_driver() -> None:
    assert decide("auto", True, answer(NO_LIBRARY), no_probe).to_json() == {
        "host": None,
        "docker": {"usable": False, "reason": "not asked"},
        "decision": "cpu",
        "why": "no NVIDIA driver on this machine",
        "reason": "no-card",
        "remedy": "",
        "containers": [],
    }


def test_an_engine_on_another_machine_is_asked_without_a_driver_here() -> None:
    assert decide("auto", True, answer(NO_LIBRARY), lambda: WORKS, is_elsewhere=True).device == "gpu"
    assert decide("auto", True, answer(NO_LIBRARY), lambda: broken("docker"), is_elsewhere=True).device == "cpu"


@pytest.mark.parametrize(
    ("host", "docker", "said"),
    [
        (NO_LIBRARY, broken("docker"), "no NVIDIA driver"),
        (NO_LIBRARY, broken("toolkit"), "no NVIDIA driver"),
        (NO_LIBRARY, broken("engine"), "link engine"),
        (HOST, broken("docker"), "driver-without-toolkit"),
        (HOST, broken("toolkit"), "toolkit-fails"),
        (HOST, broken("request"), "request-too-large"),
    ],
)
def test_a_demanded_gpu_that_is_missing_names_the_broken_link(
    host: HostGpus | NvmlRefused, docker: DockerGpu, said: str
) -> None:
    with pytest.raises(GpuMissing, match=said) as caught:
        decide("gpu", True, answer(host), lambda: docker)
    assert caught.value.exit_code == 6
    assert caught.value.advice


def test_a_demanded_gpu_of_an_engine_elsewhere_counts() -> None:
    assert decide("gpu", True, answer(NO_LIBRARY), lambda: WORKS).device == "gpu"


def test_a_container_that_lost_its_gpu_is_a_row_of_its_own() -> None:
    decision = decide("auto", True, answer(HOST), lambda: WORKS)
    lost = ContainerGpu("model", "p-model-1", (), "Failed to initialize NVML: Unknown Error", is_lost=True)
    seeing = ContainerGpu("other", "p-other-1", ("GPU-1",))
    found = with_containers(decision, [seeing, lost])
    assert (found.device, found.reason) == ("gpu", "lost-after-daemon-reload")
    assert found.remedy == "`invoke restart model`"
    assert "Unknown Error" in found.why
    assert with_containers(decision, [seeing]).reason == "fine"


def test_the_requests_of_a_compose_file() -> None:
    def asked(definition: Mapping[str, Any]) -> tuple[GpuRequest, ...]:
        return requests_of(definition)

    def reserved(**device: Any) -> Mapping[str, Any]:
        return {"deploy": {"resources": {"reservations": {"devices": [device]}}}}

    assert asked({}) == ()
    assert asked(reserved(capabilities=["tpu"])) == ()
    assert asked(reserved(capabilities=["gpu"], count=-1)) == (EVERY_GPU,)
    assert asked(reserved(driver="nvidia", capabilities=["gpu"], count=2)) == (GpuRequest("nvidia", 2),)
    assert asked(reserved(capabilities=["gpu"], device_ids=["1"])) == (GpuRequest("", 0, ("1",)),)
    cdi = GpuRequest("cdi", 0, ("nvidia.com/gpu=0",), ())
    assert asked(reserved(driver="cdi", capabilities=["gpu"], device_ids=["nvidia.com/gpu=0"])) == (cdi,)
    assert asked({"devices": [{"source": "nvidia.com/gpu=0", "target": "nvidia.com/gpu=0"}]}) == (cdi,)
    assert asked({"devices": [{"source": "/dev/dri", "target": "/dev/dri"}]}) == ()
    assert asked({"gpus": [{"count": -1}]}) == (EVERY_GPU,)
    assert asked({"runtime": "nvidia"}) == (GpuRequest(runtime="nvidia"),)


def test_the_first_request_that_docker_cannot_give_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = GpuRequest("nvidia", 4)
    monkeypatch.setattr(device, "try_host", lambda: answer(HOST))
    monkeypatch.setattr(device, "_requests", lambda _root: (EVERY_GPU, wanted))
    answers = {EVERY_GPU: WORKS, wanted: broken("request")}
    monkeypatch.setattr(device, "probe_docker", answers.__getitem__)
    assert device.choose(Path(), "auto").reason == "request-too-large"
    with pytest.raises(GpuMissing, match="request-too-large"):
        device.choose(Path(), "gpu")
    answers[wanted] = WORKS
    assert device.choose(Path(), "auto").reason == "fine"


def test_without_a_card_the_project_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(device, "try_host", lambda: answer(NO_LIBRARY))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setattr(device.project, "load", lambda *_: pytest.fail("the project was read"))
    assert device.choose(tmp_path, "auto").reason == "no-card"


def no_probe() -> DockerGpu:
    pytest.fail("Docker was asked")


@pytest.mark.parametrize(
    ("host", "is_elsewhere"),
    [("", False), ("unix:///var/run/docker.sock", False), ("tcp://10.0.0.7:2375", True), ("tcp://127.0.0.1:1", False)],
)
def test_an_engine_is_elsewhere_by_its_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str, is_elsewhere: bool
) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    assert device.is_engine_elsewhere() is is_elsewhere


def test_a_context_that_does_not_exist_is_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake_docker.install(tmp_path, monkeypatch).answers("context inspect *", stderr="context not found", exit_code=1)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONTEXT", "gone")
    assert not device.is_engine_elsewhere()


def test_an_error_without_a_word_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ConnectionResetError

    monkeypatch.setattr(gpu_probe.engine, "client", fail)
    assert (probe_docker().broken_link, "ConnectionResetError" in probe_docker().reason) == ("engine", True)
