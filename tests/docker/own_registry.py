"""A real registry for one test: Debian's docker-registry, unpacked, on a loopback port."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from layerstack.wait import wait_until

PACKAGE, PLACE = "docker-registry", "usr/bin/docker-registry"
START_SECONDS = 20.0
# Brings up loopback in a new network namespace: SIOCSIFFLAGS with UP, LOOPBACK and RUNNING.
LOOPBACK_UP = "import fcntl, socket, struct;fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh14x', b'lo', 0x49))"


# Gone with this process.
FOLDERS: list["tempfile.TemporaryDirectory[str]"] = []


@cache
def unpacked(package: str, place: str) -> str:
    """A program of a Debian package that is not installed."""
    if not shutil.which("apt-get"):
        pytest.skip(f"there is no Debian package {package} to be had here")
    FOLDERS.append(tempfile.TemporaryDirectory(prefix="layerstack-package-"))
    folder = Path(FOLDERS[-1].name)
    subprocess.run(["apt-get", "download", "--quiet", package], cwd=folder, check=True, capture_output=True)
    (file,) = folder.glob("*.deb")
    subprocess.run(["dpkg-deb", "--extract", file.name, "tree"], cwd=folder, check=True)
    return str(folder / "tree" / place)


def inside(process_id: int | None) -> list[str]:
    """The words before a command that is to run in the network of a process; none for this one's."""
    return [] if process_id is None else ["nsenter", f"--net=/proc/{process_id}/ns/net"]


@dataclass
class OwnRegistry:
    """The registry on `port` of this machine, or of the network namespace of a process; `folder` holds its images.

    `extra` is more of its `storage:` configuration, `http` of its `http:`.
    """

    folder: Path
    port: int
    namespace_pid: int | None = None
    extra: str = ""
    host: str = "127.0.0.1"
    http: str = ""
    _process: "subprocess.Popen[bytes] | None" = field(default=None)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}/team"

    @property
    def images(self) -> set[str]:
        """`NAME:TAG` of all that it has."""
        root = self.folder / "docker/registry/v2/repositories"
        tags = root.glob("**/_manifests/tags/*/current/link")
        return {f"{tag.parents[4].relative_to(root)}:{tag.parents[1].name}" for tag in tags}

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        config = self.folder.parent / f"{self.folder.name}-{self.port}-{time.monotonic_ns()}.yml"
        config.write_text(
            f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
            f"http: {{addr: {self.host}:{self.port}{self.http}}}\n"
            f"storage: {{filesystem: {{rootdirectory: {self.folder}}}{self.extra}}}\n"
        )
        there = inside(self.namespace_pid)
        if there:
            subprocess.run([*there, sys.executable, "-c", LOOPBACK_UP], check=True)
        program = shutil.which(PACKAGE) or unpacked(PACKAGE, PLACE)
        self._process = subprocess.Popen(
            [*there, program, "serve", str(config)],
            env={**os.environ, "OTEL_TRACES_EXPORTER": "none"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        probe = [*there, sys.executable, "-c", f"import socket; socket.create_connection(('{self.host}', {self.port}))"]
        assert wait_until(lambda: not subprocess.run(probe, check=False, capture_output=True).returncode, START_SECONDS)

    def stop(self) -> None:
        """At once: whoever talks to it hears nothing more."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def own_registry(
    folder: Path, port: int, namespace_pid: int | None = None, extra: str = "", **where: str
) -> Iterator[OwnRegistry]:
    """Started, and gone afterwards; `where` is `host` and `http` of an OwnRegistry."""
    registry = OwnRegistry(folder, port, namespace_pid, extra, **where)
    registry.start()
    try:
        yield registry
    finally:
        registry.stop()
