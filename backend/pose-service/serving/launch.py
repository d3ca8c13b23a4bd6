"""Starts the supervisor of the engines, a process of its own that outlives every reload of the web process."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Optional

FOLDER_VARIABLE = "POSE_ENGINES_FOLDER"
RELOAD_VARIABLE = "POSE_ENGINES_RELOAD"
CONTROL_NAME = "control.sock"
STOP_SECONDS = 3.0
# The kernel takes 107 bytes for a socket's address; the folder's name and those of multiprocessing take up to 57.
MOST_PLACE_BYTES = 50


class EngineSupervisor:
    """Holds the supervisor process and its private folder of sockets."""

    def __init__(self, is_reloading: bool = False) -> None:
        self.folder = _make_folder()
        self._is_reloading = is_reloading
        self._process: Optional[subprocess.Popen[bytes]] = None

    def ensure_running(self) -> None:
        """Start it, or start it again when it has ended."""
        if self._process is not None and self._process.poll() is None:
            return
        # What a dead supervisor left is not to be taken for the new one's.
        (self.folder / CONTROL_NAME).unlink(missing_ok=True)
        environment = {
            **os.environ,
            "TMPDIR": str(self.folder),  # multiprocessing has sockets, too
            FOLDER_VARIABLE: str(self.folder),
            RELOAD_VARIABLE: str(int(self._is_reloading)),
        }
        command = [sys.executable, "-m", "pose_service.pool.supervisor"]
        # It ends when this pipe closes: no engine outlives the process that started it, however that one ended.
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)
        assert process.stdin is not None
        # A frozen supervisor reads nothing, and the pipe is full one day.
        os.set_blocking(process.stdin.fileno(), False)
        self._process = process

    def beat(self) -> None:
        """Tell the supervisor that this process runs; it kills one that fell silent."""
        process = self._process
        if process is not None and process.stdin is not None:
            # It has ended, or is replaced this moment, or reads nothing.
            with contextlib.suppress(OSError, ValueError):
                os.write(process.stdin.fileno(), b".")

    def stop(self) -> None:
        """End it with its engines, and remove the folder."""
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            # It may be busy with a start, and see the closed pipe late.
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
            self._process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def _make_folder() -> Path:
    """A folder for sockets, in TMPDIR unless their addresses would be too long there."""
    place = tempfile.gettempdir()
    if len(os.fsencode(place)) > MOST_PLACE_BYTES:
        place = "/tmp"
    # mkdtemp makes it mode 0700: only this user can reach the sockets inside.
    return Path(tempfile.mkdtemp(prefix="pose-engines-", dir=place))
