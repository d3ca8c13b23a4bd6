"""Builds of one base take turns, across processes; a killed one frees its place, and no folder means no waiting."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from layerstack.build import base_lock
from layerstack.build.base_lock import turns

HOLD = """
import sys, time
from pathlib import Path
from layerstack.build.base_lock import turns

with turns(["sha256:ab12"], Path("/somewhere/else"), print):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_waits_and_hears_for_whom(tmp_path: Path) -> None:
    said: list[str] = []
    order: list[str] = []

    def second() -> None:
        with turns(["ab99", "cd00"], tmp_path, said.append) as has_waited:
            order.append(f"second {has_waited}")

    with turns(["sha256:ab12"], tmp_path, said.append) as has_waited:
        thread = threading.Thread(target=second)
        thread.start()
        deadline = time.monotonic() + 10
        while not said and time.monotonic() < deadline:
            time.sleep(0.01)
        order.append(f"first {has_waited}")
    thread.join(10)
    assert order == ["first False", "second True"]
    assert str(tmp_path) in said[0]


def test_a_killed_build_frees_its_place(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        threading.Timer(0.3, other.kill).start()
        said: list[str] = []
        with turns(["ab34"], tmp_path, said.append) as has_waited:
            assert has_waited
    assert "/somewhere/else" in said[0]


def test_nothing_to_build_and_no_place_for_locks_are_no_reason_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with turns([], tmp_path, print) as has_waited:
        assert not has_waited
    (tmp_path / "file").touch()
    monkeypatch.setattr(base_lock, "shared_folder", lambda: tmp_path / "file")
    with turns(["ab12"], tmp_path, print), turns(["ab12"], tmp_path, print) as has_waited:
        assert not has_waited
