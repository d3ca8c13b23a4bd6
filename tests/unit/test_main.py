"""What the command leaves out of Invoke, in a process of its own."""

import subprocess
import sys

LOADED = "import sys; from layerstack.__main__ import load_invoke; load_invoke(); print('unittest' in sys.modules);"
MOCKED = "from invoke import MockContext as M; it = M(run=True); it.run(1); print(it.run.call_count);"
REPLACED = "import unittest.mock; print(unittest.mock.Mock.__module__)"


def printed(code: str) -> list[str]:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()


def test_invoke_is_loaded_without_its_mocks() -> None:
    assert printed(LOADED) == ["False"]


def test_somebodys_mocked_context_is_as_ever() -> None:
    assert printed(LOADED + MOCKED + REPLACED) == ["False", "1", "unittest.mock"]
