"""What the command leaves out of Invoke, in a process of its own."""

import subprocess
import sys

LOADED = "import sys; from layerstack.lean_invoke import load_invoke; load_invoke();"
LEFT = "print(*(name in sys.modules for name in ('unittest', 'importlib.metadata', 'yaml')));"
MOCKED = "from invoke import MockContext as M; it = M(run=True); it.run(1); print(it.run.call_count);"
REPLACED = "import unittest.mock; print(unittest.mock.Mock.__module__)"


def printed(code: str) -> list[str]:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()


def test_invoke_is_loaded_without_mocks_metadata_and_yaml() -> None:
    assert printed(LOADED + LEFT) == ["False"] * 3


def test_somebodys_mocked_context_is_as_ever() -> None:
    assert printed(LOADED + MOCKED + REPLACED) == ["1", "unittest.mock"]


def test_what_was_left_out_is_there_for_whoever_asks() -> None:
    asked = "import invoke; from invoke.util import yaml; from importlib import metadata;"
    shown = "print(invoke.__version__ == metadata.version('invoke'), yaml.safe_load('[1]'), hasattr(invoke, 'other'))"
    assert printed(LOADED + asked + shown) == ["True", "[1]", "False"]
