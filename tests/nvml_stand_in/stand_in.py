"""Builds the stand-in for NVIDIA's library, and describes to it the cards that a machine is to have.

A description is a text file. One line each: `driver 550.54`, `0 name NVIDIA A10`, `0 uuid GPU-1`, `0 total BYTES`,
`0 used BYTES`, `0 capability 8.6`, `0 process PID BYTES [INSTANCE]`, `0 mig 1`, `0 mig0.uuid MIG-1`,
`0 mig0.total BYTES`, `error nvmlInit 9`, `0 error nvmlDeviceGetMemoryInfo 3`, and
`ghosts 1`: processes count although they are gone.
"""

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from layerstack.setup import apt

SOURCE = Path(__file__).with_name("nvml.c")
ROOT = Path(__file__).parents[2]
GIB = 2**30
RUN_SECONDS = 60.0


@functools.cache
def library() -> Path:
    """The library, compiled once a test run and removed at its end."""
    folder = Path(tempfile.mkdtemp(prefix="layerstack-nvml-"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return build(folder)


def build(folder: Path) -> Path:
    """Compile `libnvidia-ml.so.1` into the folder and return it; without a compiler Debian's smallest is fetched."""
    library = folder / "libnvidia-ml.so.1"
    compiler = next((found for name in ("cc", "gcc", "clang", "tcc") if (found := shutil.which(name))), None)
    command = [compiler] if compiler else _debian_compiler(folder)
    flags = ["-shared", "-fPIC", "-nostdlib", "-Wl,-soname=libnvidia-ml.so.1", "-o", str(library)]
    subprocess.run([*command, *flags, str(SOURCE)], check=True)
    return library


def _debian_compiler(folder: Path) -> list[str]:
    """tcc, unpacked beside the library: 300 kB, and it needs no headers of libc."""
    said: list[str] = []
    mirror = apt.read_mirror()
    with apt.package_source(said.append, mirror.sources(mirror.codename)) as source:
        source.run(["download", "tcc"], said.append, cwd=folder)
    (package,) = folder.glob("tcc_*.deb")
    subprocess.run(["dpkg-deb", "--extract", str(package), str(folder / "tcc")], check=True)
    (parts,) = (folder / "tcc/usr/lib").glob("*/tcc")
    return [str(folder / "tcc/usr/bin/tcc"), f"-B{parts}"]


@dataclass
class StandIn:
    """A machine with the cards that `path` describes, seen by child processes only."""

    library: Path
    path: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a child process needs to load this library as the driver's own."""
        return {**os.environ, "LD_LIBRARY_PATH": str(self.library.parent), "NVML_STAND_IN": str(self.path)}

    def describe(self, *lines: str) -> None:
        """Replace the description; readers see the old or the new one."""
        new = self.path.with_suffix(".new")
        new.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", errors="surrogateescape"))
        new.replace(self.path)

    def start(self, code: str, *words: str, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """A Python program that has this library."""
        argv = [sys.executable, "-c", code, *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            argv, env=environment or self.environment, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )

    def run(self, code: str, *words: str, environment: Mapping[str, str] | None = None) -> str:
        """What such a program prints; it must end well."""
        with self.start(code, *words, environment=environment) as program:
            said, complaint = program.communicate(timeout=RUN_SECONDS)
        assert program.returncode == 0, complaint
        return said


def card(index: int, total_gib: int = 24, used_gib: int = 0, *more: str) -> tuple[str, ...]:
    """The lines of one ordinary card; its UUID is GPU-INDEX."""
    lines: Sequence[str] = (
        "name NVIDIA A10",
        f"uuid GPU-{index}",
        f"total {total_gib * GIB}",
        f"used {used_gib * GIB}",
        "capability 8.6",
        *more,
    )
    return tuple(f"{index} {line}" for line in lines)
