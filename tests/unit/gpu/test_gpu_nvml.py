"""What is read from NVIDIA's library: a stand-in answers the real calls to a child process."""

import json
from pathlib import Path
from typing import Any

import pytest

from layerstack.gpu import nvml
from layerstack.gpu.nvml_library import Nvml
from tests.nvml_stand_in.stand_in import GIB, StandIn, card, library

READ = """
import json
from layerstack.gpu import nvml
from layerstack.gpu.nvml_library import NvmlRefused
try:
    found = nvml.ask_host().to_json()
except NvmlRefused as refused:
    found = {"kind": refused.kind, "words": str(refused), "remedy": refused.remedy}
print(json.dumps({"asked": found, "read": nvml.read_host() is not None}))
"""
NOT_SUPPORTED, LOST, UNKNOWN = 3, 15, 999


@pytest.fixture
def machine(tmp_path: Path) -> StandIn:
    return StandIn(library(), tmp_path / "cards")


def read(machine: StandIn, *lines: str) -> dict[str, Any]:
    machine.describe("driver 550.54", *lines)
    found: dict[str, Any] = json.loads(machine.run(READ))
    assert found["read"] == ("devices" in found["asked"])
    return found["asked"]  # type: ignore[no-any-return]


def test_driver_cards_and_memory(machine: StandIn) -> None:
    found = read(machine, *card(0, 24, 2), *card(1, 80))
    assert found["driver"] == "550.54"
    first, second = found["devices"]
    assert (first["index"], first["name"], first["uuid"]) == (0, "NVIDIA A10", "GPU-0")
    assert (first["memory_total_bytes"], first["memory_free_bytes"]) == (24 * GIB, 22 * GIB)
    assert first["compute_capability"] == "8.6"
    assert second["memory_free_bytes"] == 80 * GIB
    assert not first["has_mig"]


def test_processes_with_their_memory(machine: StandIn) -> None:
    (found,) = read(machine, "ghosts 1", *card(0, 24, 0, f"process 41 {3 * GIB}", f"process 42 {GIB}"))["devices"]
    assert found["processes"] == [{"pid": 41, "used_bytes": 3 * GIB}, {"pid": 42, "used_bytes": GIB}]
    assert found["memory_free_bytes"] == 20 * GIB


def test_memory_of_processes_that_the_driver_does_not_tell(machine: StandIn) -> None:
    unknown = 2**64 - 1
    (found,) = read(machine, "ghosts 1", *card(0, 24, 0, f"process 41 {unknown}"))["devices"]
    assert found["processes"] == [{"pid": 41, "used_bytes": None}]


@pytest.mark.parametrize(
    ("call", "field", "value"),
    [
        ("nvmlDeviceGetMemoryInfo", "memory_total_bytes", None),
        ("nvmlDeviceGetCudaComputeCapability", "compute_capability", ""),
        ("nvmlDeviceGetUUID", "uuid", ""),
        ("nvmlDeviceGetName", "name", "card 0"),
        ("nvmlDeviceGetComputeRunningProcesses", "processes", []),
        ("nvmlDeviceGetMigMode", "has_mig", False),
    ],
)
def test_what_wsl_does_not_support_is_left_out(machine: StandIn, call: str, field: str, value: Any) -> None:
    (found,) = read(machine, *card(0), f"0 error {call} {NOT_SUPPORTED}")["devices"]
    assert found[field] == value
    assert not found["problem"]


def test_a_name_that_is_not_utf8_is_left_out(machine: StandIn) -> None:
    (found,) = read(machine, "0 name \udcff\udcfe", "0 uuid GPU-0")["devices"]
    assert (found["name"], found["uuid"]) == ("card 0", "GPU-0")


def test_a_card_that_fell_off_the_bus_does_not_hide_the_other(machine: StandIn) -> None:
    first, second = read(machine, *card(0), *card(1), f"0 error nvmlDeviceGetHandleByIndex {LOST}")["devices"]
    assert "lost" in first["problem"].lower()
    assert second["uuid"] == "GPU-1"
    assert not second["problem"]


def test_mig_instances_are_read_past_gaps(machine: StandIn) -> None:
    parts = ("mig 1", "mig0.uuid MIG-a", f"mig0.total {5 * GIB}", "mig2.uuid MIG-c", f"mig2.total {10 * GIB}")
    (found,) = read(machine, "ghosts 1", *card(0, 40, 0, *parts, f"process 7 {GIB} 2"))["devices"]
    assert found["has_mig"]
    assert [(one["uuid"], one["memory_total_bytes"]) for one in found["instances"]] == [
        ("MIG-a", 5 * GIB),
        ("MIG-c", 10 * GIB),
    ]
    assert [one["processes"] for one in found["instances"]] == [[], [{"pid": 7, "used_bytes": GIB}]]


@pytest.mark.parametrize(
    ("code", "kind", "remedy"),
    [
        (9, "driver-not-loaded", "modprobe"),
        (18, "driver-broken", "reboot"),
        (4, "driver-broken", "/dev/nvidia"),
        (UNKNOWN, "driver-broken", "dmesg"),
    ],
)
@pytest.mark.parametrize("call", ["nvmlInit", "nvmlDeviceGetCount"])
def test_a_driver_that_does_not_start_is_named(machine: StandIn, call: str, code: int, kind: str, remedy: str) -> None:
    found = read(machine, *card(0), f"error {call} {code}")
    assert found["kind"] == kind
    assert remedy in found["remedy"]


def test_a_driver_without_a_card(machine: StandIn) -> None:
    assert read(machine)["kind"] == "no-device"


def test_the_library_of_wsl_is_found_outside_the_loaders_path(machine: StandIn) -> None:
    machine.describe("driver 550.54", *card(0))
    folder = str(library().parent)
    told = (
        f"import pathlib; from layerstack.gpu import nvml_library as n; n.LIBRARY_FOLDERS = [pathlib.Path({folder!r})]"
    )
    environment = {key: value for key, value in machine.environment.items() if key != "LD_LIBRARY_PATH"}
    assert machine.run(f"{told}\n{READ}", environment=environment).count("GPU-0") == 1


def test_without_the_library_there_is_no_driver(machine: StandIn, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    environment = {**machine.environment, "LD_LIBRARY_PATH": str(tmp_path / "empty")}
    code = (
        "from pathlib import Path; from layerstack.gpu import nvml_library as n, nvml; n.LIBRARY_FOLDERS = []\n"
        "n.LIBRARY = 'libnvidia-ml-of-no-driver.so.1'; nvml.PCI_DEVICES = Path('/none')"
    )
    found = json.loads(machine.run(f"{code}\n{READ}", environment=environment))
    assert found["asked"]["kind"] == "no-library"


@pytest.mark.parametrize(("kind", "cards"), [("0x030000", 1), ("0x030200", 1), ("0x040300", 0)])
def test_a_card_without_a_driver_is_seen_on_the_bus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, cards: int
) -> None:
    for name, vendor in (("0000:01:00.0", "0x10de"), ("0000:02:00.0", "0x8086")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vendor").write_text(f"{vendor}\n")
        (tmp_path / name / "class").write_text(f"{kind}\n")
    monkeypatch.setattr(nvml, "PCI_DEVICES", tmp_path)
    assert nvml.count_pci_cards() == cards


def test_texts_of_older_bindings_are_bytes() -> None:
    class Old:
        class NVMLError(Exception):
            pass

        @staticmethod
        def nvmlSystemGetDriverVersion() -> bytes:
            return b"470.1\xff"

    assert Nvml(Old).text("nvmlSystemGetDriverVersion") == "470.1\ufffd"
