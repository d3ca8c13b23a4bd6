"""What doctor looks at on the machine itself: it needs no engine and no project."""

import os
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from layerstack import gpu, nvml
from layerstack.finding import Finding, error, ok, warning
from layerstack.known_issues import issues_of

INOTIFY_FILE = Path("/proc/sys/fs/inotify/max_user_watches")
MEMINFO_FILE = Path("/proc/meminfo")
SOCKET_FILE = Path("/var/run/docker.sock")
ENOUGH_WATCHES = 65_536
ENOUGH_MEMORY_BYTES = 6 * 2**30


def check_environment() -> Iterator[Finding]:
    """Variables that turn BuildKit off. Layerstack overrides them; plain docker commands do not."""
    off = [name for name in ("DOCKER_BUILDKIT", "COMPOSE_DOCKER_CLI_BUILD") if os.environ.get(name) == "0"]
    if off:
        detail = f"{', '.join(off)}=0 turns BuildKit off for plain docker commands"
        yield warning("environment", detail, f"unset {' '.join(off)}")
    else:
        yield ok("environment", "nothing turns BuildKit off")


def check_rights() -> Iterator[Finding]:
    """May this user talk to the local engine?"""
    if os.environ.get("DOCKER_HOST") or not SOCKET_FILE.exists():
        return
    if os.access(SOCKET_FILE, os.R_OK | os.W_OK):
        yield ok("docker group", "this user may talk to the engine")
    else:
        remedy = "sudo usermod --append --groups docker $USER, then log out and in again"
        yield error("docker group", f"this user may not use {SOCKET_FILE}", remedy)


def check_python() -> Iterator[Finding]:
    """The Python packages that are known to get in each other's way."""
    version = metadata.version("docker")
    for issue in issues_of("docker SDK", version):
        yield warning("docker SDK", f"{version}: {issue.symptom}", issue.remedy)
    if not issues_of("docker SDK", version):
        yield ok("docker SDK", version)
    installed = {(one.metadata["Name"] or "").lower() for one in metadata.distributions()}
    if {"pynvml", "nvidia-ml-py"} <= installed:
        yield warning(
            "pynvml",
            "the inactive package pynvml is installed beside nvidia-ml-py and hides it",
            "pip uninstall -y pynvml && pip install --force-reinstall nvidia-ml-py",
        )


def check_memory() -> Iterator[Finding]:
    """Is there memory for the stack? Says nothing where the machine does not tell."""
    if not MEMINFO_FILE.exists():
        return
    lines = dict(line.split(":", 1) for line in MEMINFO_FILE.read_text().splitlines() if ":" in line)
    total, free = (int(lines[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    detail = f"{free / 2**30:.1f} of {total / 2**30:.1f} GB available"
    if total < ENOUGH_MEMORY_BYTES:
        yield warning("memory", detail, "Give the machine (or Docker Desktop, or WSL's .wslconfig) more memory.")
    else:
        yield ok("memory", detail)


def check_watches() -> Iterator[Finding]:
    """Hot reload needs a watch a file."""
    if not INOTIFY_FILE.exists():
        return
    watches = int(INOTIFY_FILE.read_text())
    if watches < ENOUGH_WATCHES:
        detail = f"only {watches} files can be watched: hot reload may miss changes"
        yield warning("inotify", detail, "sudo sysctl fs.inotify.max_user_watches=524288")
    else:
        yield ok("inotify", f"{watches} files can be watched")


def check_wsl(root: Path) -> Iterator[Finding]:
    """On WSL: a project on the Windows disk is slow, and its file changes are not seen in containers."""
    if "microsoft" not in platform.release().lower():
        return
    if str(root.resolve()).startswith("/mnt/"):
        detail = f"{root} lies on the Windows disk: builds are slow, hot reload misses changes"
        yield warning("wsl", detail, "Clone the project below your home directory inside WSL.")
    else:
        yield ok("wsl", "the project lies on the Linux disk")


def check_gpu() -> Iterator[Finding]:
    """Host and Docker, asked one after the other; a machine without a GPU is fine."""
    host = nvml.read_host()
    if host is None:
        yield ok("gpu", "no NVIDIA driver answers: the stack runs on the CPU")
        return
    names = ", ".join(device.name for device in host.devices)
    docker = gpu.probe_docker()
    if docker.is_usable:
        yield ok("gpu", f"{names}, driver {host.driver}, usable from Docker")
    else:
        yield warning("gpu", f"{names} is here, but {docker.reason}", gpu.ADVICE[docker.broken_link])
