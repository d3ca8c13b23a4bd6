"""What takes a request for a GPU away on the CPU."""

from pathlib import Path
from typing import Any

import pytest
from compose_project import load

from layerstack.gpu.gpu_services import how_to_drop


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ({"runtime": "nvidia"}, ["runtime"]),
        ({"gpus": [{"count": 1}]}, ["gpus"]),
        ({"devices": [{"source": "nvidia.com/gpu=all"}], "runtime": "nvidia"}, ["devices", "runtime"]),
        ({"deploy": {"resources": {"reservations": {"devices": [{"capabilities": ["gpu"]}]}}}}, ["deploy"]),
    ],
)
def test_the_keys_that_ask_are_named_and_the_file_that_is_read(
    tmp_path: Path, written: dict[str, Any], keys: list[str]
) -> None:
    project, _ = load(tmp_path, "services: { ml: { image: ml } }")
    project.services["ml"].definition.update(written)  # type: ignore[attr-defined]
    said = how_to_drop(project, ["ml"])
    assert [key for key in ("deploy", "gpus", "devices", "runtime") if f"`{key}:" in said] == keys
    assert "compose.cpu.yaml" in said
