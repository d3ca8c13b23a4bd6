"""Tasks and repairs as a person types them, in a folder of the test's own."""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
INVOKE = (sys.executable, "-m", "invoke", "--search-root", str(ROOT))
Done = subprocess.CompletedProcess[str]


def invoke(folder: Path, words: str, **variables: str) -> Done:
    """`invoke WORDS` with these variables besides those of the test; nobody answers a question."""
    return _run([*INVOKE, *words.split()], folder, variables)


def repair(folder: Path, line: str, **variables: str) -> None:
    """Run a repair, as it is printed, in a shell; it must end well."""
    done = _run(["bash", "-c", line.replace("invoke ", f"{shlex.join(INVOKE)} ")], folder, variables)
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


def _run(argv: Sequence[str], folder: Path, variables: Mapping[str, str]) -> Done:
    environment, nothing = {**os.environ, **variables}, subprocess.DEVNULL
    return subprocess.run(argv, cwd=folder, env=environment, stdin=nothing, capture_output=True, text=True, check=False)
