"""Processes of layerstack that own something, one of them killed before it could remove it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

OWNER = "import time; from layerstack.owner import own_mark; print(own_mark(), flush=True); time.sleep(60)"
# Makes a folder, says where it is, and waits to be killed.
FOLDER = """
import time
from layerstack.temporary_folder import temporary_folder
with temporary_folder("test") as folder:
    (folder / "image.tar").write_bytes(bytes(1000))
    print(folder, flush=True)
    time.sleep(60)
"""


@contextmanager
def running(program: str = OWNER) -> Iterator[str]:
    """The first line that a program says, which runs during the block and is killed at its end."""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def killed(program: str = OWNER) -> str:
    """What a program said that was killed since."""
    with running(program) as said:
        return said
