"""Why containers did not start, with what to do."""

import re
import time
from collections.abc import Sequence

from layerstack.command import CommandResult
from layerstack.dockerfile.image import Image
from layerstack.engine import ports, texts
from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container, read_all, read_deaths, read_log
from layerstack.errors import NotInEngine, StartFailed, quoted_end
from layerstack.gpu.gpu_services import how_to_drop
from layerstack.project import missing_image
from layerstack.project.declaration import find_declaration, source_of
from layerstack.project.project import Port, Project
from layerstack.run.cause import find_cause
from layerstack.run.conflict import KEY, find_name_holder, find_shared_ports, freeing, holder_words, is_own, service_of
from layerstack.run.health import Verdict, exit_reason
from layerstack.run.refused_line import refused_place
from layerstack.run.unmet import misspelt, unmet

LOG_TAIL_LINES = 10
# `Container shop-web-1  Error response from daemon: ...`, `Container shop-web-1  opening seccomp profile (x) failed`
CONTAINER = re.compile(r"Container (?P<container>\S+) +(?P<reason>\S.*)")
FROM_ENGINE = "Error response from daemon: "
# As Compose ends a container: by SIGTERM, by SIGKILL after that.
STOPPED = re.compile(r"exited with code (?:0|137|143)\b")
DISK_ADVICE = "`invoke clean` frees build cache; `docker system df` and `df -h` show what holds the rest."


class ServiceFailed(StartFailed):
    """One service did not come up: `reason` in words, `log_lines` the last that it wrote, `kind` as the
    diagnosis has it."""

    def __init__(
        self, service: str, reason: str, log_lines: tuple[str, ...] = (), advice: str = "", kind: str = ""
    ) -> None:
        said = quoted_end(log_lines) or "  (it wrote no log)"
        super().__init__(f"{service} {reason}\n{said}", advice, is_disk_full=kind == "disk-full")
        self.service = service
        self.kind = kind
        self.reason = reason
        self.log_lines = log_lines


def service_failed(
    client: EngineClient, project: Project, container: Container | None, verdict: Verdict, service: str, since: float
) -> StartFailed:
    """The error for a service whose verdict is `failed`; `since` is the epoch second of the start."""
    if container is None:
        return StartFailed(f"{service} {verdict.reason}.", _typed(verdict.repair))
    reason = verdict.reason
    # While it runs again it has no exit code; the engine's events have that of its last run.
    if verdict.words == "restarting" and container.is_running:
        reason = f"{reason}, {_last_death(client, container, since)}"
    log = read_log(client, container.id, LOG_TAIL_LINES)
    if cause := find_cause(client, project, container, log):
        return ServiceFailed(service, cause.cause, log, cause.way_out)
    return ServiceFailed(service, reason, log, _typed(verdict.repair))


def require_images(client: EngineClient, project: Project, services: Sequence[str]) -> None:
    """Raises StartFailed when an image that this project builds is missing."""
    missing = [name for name in _without_image(client, project, services) if project.services[name].is_built]
    for name in missing:
        if image := project.misnamed.get(name):
            raise _misnamed(project, name, image)
    if missing:
        names = ", ".join(f"{name} ({project.services[name].image})" for name in missing)
        raise StartFailed(
            f"Not built yet: {names}.", f"Build first: `invoke build {' '.join(missing)}`, then this again."
        )


def _misnamed(project: Project, name: str, image: Image) -> StartFailed:
    """Compose and the bake files have different names for one image: building it again does not help."""
    declared = find_declaration(project, name, "image") or find_declaration(project, name)
    where = f" ({declared.place})" if declared else ""
    built = ", ".join(image.tags)
    return StartFailed(
        f"{name} runs {project.services[name].image}{where}, and what is built for it is called {built}.",
        f"Give both one name: bake's target {image.name} says it in `tags`. Bake does not read .env: "
        "export a variable of .env that is part of the name.",
    )


def require_ports(client: EngineClient, project: Project, services: Sequence[str]) -> None:
    """Raises StartFailed for a port that something else holds, or that two of these services publish."""
    for shared in find_shared_ports(project, services):
        raise StartFailed(f"{shared.words}.", f"{shared.change[0].upper()}{shared.change[1:]}.")
    found = read_all(client, project.name)
    for name in services:
        # A running service holds its ports itself, but not one that was added to its definition since.
        held = {port.published for one in found.get(name, ()) if one.is_running for port in one.ports}
        for port in project.services[name].ports:
            holder = None if port.published in held else ports.find_holder(client, port)
            if holder and not is_own(project, holder):
                raise port_taken(project, name, port, holder)


def require_names(client: EngineClient, project: Project, services: Sequence[str]) -> None:
    """Raises StartFailed for a `container_name` that another container has."""
    for name in services:
        if holder := find_name_holder(client, project, project.services[name]):
            declared = find_declaration(project, name, KEY)
            where = f" ({declared.place})" if declared else ""
            raise StartFailed(
                f"{name} cannot take the name {holder.name}: {holder.words} has it.",
                f"`{holder.remedy}`{holder.for_good}, or choose another {KEY}{where}.",
            )


def port_taken(project: Project, service: str, port: Port, holder: ports.Holder) -> StartFailed:
    """The error for one port: its holder, how to free it, where to choose another."""
    source = source_of(project, project.services[service], port)
    remedy = freeing(project, holder)
    free = f"`{remedy}`, or " if remedy else ""
    return StartFailed(
        f"{service} cannot listen on {port.address}: {holder_words(project, holder)} holds that port.",
        f"{free}choose another port: {source}.",
    )


def refusal(
    client: EngineClient, project: Project, result: CommandResult, services: Sequence[str]
) -> StartFailed | None:
    """The error for a known reason outside the containers: GPU, port, image; None for another."""
    said = _last_line(result)
    # The engine's own message goes before what is looked up: another image may be missing, too.
    if texts.says(result.stderr, *texts.GPU_REFUSED):
        users = [name for name in services if project.services[name].wants_gpu]
        name = ", ".join(users) or "A service"
        # On the CPU already, only the definition can drop the request.
        advice = how_to_drop(project, users) if users and project.device == "cpu" else "`invoke up --device cpu`"
        return StartFailed(f"{name} wants a GPU and Docker cannot give one: {said}", advice)
    if texts.says(result.stderr, *texts.DISK_FULL):
        return StartFailed(f"The engine's disk is full: {said}", DISK_ADVICE, is_disk_full=True)
    if known := unmet(client, project, services, result.stderr):
        return known
    if missing := _without_image(client, project, services):
        images = ", ".join(dict.fromkeys(project.services[name].image for name in missing))
        advice = misspelt(client, project, missing[0]) or missing_image.way_to_get(project.root)
        return StartFailed(f"{images} could not be fetched: {said}", advice)
    # A port that was free before the start may have been taken since.
    if texts.says(result.stderr, *texts.PORT_TAKEN):
        try:
            require_ports(client, project, services)
        except StartFailed as error:
            return error
    return None


def compose_failed(project: Project, result: CommandResult) -> StartFailed:
    """The error for an unknown reason: Compose's own words."""
    said = result.stderr or result.stdout
    if refused := _read_refusal(said):
        reason, container = refused
        name = service_of(project, container) if container else ""
        advice = f"Correct {refused_place(project, name, reason)}, then `invoke up`." if name else "`invoke doctor`"
        return StartFailed(f"The engine refuses {f'to make {name}' if name else 'the start'}: {reason}", advice)
    tail = quoted_end([line.strip() for line in said.strip().splitlines()])
    return StartFailed(f"`docker compose up` ended with exit code {result.exit_code}:\n{tail}", "`invoke doctor`")


def was_stopped_for(result: CommandResult, blamed: StartFailed) -> bool:
    """Whether Compose has stopped that service to make it anew, which the engine then refused."""
    is_refused = _read_refusal(result.stderr or result.stdout) is not None
    return is_refused and isinstance(blamed, ServiceFailed) and bool(STOPPED.match(blamed.reason))


def _read_refusal(said: str) -> tuple[str, str] | None:
    """(reason, container or "") of what the engine, or Compose for it, refuses; None for another failure."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    # What the engine says may have several lines; what Compose says has one.
    starts = [number for number, line in enumerate(lines) if line.startswith(FROM_ENGINE)]
    start = starts[-1] if starts else len(lines) - 1
    reason = " ".join(lines[start:]).removeprefix(FROM_ENGINE)
    # The line with the name of a container comes first, the same without it last.
    named = (match for line in lines[:start] if (match := CONTAINER.match(line)) and match["reason"] == lines[start])
    container = next((match["container"] for match in named), "")
    return (reason, container) if starts or container else None


def _without_image(client: EngineClient, project: Project, services: Sequence[str]) -> list[str]:
    missing = []
    for name in services:
        try:
            client.api.inspect_image(project.services[name].image)
        except NotInEngine:
            missing.append(name)
    return missing


def _last_line(result: CommandResult) -> str:
    lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
    return lines[-1] if lines else f"exit code {result.exit_code}"


def _last_death(client: EngineClient, container: Container, since: float) -> str:
    codes = read_deaths(client, container.id, since, time.time())
    exits = [code for code in codes if code >= 0]
    if not exits:
        return "its exit code is not known"
    return exit_reason(exits[-1], -1 in codes, container.memory_limit_bytes)


def _typed(repair: str) -> str:
    return f"`{repair}`" if repair else ""
