"""NVIDIA's real driver: `layerstack gpu` and the lease, which no machine of this project has met."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

# The checkout; the image that tests the service has no other part of it.
ROOT = next((folder for folder in Path(__file__).parents if (folder / "layerstack").is_dir()), Path(__file__).parent)
# A process of its own, as two people on one machine are.
SECOND = "from layerstack.gpu import lease\nwith lease.hold(lease.Wanted('second'), {seconds}): print('held')\n"
ALLOCATED_BYTES = 1_000_000_000
LONGEST_SECONDS = 60


def try_gpu_task(device_name: str | None) -> dict[str, Any]:
    """What NVML says through layerstack, which must name the card that PyTorch names, and what `layerstack gpu` says.

    Without Docker on the machine the task ends with its own words, and they are the result.
    """
    from layerstack.gpu import nvml

    host = nvml.read_host()
    names = [device.name for device in host.devices] if host else []
    assert device_name is None or device_name in names, f"PyTorch has {device_name}, NVML {names}"
    command = [sys.executable, "-m", "invoke", "gpu", "--json"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
    assert ended.stdout, f"exit code {ended.returncode}: {ended.stderr[-500:]}"
    return {"driver": host and host.driver, "devices": names, "task": json.loads(ended.stdout)}


def try_lease(device: str) -> dict[str, Any]:
    """A whole card is held once; its use is measured; whoever waits gets it afterwards."""
    from layerstack.gpu import lease

    with lease.hold(lease.Wanted("first"), LONGEST_SECONDS) as held:
        refused = _second(seconds=1)
        assert refused.returncode != 0, "a whole card was leased twice"
        taken = _allocate(device)
        time.sleep(1)
        del taken
        peak = held.peak.most_bytes
    assert peak >= ALLOCATED_BYTES, f"{ALLOCATED_BYTES} bytes were taken, NVML saw {peak}"
    assert _second(seconds=LONGEST_SECONDS).stdout.strip() == "held"
    return {"card": held.card.name, "peak_bytes": peak, "is_of_card": held.peak.is_of_card}


def _second(seconds: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", SECOND.format(seconds=seconds)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_SECONDS * 2, check=False)


def _allocate(device: str) -> Any:
    import torch

    return torch.zeros(ALLOCATED_BYTES, dtype=torch.uint8, device=device)
