"""A snapshot of the containers of a project."""

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from layerstack.engine import local
from layerstack.engine.client import EngineClient
from layerstack.errors import EngineError, NotInEngine
from layerstack.moment import epoch_seconds
from layerstack.project.project import Port

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
NUMBER_LABEL = "com.docker.compose.container-number"
# The folder that Compose was called for: `--project-directory`, else that of the first file.
FOLDER_LABEL = "com.docker.compose.project.working_dir"
ONE_OFF_LABEL = "com.docker.compose.oneoff"
STAND_IN_LABEL = "layerstack.stand-in-for"


@dataclass(frozen=True)
class Mount:
    """A mount of a container; `source` is a path of the host, or the volume's name."""

    kind: str
    source: str
    target: str
    is_writable: bool

    @property
    def is_anonymous(self) -> bool:
        """A volume that was given a random name because the Compose file gives it none."""
        return self.kind == "volume" and bool(re.fullmatch(r"[0-9a-f]{64}", self.source))

    @property
    def words(self) -> str:
        """`the volume shop_data on /data`."""
        what = "folder" if self.kind == "bind" else self.kind
        return f"the {what} {self.source} on {self.target}" if self.source else f"the {what} on {self.target}"


@dataclass(frozen=True)
class Container:
    """One container; `health` is "" without a health check, `ports` are the published ones.

    `folder` is where its program starts, `argv` how: entrypoint and command;
    `shell` is that of its image's SHELL.
    """

    id: str
    name: str
    service: str
    status: str
    created_at: str
    health: str = ""
    health_output: str = ""
    exit_code: int = 0
    error: str = ""
    is_oom_killed: bool = False
    memory_limit_bytes: int = 0
    restart_count: int = 0
    started_at: str = ""
    image: str = ""
    image_id: str = ""
    has_gpu: bool = False
    ports: tuple[Port, ...] = ()
    labels: Mapping[str, str] | None = None
    finished_at: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    networks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    network_mode: str = ""
    health_command: tuple[str, ...] = ()
    health_timeout_seconds: float = 30.0
    health_codes: tuple[int, ...] = ()
    mounts: tuple[Mount, ...] = ()
    user: str = ""
    folder: str = "/"
    argv: tuple[str, ...] = ()
    shell: tuple[str, ...] = ()

    @property
    def is_running(self) -> bool:
        return self.status == "running"

    @property
    def state(self) -> str:
        """`healthy`, `unhealthy`, `starting` where there is a health check; else Docker's own word."""
        return self.health if self.is_running and self.health else self.status

    @property
    def has_health_check(self) -> bool:
        """Of its definition or of its image; a container that was never started has no health yet."""
        return bool(self.health_command) and self.health_command[0] != "NONE"

    @property
    def stand_in_for(self) -> str:
        """The official image that a stand-in replaces, here or below in its image; "" for none."""
        return (self.labels or {}).get(STAND_IN_LABEL, "")

    @property
    def uptime_seconds(self) -> float:
        """Seconds since its start; 0 when it does not run."""
        if not self.is_running or not self.started_at:
            return 0.0
        return max(0.0, time.time() - epoch_seconds(self.started_at))

    @property
    def ran_seconds(self) -> float:
        """Seconds of its last run, 0 while it runs or when it never ran."""
        if self.is_running:
            return 0.0
        return max(0.0, epoch_seconds(self.finished_at) - epoch_seconds(self.started_at))

    @property
    def was_healthy(self) -> bool:
        """Whether one of its last health checks passed."""
        return 0 in self.health_codes

    def mount_at(self, path: str) -> Mount | None:
        """The mount that contains a path of the container."""
        over = [one for one in self.mounts if path == one.target or path.startswith(one.target.rstrip("/") + "/")]
        return max(over, key=lambda one: len(one.target), default=None)

    def is_newest(self, client: EngineClient) -> bool:
        """Whether it runs the image that its tag points to now. True when the tag is gone."""
        try:
            return bool(client.api.inspect_image(self.image)["Id"] == self.image_id)
        except EngineError:
            # Without the tag there is no newer image to start.
            return True


def read_all(client: EngineClient, project_name: str) -> dict[str, tuple[Container, ...]]:
    """Service name → its containers, the newest of each number. Raises EngineError when the engine is gone."""
    # Containers of `docker compose run` are not part of the stack.
    labels = [f"{PROJECT_LABEL}={project_name}", f"{ONE_OFF_LABEL}=False"]
    filters = quote(json.dumps({"label": labels}))
    # Over the socket first: a task that only reads containers then loads no SDK.
    listed = local.ask(f"/containers/json?all=1&filters={filters}")
    found = local.ask(*(f"/containers/{entry['Id']}/json" for entry in listed[0] or ())) if listed else None
    if found is None:
        found = list(_inspect_all(client, labels))
    # None is a container that was removed since it was listed.
    return _by_service(from_inspect(one) for one in found if one)


def _inspect_all(client: EngineClient, labels: Sequence[str]) -> Iterator[dict[str, Any]]:
    for entry in client.api.containers(all=True, filters={"label": list(labels)}):
        with suppress(NotInEngine):  # removed since it was listed
            yield client.api.inspect_container(entry["Id"])


def runs_something(client: EngineClient, project_name: str) -> bool:
    """Whether Compose runs any container of the project. Raises EngineError when the engine is gone."""
    return any(one.is_running for containers in read_all(client, project_name).values() for one in containers)


def read_log(
    client: EngineClient, container_id: str, lines: int, since_epoch_seconds: float | None = None
) -> tuple[str, ...]:
    """The last lines a container wrote; empty when it is gone or its log cannot be read."""
    try:
        data: bytes = client.api.logs(container_id, tail=lines, since=since_epoch_seconds or None)
    except (EngineError, OSError):
        return ()
    return tuple(line.rstrip() for line in data.decode("utf-8", errors="replace").splitlines())


def read_volume_age(client: EngineClient, name: str) -> float:
    """When a volume was created, in seconds since 1970; 0 when that is unknown."""
    try:
        return epoch_seconds(client.api.inspect_volume(name).get("CreatedAt"))
    except EngineError:
        return 0.0


def read_deaths(
    client: EngineClient, container_id: str, since_epoch_seconds: float, until_epoch_seconds: float
) -> list[int]:
    """Exit codes of the container within that time, oldest first; -1 for an out-of-memory kill."""
    wanted = {"container": [container_id], "event": ["die", "oom"]}
    since, until = f"{since_epoch_seconds:.3f}", f"{until_epoch_seconds:.3f}"
    codes = []
    # The stubs know whole seconds only; the engine takes fractions.
    # Without `until` the stream of events would never end.
    for event in client.api.events(since=since, until=until, filters=wanted, decode=True):  # type: ignore[call-overload]
        is_oom = event.get("Action") == "oom"
        codes.append(-1 if is_oom else int(event["Actor"]["Attributes"].get("exitCode", 0)))
    return codes


def was_stopped(client: "EngineClient", container_id: str, since_epoch_seconds: float) -> bool:
    """Has somebody sent it a signal since then, as `docker stop` and `docker kill` do?"""
    wanted = {"container": [container_id], "event": ["kill"]}
    since, until = f"{since_epoch_seconds:.3f}", f"{time.time():.3f}"
    # The stubs know whole seconds only; the engine takes fractions.
    return any(client.api.events(since=since, until=until, filters=wanted, decode=True))  # type: ignore[call-overload]


def from_inspect(data: Mapping[str, Any]) -> Container:
    """A container from the output of `docker inspect`."""
    state, host, labels = data["State"], data["HostConfig"], data["Config"].get("Labels") or {}
    health = state.get("Health") or {}
    checks = [check for check in health.get("Log") or () if _is_of_run(check, state)]
    return Container(
        id=data["Id"],
        name=data["Name"].lstrip("/"),
        service=labels.get(SERVICE_LABEL, ""),
        status=state["Status"],
        created_at=data.get("Created", ""),
        # The engine reports "none" for a health check that is switched off.
        health="" if health.get("Status") == "none" else health.get("Status", ""),
        health_output=(checks[-1].get("Output") or "").strip() if checks else "",
        exit_code=int(state.get("ExitCode", 0)),
        error=state.get("Error") or "",
        is_oom_killed=bool(state.get("OOMKilled")),
        memory_limit_bytes=int(host.get("Memory") or 0),
        restart_count=int(data.get("RestartCount") or 0),
        started_at=state.get("StartedAt") or "",
        image=data["Config"].get("Image", ""),
        image_id=data.get("Image", ""),
        has_gpu=host.get("Runtime") == "nvidia" or any(map(_is_gpu, host.get("DeviceRequests") or ())),
        ports=tuple(_ports(data.get("NetworkSettings", {}).get("Ports") or {})),
        labels=labels,
        finished_at=state.get("FinishedAt") or "",
        environment=dict(entry.partition("=")[::2] for entry in data["Config"].get("Env") or ()),
        networks=_networks(data.get("NetworkSettings", {}).get("Networks") or {}),
        network_mode=host.get("NetworkMode") or "",
        health_command=tuple((data["Config"].get("Healthcheck") or {}).get("Test") or ()),
        # Without a value, Docker waits 30 s.
        health_timeout_seconds=((data["Config"].get("Healthcheck") or {}).get("Timeout") or 30e9) / 1e9,
        health_codes=tuple(int(check.get("ExitCode", 0)) for check in checks),
        mounts=(*(_mount(entry) for entry in data.get("Mounts") or ()), *_tmpfs(host)),
        user=data["Config"].get("User") or "",
        folder=data["Config"].get("WorkingDir") or "/",
        argv=tuple(filter(None, (data.get("Path"), *(data.get("Args") or ())))),
        shell=tuple(data["Config"].get("Shell") or ()),
    )


def _is_of_run(check: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    # The engine keeps the last health checks of the previous run: those do not count.
    return epoch_seconds(check.get("Start")) >= epoch_seconds(state.get("StartedAt")) or not check.get("Start")


def _networks(attached: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Network → names and address of the container on it."""
    return {
        # Older engines list the names as `Aliases` only.
        name: (*(entry.get("DNSNames") or entry.get("Aliases") or ()), entry.get("IPAddress") or "")
        for name, entry in attached.items()
    }


def _mount(entry: Mapping[str, Any]) -> Mount:
    source = entry.get("Name") or entry.get("Source") or ""
    return Mount(entry.get("Type", ""), source, entry.get("Destination", ""), bool(entry.get("RW", True)))


def _tmpfs(host: Mapping[str, Any]) -> Iterable[Mount]:
    # The engine does not list `tmpfs:` entries as mounts.
    return (Mount("tmpfs", "", target, is_writable=True) for target in host.get("Tmpfs") or ())


def _is_gpu(request: Mapping[str, Any]) -> bool:
    words = [word for group in request.get("Capabilities") or () for word in group]
    # A request by CDI name, such as `nvidia.com/gpu=all`, has no capabilities.
    return "gpu" in words or "nvidia" in str(request.get("DeviceIDs"))


def _ports(bindings: Mapping[str, Any]) -> Iterable[Port]:
    for target, hosts in bindings.items():
        number, _, protocol = target.partition("/")
        known = [(host.get("HostIp", ""), host["HostPort"]) for host in hosts or () if host.get("HostPort")]
        for ip, published in known if protocol == "tcp" else ():
            # Docker lists a port of every address again for IPv6; checking it once is enough.
            if ip != "::" or ("0.0.0.0", published) not in known:
                yield Port(ip, int(published), int(number))


def _by_service(containers: Iterable[Container]) -> dict[str, tuple[Container, ...]]:
    # While Compose replaces a container, the old one is listed as well.
    newest: dict[tuple[str, str], Container] = {}
    for one in sorted(containers, key=lambda one: epoch_seconds(one.created_at)):
        newest[one.service, (one.labels or {}).get(NUMBER_LABEL, "1")] = one
    grouped: dict[str, tuple[Container, ...]] = {}
    for (service, _), one in newest.items():
        grouped[service] = (*grouped.get(service, ()), one)
    return grouped
