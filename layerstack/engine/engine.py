"""The container engine as it is: a client for it, the facts about it, and whether they are enough."""

import json
import os
import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layerstack import command
from layerstack.errors import EngineError

if TYPE_CHECKING:
    from docker.client import DockerClient

CONNECT_SECONDS = 5
REQUEST_SECONDS = 60
INFO_SECONDS = 10.0
GIGABYTE = 10**9

# Engine 23 made BuildKit the builder; the other two bring what the bake and Compose files use.
OLDEST_USABLE = {"Docker Engine": (23, 0), "Docker Buildx": (0, 17), "Docker Compose": (2, 33)}

HOW_TO_GET_ONE = (
    "On Debian, as root: `invoke setup --install-engine` installs and starts one. "
    "Elsewhere: https://docs.docker.com/engine/install"
)
HOW_TO_START = (
    "Start it (`sudo systemctl start docker`, or Docker Desktop); on Debian without systemd, as root: "
    "`invoke setup --install-engine` starts it."
)
HOW_TO_GET_RIGHTS = "`sudo usermod --append --groups docker $USER`, then log out and in again."
# What the CLI or the SDK says → (what that means, what to do).
REASONS = (
    ("permission denied", "This user may not talk to the Docker daemon", HOW_TO_GET_RIGHTS),
    ("permissionerror", "This user may not talk to the Docker daemon", HOW_TO_GET_RIGHTS),
    ("ended after", "The Docker daemon is there but does not answer", "Restart it and look into its log."),
    ("timed out", "The Docker daemon is there but does not answer", "Restart it and look into its log."),
    (
        "failed to resolve",
        "DOCKER_HOST or the docker context points to an unknown host",
        "`docker context ls` shows it.",
    ),
    ("no such host", "DOCKER_HOST or the docker context points to an unknown host", "`docker context ls` shows it."),
    ("", "No Docker daemon answers", HOW_TO_START),
)


@dataclass(frozen=True)
class EngineFacts:
    """One engine and the CLI parts in front of it. Disk figures are None when its data is on another machine."""

    server_version: str
    buildx_version: str
    compose_version: str
    data_root: str
    disk_free_bytes: int | None
    disk_total_bytes: int | None
    storage_driver: str
    cgroup_version: str
    operating_system: str
    architecture: str
    kernel_version: str
    cpu_count: int
    memory_bytes: int
    runtimes: tuple[str, ...]


def client() -> "DockerClient":
    """A Docker SDK client for the engine that the docker command uses (DOCKER_HOST and contexts count).

    Raises EngineError with the reason and the way on when no engine answers within CONNECT_SECONDS.
    """
    import docker

    if not hasattr(docker, "from_env"):
        msg = "The Docker SDK for Python is not installed: a folder named `docker` was imported instead."
        raise EngineError(msg, "`pip install -r requirements/dev.txt` in the project's virtual environment.")
    try:
        connected: DockerClient = docker.from_env(timeout=CONNECT_SECONDS)
    except (docker.errors.DockerException, OSError) as error:
        raise _unreachable(str(error)) from error
    connected.api.timeout = REQUEST_SECONDS
    return connected


def read_facts() -> EngineFacts:
    """Ask the docker command about itself and its daemon, in one call.

    Raises EngineError that names what is missing: docker command, daemon, Buildx or Compose plugin.
    """
    try:
        answer = command.run(["docker", "info", "--format", "{{json .}}"], timeout_seconds=INFO_SECONDS)
    except EngineError as error:
        raise EngineError("There is no container engine here: no docker command.", HOW_TO_GET_ONE) from error
    info = _parse_info(answer)
    if not info.get("ServerVersion"):
        raise _unreachable(answer.stderr or "; ".join(info.get("ServerErrors") or ()))
    return _facts_from(info)


def require_ready(facts: EngineFacts, min_free_bytes: int = 10 * GIGABYTE) -> None:
    """Raises EngineError that lists everything too old or too small: found, needed, what to do."""
    problems = [*_outdated_parts(facts), *_disk_shortage(facts, min_free_bytes)]
    if problems:
        raise EngineError("\n".join(problem for problem, _ in problems), " ".join(advice for _, advice in problems))


def parse_version(text: str) -> tuple[int, ...]:
    """The numbers of the first dotted version in a text, () without one: `v0.29.1-desktop.1` → (0, 29, 1)."""
    match = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in match.group().split(".")) if match else ()


def daemon_answers() -> bool:
    """Whether the docker command reaches a daemon right now."""
    asked = ["docker", "version", "--format", "{{.Server.Version}}"]
    return bool(shutil.which("docker")) and command.run(asked, timeout_seconds=CONNECT_SECONDS).ok


def _parse_info(answer: command.CommandResult) -> Mapping[str, Any]:
    try:
        info = json.loads(answer.stdout)
    except json.JSONDecodeError:
        info = {}
    if "podman" in (answer.stdout + answer.stderr).lower() and "ServerVersion" not in info:
        msg = "The docker command here is Podman's stand-in; BuildKit, bake and Compose need Docker Engine."
        raise EngineError(msg, HOW_TO_GET_ONE)
    return info if isinstance(info, dict) else {}


def _facts_from(info: Mapping[str, Any]) -> EngineFacts:
    plugins = {plugin["Name"]: plugin for plugin in (info.get("ClientInfo") or {}).get("Plugins") or ()}
    disk = _disk_of(info)
    return EngineFacts(
        server_version=info["ServerVersion"],
        buildx_version=_plugin_version(plugins, "buildx"),
        compose_version=_plugin_version(plugins, "compose"),
        data_root=info.get("DockerRootDir", ""),
        disk_free_bytes=disk[0],
        disk_total_bytes=disk[1],
        storage_driver=info.get("Driver", ""),
        cgroup_version=info.get("CgroupVersion", ""),
        operating_system=info.get("OperatingSystem", ""),
        architecture=info.get("Architecture", ""),
        kernel_version=info.get("KernelVersion", ""),
        cpu_count=info.get("NCPU", 0),
        memory_bytes=info.get("MemTotal", 0),
        runtimes=tuple(sorted(info.get("Runtimes") or ())),
    )


def _plugin_version(plugins: Mapping[str, Mapping[str, str]], name: str) -> str:
    plugin = plugins.get(name, {})
    if plugin.get("Version"):
        return plugin["Version"]
    reason = f": {plugin['Err']}" if plugin.get("Err") else ""
    msg = f"The docker command has no working {name} plugin{reason}."
    raise EngineError(msg, f"Install the package docker-{name}-plugin (or docker-{name}). {HOW_TO_GET_ONE}")


def _disk_of(info: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """(free, total) bytes where the engine keeps its data, (None, None) when that is not this machine."""
    if info.get("Name") != socket.gethostname():
        return None, None
    try:
        usage = shutil.disk_usage(info["DockerRootDir"])
    except (OSError, KeyError):
        return None, None
    return usage.free, usage.total


def _outdated_parts(facts: EngineFacts) -> Iterator[tuple[str, str]]:
    found = (facts.server_version, facts.buildx_version, facts.compose_version)
    for (part, oldest), version in zip(OLDEST_USABLE.items(), found, strict=True):
        numbers = parse_version(version)
        if numbers and numbers < oldest:
            needed = ".".join(map(str, oldest))
            yield f"{part} {version} is too old: {needed} or newer is needed.", f"Update {part}. {HOW_TO_GET_ONE}"


def _disk_shortage(facts: EngineFacts, min_free_bytes: int) -> Iterator[tuple[str, str]]:
    if facts.disk_free_bytes is not None and facts.disk_free_bytes < min_free_bytes:
        free, needed = facts.disk_free_bytes / GIGABYTE, min_free_bytes / GIGABYTE
        yield (
            f"Only {free:.1f} GB are free in {facts.data_root}: {needed:.1f} GB are needed.",
            "`invoke clean` removes old images and cache of this project.",
        )


def _unreachable(reason: str) -> EngineError:
    told = reason.strip().splitlines()[-1] if reason.strip() else "no answer"
    meaning, advice = next((meaning, advice) for sign, meaning, advice in REASONS if sign in reason.lower())
    where = f" (DOCKER_HOST={os.environ['DOCKER_HOST']})" if os.environ.get("DOCKER_HOST") else ""
    return EngineError(f"{meaning}{where}: {told}", advice)
