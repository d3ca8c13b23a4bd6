"""The container engine: a client, its facts, and whether it is usable."""

import json
import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from layerstack import command
from layerstack.engine import local, texts
from layerstack.engine.client import EngineClient
from layerstack.engine.endpoint import Endpoint, find_endpoint
from layerstack.engine.unusable import HOW_TO_GET_ONE, podman, unreachable
from layerstack.errors import EngineError, NoRoom
from layerstack.wording import megabytes

ANSWER_SECONDS = 5.0
# `docker info` asks every plugin for its version.
INFO_SECONDS = 10.0
GIGABYTE = 10**9

# Engine 23 is the first that builds with BuildKit by default; bake and Compose files need the other two. Buildx 0.13
# prints rawjson as indented JSON over several lines, which is not read.
OLDEST_USABLE = {"Docker Engine": (23, 0), "Docker Buildx": (0, 17), "Docker Compose": (2, 33)}


@dataclass(frozen=True)
class EngineFacts:
    """One engine and the plugins of the docker command. `disk_free_bytes` is None for an engine on another machine."""

    server_version: str
    buildx_version: str
    compose_version: str
    data_root: str
    disk_free_bytes: int | None
    storage_driver: str
    operating_system: str


def client() -> EngineClient:
    """The client of this process for the engine that the docker command talks to.

    Raises EngineError with the reason and the repair when that engine does not answer, or another one does.
    """
    return _connect(find_endpoint())


class _Later:
    """A client that connects, and loads the Docker SDK, when something is asked of it: that takes 0.2 s."""

    def __getattr__(self, name: str) -> Any:
        return getattr(client(), name)


def client_later() -> EngineClient:
    """The same client for whoever gets most answers from `local`, and may need none from it. Raises as `client` does.

    Where a variable or a context chose the engine, the docker command and the client are compared first.
    """
    is_there = not find_endpoint().is_chosen and local.ask("/version")
    return cast(EngineClient, _Later()) if is_there else client()


# One client per process: a new one begins by asking the engine for its version.
@lru_cache(maxsize=4)
def _connect(endpoint: Endpoint) -> EngineClient:
    import docker

    # Without the SDK a folder `docker/` in the project is imported as a package, and no ImportError is raised.
    if not hasattr(docker, "from_env"):
        msg = "The Docker SDK for Python is not installed: a folder named `docker` was imported instead."
        raise EngineError(msg, "`pip install -r requirements/dev.txt` in the project's virtual environment.")
    from layerstack.engine.api import EngineClient, EngineGone

    try:
        connected = EngineClient(endpoint)
    # It asks for the engine's version at once.
    except EngineGone as gone:
        raise unreachable(str(gone.__cause__), endpoint) from gone
    except EngineError as refusal:
        # An encrypted address answers a request without TLS, too.
        if texts.says(str(refusal.args[0]), *texts.UNREACHABLE):
            raise unreachable(str(refusal.args[0]), endpoint) from refusal
        raise
    except (docker.errors.DockerException, OSError) as error:
        raise unreachable(str(error), endpoint) from error
    if endpoint.is_chosen:
        _require_same_engine(connected, endpoint)
    return connected


def _require_same_engine(connected: EngineClient, endpoint: Endpoint) -> None:
    # Tasks use both the docker command and the SDK: both must reach the same engine.
    asked = command.run(["docker", "info", "--format", "{{.ID}}"], timeout_seconds=INFO_SECONDS)
    if not asked.ok:
        raise unreachable(asked.stderr, endpoint)
    own, other = str(connected.info().get("ID")), asked.stdout.strip()
    if own != other:
        msg = f"There are two engines: the docker command reaches {other}, {endpoint} is {own}."
        raise EngineError(msg, "`docker context ls` shows the contexts; `env | grep DOCKER_` the variables that count.")


def read_facts() -> EngineFacts:
    """Facts of the docker command and its daemon, in one call.

    Raises EngineError that names what is missing: docker command, daemon, Buildx or Compose plugin.
    """
    try:
        answer = command.run(["docker", "info", "--format", "{{json .}}"], timeout_seconds=INFO_SECONDS)
    except EngineError as error:
        raise EngineError("No Docker engine found: there is no docker command.", HOW_TO_GET_ONE) from error
    info = _parse_info(answer)
    # `docker info` prints JSON without a daemon, too, but then without a ServerVersion.
    if not info.get("ServerVersion"):
        raise unreachable(answer.stderr or "; ".join(info.get("ServerErrors") or ()), find_endpoint())
    return _facts_from(info)


def require_ready(facts: EngineFacts, min_free_bytes: int = 10 * GIGABYTE) -> None:
    """Raises EngineError that names every outdated part and a disk that is too full; NoRoom for the disk alone."""
    outdated, short = [*_outdated_parts(facts)], [*_disk_shortage(facts, min_free_bytes)]
    if problems := [*outdated, *short]:
        kind = EngineError if outdated else NoRoom
        raise kind("\n".join(problem for problem, _ in problems), " ".join(advice for _, advice in problems))


def parse_version(text: str) -> tuple[int, ...]:
    """The numbers of the first dotted version in a text, () without one: `v0.29.1-desktop.1` → (0, 29, 1)."""
    match = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in match.group().split(".")) if match else ()


def daemon_answers() -> bool:
    """Whether the docker command reaches a daemon right now."""
    asked = ["docker", "version", "--format", "{{.Server.Version}}"]
    return bool(shutil.which("docker")) and command.run(asked, timeout_seconds=ANSWER_SECONDS).ok


def _parse_info(answer: command.CommandResult) -> Mapping[str, Any]:
    try:
        info = json.loads(answer.stdout)
    except json.JSONDecodeError:
        info = {}
    if "podman" in (answer.stdout + answer.stderr).lower() and "ServerVersion" not in info:
        raise podman("(behind its own docker command)")
    info = info if isinstance(info, dict) else {}
    # The real docker command on Podman's socket, recognised by its store (podman pkg/api/handlers/compat/info.go).
    if str(info.get("DockerRootDir")).endswith("containers/storage"):
        raise podman(str(info.get("ServerVersion", "")))
    return info


def _facts_from(info: Mapping[str, Any]) -> EngineFacts:
    plugins = {plugin["Name"]: plugin for plugin in (info.get("ClientInfo") or {}).get("Plugins") or ()}
    return EngineFacts(
        server_version=info["ServerVersion"],
        buildx_version=_plugin_version(plugins, "buildx"),
        compose_version=_plugin_version(plugins, "compose"),
        data_root=info.get("DockerRootDir", ""),
        disk_free_bytes=_free_bytes(info),
        storage_driver=info.get("Driver", ""),
        operating_system=info.get("OperatingSystem", ""),
    )


def _plugin_version(plugins: Mapping[str, Mapping[str, str]], name: str) -> str:
    plugin = plugins.get(name, {})
    if plugin.get("Version"):
        return plugin["Version"]
    reason = f": {plugin['Err']}" if plugin.get("Err") else ""
    msg = f"The docker command has no working {name} plugin{reason}."
    raise EngineError(msg, f"Install the package docker-{name}-plugin (or docker-{name}). {HOW_TO_GET_ONE}")


def _free_bytes(info: Mapping[str, Any]) -> int | None:
    """Free bytes where the engine keeps its data, None when that is not this machine."""
    # The same path may exist on this machine, too, on another disk.
    if info.get("Name") != socket.gethostname():
        return None
    try:
        return shutil.disk_usage(info["DockerRootDir"]).free
    except (OSError, KeyError):
        return None


def _outdated_parts(facts: EngineFacts) -> Iterator[tuple[str, str]]:
    found = (facts.server_version, facts.buildx_version, facts.compose_version)
    for (part, oldest), version in zip(OLDEST_USABLE.items(), found, strict=True):
        numbers = parse_version(version)
        if numbers and numbers < oldest:
            needed = ".".join(map(str, oldest))
            yield f"{part} {version} is too old: {needed} or newer is needed.", f"Update {part}. {HOW_TO_GET_ONE}"


def _disk_shortage(facts: EngineFacts, min_free_bytes: int) -> Iterator[tuple[str, str]]:
    if facts.disk_free_bytes is not None and facts.disk_free_bytes < min_free_bytes:
        free, needed = megabytes(facts.disk_free_bytes), megabytes(min_free_bytes)
        problem = f"Only {free} are free in {facts.data_root}: {needed} are needed."
        yield problem, "`invoke clean` removes old images and cache of this project."
