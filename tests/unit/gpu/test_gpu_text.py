"""What `invoke gpu` prints: the decision first, then the command that repairs it, then what was seen."""

import pytest

from layerstack.gpu.card_lock import Holder
from layerstack.gpu.decision import Decision
from layerstack.gpu.gpu_in_container import ContainerGpu
from layerstack.gpu.gpu_probe import DockerGpu
from layerstack.gpu.gpu_survey import Survey
from layerstack.gpu.nvml import Gpu, GpuProcess, HostGpus, MigInstance, cards_of
from layerstack.gpu.text import print_gpu

GIB = 2**30
FIRST = Gpu(0, "NVIDIA [A10]", "GPU-0", 24 * GIB, 20 * GIB, "8.6", (GpuProcess(41, 4 * GIB), GpuProcess(42, None)))
SECOND = Gpu(1, "NVIDIA A100", "GPU-1", None, None, "", (), True, (MigInstance("MIG-1", "1g.5gb", 5 * GIB, 5 * GIB),))
THIRD = Gpu(2, "card 2", "", None, None, "", problem="GPU is lost")
WORKS = DockerGpu(True, "a container gets a GPU")


def test_the_decision_and_its_remedy_come_first(capsys: pytest.CaptureFixture[str]) -> None:
    lost = ContainerGpu("model", "p-model-1", (), "Unknown Error", is_lost=True)
    seeing = ContainerGpu("other", "p-other-1", ("GPU-0",))
    host = HostGpus("550.1", (FIRST, SECOND, THIRD))
    decision = Decision("gpu", "because", host, WORKS, "lost-after-daemon-reload", "`repair it`", (lost, seeing))
    lease = Holder("training", "ann", 77, 6 * GIB, 0.0)
    print_gpu(Survey(decision, ((cards_of(host)[0], lease),)))
    first, second, *rest = capsys.readouterr().out.splitlines()
    assert first == "device gpu (lost-after-daemon-reload): because"
    assert second.strip() == "→ `repair it`"
    text = " ".join(" ".join(rest).split())
    assert "NVIDIA [A10], GPU-0, 20.0 GiB of 24.0 GiB free, compute capability 8.6" in text
    assert "process 41 uses 4.0 GiB, process 42 uses an unknown size" in text
    assert "MIG is on" in text
    assert "instance MIG-1: 1g.5gb, 5.0 GiB of 5.0 GiB free" in text
    assert "cannot be used: GPU is lost" in text
    assert "p-model-1: Unknown Error, while the host has it" in text
    assert "p-other-1: sees GPU-0" in text
    assert "training: 6.0 GiB of GPU-0" in text
    assert "process 77 of ann" in text


def test_without_a_remedy_there_is_no_empty_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_gpu(Survey(Decision("cpu", "no card", None, DockerGpu(False, "not asked", "not asked"), "no-card")))
    out = capsys.readouterr().out
    assert "→" not in out
    assert "no NVIDIA driver answers" in out
