"""Checks of the machine itself, which ask neither engine nor project."""

import os
import platform
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from layerstack.engine.endpoint import find_endpoint
from layerstack.errors import GpuMissing
from layerstack.finding import Finding, error, ok, or_ok, warning
from layerstack.gpu import gpu_services
from layerstack.gpu.decision import Decision
from layerstack.project.project import Project
from layerstack.wording import gibibytes

INOTIFY_FILE = Path("/proc/sys/fs/inotify/max_user_watches")
INSTANCES_FILE = Path("/proc/sys/fs/inotify/max_user_instances")
MOUNTS_FILE = Path("/proc/self/mounts")
# How WSL mounts the disks of Windows, wherever wsl.conf wants them; a Linux disk may be below /mnt, too.
WINDOWS_TYPES = ("9p", "drvfs", "virtiofs")
# A blank in a path, as /proc/mounts writes it.
BLANK = r"\040"
MEMINFO_FILE = Path("/proc/meminfo")
# Kernels before 5.11 allow 8,192 by default.
ENOUGH_WATCHES = 65_536
# The kernel's default.
ENOUGH_INSTANCES = 128
ENOUGH_MEMORY_BYTES = 6 * 2**30
# No card, or no use for one: no reason for a warning.
NO_GPU_NEEDED = ("no-card", "no-service-wants-gpu", "asked-for-cpu")


@or_ok("environment", "nothing turns BuildKit off")
def check_environment() -> Iterator[Finding]:
    """Do variables turn BuildKit off? Layerstack overrides them, plain docker commands do not."""
    off = [name for name in ("DOCKER_BUILDKIT", "COMPOSE_DOCKER_CLI_BUILD") if os.environ.get(name) == "0"]
    if off:
        detail = f"{', '.join(off)}=0 turns BuildKit off for plain docker commands"
        yield warning("environment", detail, f"unset {' '.join(off)}")


def check_rights() -> Iterator[Finding]:
    """May this user access the local engine?"""
    # A context may lead to another socket than the usual one, as that of a rootless engine.
    socket = find_endpoint().socket_path
    if not socket or not Path(socket).exists():
        return
    if os.access(socket, os.R_OK | os.W_OK):
        yield ok("docker group", "this user can use the engine")
    else:
        remedy = "sudo usermod --append --groups docker $USER, then log out and in again"
        yield error("docker group", f"this user has no access to {socket}", remedy)


def check_pynvml() -> Iterator[Finding]:
    """The abandoned package pynvml has the module name of NVIDIA's own and hides it."""
    # By package and not by import: both have the module `pynvml`.
    installed = {(one.metadata["Name"] or "").lower(): one.version for one in metadata.distributions()}
    if {"pynvml", "nvidia-ml-py"} <= installed.keys():
        yield warning(
            "pynvml",
            "the inactive package pynvml is installed beside nvidia-ml-py and hides it",
            "pip uninstall -y pynvml && pip install --force-reinstall nvidia-ml-py",
        )
    elif "pynvml" in installed:
        yield warning(
            "pynvml",
            f"{installed['pynvml']} is the inactive package, not NVIDIA's own",
            "pip uninstall -y pynvml && pip install nvidia-ml-py",
        )
    elif "nvidia-ml-py" in installed:
        yield ok("pynvml", f"nvidia-ml-py {installed['nvidia-ml-py']}")


def check_memory() -> Iterator[Finding]:
    """Is there enough memory? Linux only."""
    if not MEMINFO_FILE.exists():
        return
    lines = dict(line.split(":", 1) for line in MEMINFO_FILE.read_text().splitlines() if ":" in line)
    total, free = (int(lines[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    detail = f"{gibibytes(free)} of {gibibytes(total)} available"
    if total < ENOUGH_MEMORY_BYTES:
        yield warning("memory", detail, "Give the machine (or Docker Desktop, or WSL's .wslconfig) more memory.")
    else:
        yield ok("memory", detail)


def check_watches() -> Iterator[Finding]:
    """Hot reload needs one watch per file and one instance per program."""
    limits = ((INOTIFY_FILE, ENOUGH_WATCHES, 524_288, "files"), (INSTANCES_FILE, ENOUGH_INSTANCES, 512, "programs"))
    fine = []
    for path, enough, wanted, what in limits:
        number = int(path.read_text()) if path.exists() else None
        if number is not None and number < enough:
            detail = f"only {number} {what} can be watched: hot reload may miss changes"
            yield warning("inotify", detail, f"sudo sysctl fs.inotify.{path.name}={wanted}")
        elif number is not None:
            fine.append(f"{number} {what}")
    if len(fine) == len(limits):
        yield ok("inotify", f"{' and '.join(fine)} can be watched")


def check_wsl(root: Path, mounted: Iterable[str] = ()) -> Iterator[Finding]:
    """On WSL, folders on the Windows disk are slow, and containers do not see their changes."""
    # `5.15.153.1-microsoft-standard-WSL2`
    if "microsoft" not in platform.release().lower():
        return
    if _is_on_windows(str(root.resolve())):
        detail = f"{root} is on the Windows disk: builds are slow, hot reload misses changes"
        yield warning("wsl", detail, "Clone the project below your home directory inside WSL.")
    elif outside := sorted(filter(_is_on_windows, set(mounted))):
        detail = f"{', '.join(outside)} is mounted from the Windows disk: slow, and hot reload misses changes"
        yield warning("wsl", detail, "Copy the folder below your home directory inside WSL and mount it from there.")
    else:
        yield ok("wsl", "the project is on the Linux disk")


def _is_on_windows(path: str) -> bool:
    """Whether the mount that holds a path is a disk of Windows."""
    rows = (line.split() for line in MOUNTS_FILE.read_text(errors="replace").splitlines())
    # Of two mounts at one place the later one is seen.
    types = {fields[1].replace(BLANK, " "): fields[2] for fields in rows if len(fields) > 2}
    holding = [place for place in types if f"{path}/".startswith(f"{place.rstrip('/')}/")]
    return bool(holding) and types[max(holding, key=len)] in WINDOWS_TYPES


def check_gpu(decision: Decision, project: Project | None = None) -> Iterator[Finding]:
    """The decision that a start would make; no GPU is fine for a project that asks for none."""
    try:
        if project and project.services:
            gpu_services.require_usable(project)
    except GpuMissing as missing:
        yield error("gpu", str(missing.args[0]), missing.advice)
        return
    if decision.reason == "fine" or decision.reason in NO_GPU_NEEDED:
        yield ok("gpu", decision.why)
    elif decision.reason != "engine-unreachable":
        yield warning("gpu", f"{decision.why} ({decision.reason})", decision.remedy)
