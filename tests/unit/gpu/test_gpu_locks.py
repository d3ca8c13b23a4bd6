"""The locks of the GPU image: what the extensions are compiled against is what they run with."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BUILD_ONLY = {"pip", "pyelftools"}


def pins(name: str) -> dict[str, frozenset[str]]:
    """`package==version` → the hashes of a lock."""
    text = re.sub(r"\\\n\s+", " ", (ROOT / "requirements" / name).read_text())
    lines = [line.split() for line in text.splitlines() if "==" in line and not line.lstrip().startswith("#")]
    return {words[0]: frozenset(word for word in words if word.startswith("--hash=")) for words in lines}


def test_compiled_against_what_runs() -> None:
    compiled, all_pins = pins("pose-compile.txt"), pins("pose-base-gpu.txt")
    assert {name.partition("==")[0] for name in compiled} >= {"torch", "numpy", "setuptools", "nvidia-cudnn-cu12"}
    assert {name: all_pins.get(name) for name in compiled} == compiled


def test_build_tools_agree_with_the_image() -> None:
    shared = {name for name in pins("pose-build.txt") if name.partition("==")[0] not in BUILD_ONLY}
    assert shared <= set(pins("pose-base-gpu.txt"))


@pytest.mark.parametrize("name", ["pose-compile.txt", "pose-base-gpu.txt", "pose-build.txt"])
def test_every_pin_has_hashes_and_no_lock_an_address(name: str) -> None:
    found = pins(name)
    assert found
    assert all(found.values())
    assert "://" not in (ROOT / "requirements" / name).read_text()
