"""Runs the trials one after the other and writes one JSON document; a trial that fails does not stop the others."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

SERVICE = Path(__file__).parents[2]
# The checkout; the image that tests the service has no other part of it.
ROOT = next((folder for folder in Path(__file__).parents if (folder / "layerstack").is_dir()), Path(__file__).parent)
MOST_SECONDS = 700.0


class NotRun(Exception):
    """This machine lacks what the trial is about; the text says what."""


def run(trials: dict[str, Callable[[], dict[str, Any]]], most_seconds: float) -> dict[str, Any]:
    """The result of each trial: ok, failed with its traceback, or not run with the reason."""
    began, results = time.monotonic(), {}
    for name, trial in trials.items():
        started = time.monotonic()
        try:
            if started - began > most_seconds:
                raise NotRun(f"{most_seconds:.0f} s were over")
            results[name] = {"state": "ok", **trial()}
        except NotRun as reason:
            results[name] = {"state": "not run", "reason": str(reason)}
        except (Exception, SystemExit):
            results[name] = {"state": "failed", "error": traceback.format_exc(limit=-6)}
        results[name]["seconds"] = round(time.monotonic() - started, 1)
        sys.stdout.write(f"{name}: {json.dumps(results[name])}\n")
        sys.stdout.flush()
    return results


def describe_machine(device: str) -> dict[str, Any]:
    """Which PyTorch and which card."""
    import torch

    facts = {"python": platform.python_version(), "torch": torch.__version__, "cuda": torch.version.cuda}
    if device.startswith("cuda"):
        facts["card"] = torch.cuda.get_device_name(device)
        facts["memory_bytes"] = torch.cuda.mem_get_info()[1]
    return facts


def try_hmr2(device: str, scratch: Path) -> dict[str, Any]:
    """Random files of the real size, then the engine."""
    from gpu_trial import brought, engine_trial, random_files
    from pose_service.engines.hmr2 import models

    models.DEVICE = device
    # 4D-Humans reads it when it is imported.
    os.environ["HOME"] = str(scratch)
    brought.lend_timm()
    began = time.monotonic()
    files = random_files.write_files(scratch)
    written_seconds = time.monotonic() - began
    engine, detector, load_seconds = engine_trial.load(files, scratch)
    memory = engine_trial.CudaMemory() if device.startswith("cuda") else None
    measured = engine_trial.try_engine(engine, detector, memory)
    return {"files_seconds": round(written_seconds, 1), "load_seconds": round(load_seconds, 1), **measured}


def try_driver(device: str, name: str) -> dict[str, Any]:
    """`layerstack gpu` or the lease, where there is a card to ask about."""
    from gpu_trial import driver_trial

    if not (ROOT / "layerstack").is_dir():
        raise NotRun("this is no checkout of the whole project")
    if name == "lease":
        if not device.startswith("cuda"):
            raise NotRun("there is no card to lease")
        return driver_trial.try_lease(device)
    return driver_trial.try_gpu_task(describe_machine(device).get("card"))


def try_multipose() -> dict[str, Any]:
    """The CPU's detector is a TFLite model."""
    raise NotRun("no TFLite runtime for GPUs is on PyPI, and none is brought along")


def main(words: Sequence[str] | None = None) -> None:
    """Exit code 1 when a trial failed."""
    parser = argparse.ArgumentParser(prog="python -m gpu_trial", description=__doc__)
    parser.add_argument("--device", default="cuda:0", help="cpu: the same path without a card")
    parser.add_argument("--brought", type=Path, help="folder made by `python -m gpu_trial.brought`")
    parser.add_argument("--seconds", type=float, default=MOST_SECONDS)
    parser.add_argument("--result", type=Path, default=Path("gpu-trial.json"))
    options = parser.parse_args(words)
    sys.path[:0] = [str(SERVICE), str(ROOT)]
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        from gpu_trial import brought

        brought.use(options.brought, scratch / "packages")
        os.environ["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(scratch / "packages")))
        trials = {
            "machine": lambda: describe_machine(options.device),
            "layerstack-gpu": lambda: try_driver(options.device, "gpu"),
            "lease": lambda: try_driver(options.device, "lease"),
            "hmr2": lambda: try_hmr2(options.device, scratch),
            "multipose": try_multipose,
        }
        results = run(trials, options.seconds)
    options.result.write_text(json.dumps(results, indent=2) + "\n")
    sys.exit(any(result["state"] == "failed" for result in results.values()))


if __name__ == "__main__":
    main()
