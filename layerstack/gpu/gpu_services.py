"""Prepares services that need a GPU before they start: is it available, is memory free, was it lost."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from layerstack.engine import engine
from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container, read_all
from layerstack.errors import GpuMissing, UsageError
from layerstack.gpu import lease
from layerstack.gpu.device import is_engine_elsewhere
from layerstack.gpu.gpu_in_container import look_inside
from layerstack.gpu.gpu_probe import ADVICE, DockerGpu, probe_docker
from layerstack.gpu.lease import Wanted
from layerstack.gpu.nvml import Card, ask_host, cards_of, read_host
from layerstack.gpu.nvml_library import NvmlRefused
from layerstack.project.dependency import in_start_order
from layerstack.project.gpu_request import ALL, CDI_KIND, GpuRequest, keys_of, requests_of
from layerstack.project.project import Project
from layerstack.report import Say

SETTING = "gpu_memory"


@contextmanager
def ready(project: Project, services: Sequence[str], timeout_seconds: float, say: Say) -> Iterator[None]:
    """A context in which to start services.

    Containers that lost their GPU are restarted first. Cards of stopped services that declare `gpu_memory` are leased
    until the block ends; from then on the driver reports what they use. Raises GpuMissing when Docker cannot provide
    what a service asks for, GpuBusy when the memory does not become free, UsageError for an invalid size.
    """
    wanted = {name: requests_of(project.services[name].definition) for name in in_start_order(project, services)}
    wanted = {name: requests for name, requests in wanted.items() if requests}
    if not wanted:
        yield
        return
    require_usable(project, services)
    client = engine.client()
    containers = read_all(client, project.name)
    _restart_lost(client, containers, wanted, say)
    # Running services already have their memory, and the driver counts it as used.
    new = {name: asked for name, asked in wanted.items() if not any(one.is_running for one in containers.get(name, ()))}
    with ExitStack() as held:
        for lease_wanted in _needs(project, new, say):
            held.enter_context(lease.taken(lease_wanted, timeout_seconds, say))
        yield


def how_to_drop(project: Project, services: Sequence[str]) -> str:
    """The edit that takes the requests away on the CPU, by the keys that make them."""
    keys = {key: None for name in services for key in keys_of(project.services[name].definition)}
    resets = " and ".join(f"`{key}: !reset null`" for key in keys) or "`!reset null`"
    main = project.compose_files[0]
    return f"A {main.stem}.cpu{main.suffix} with {resets} for {' and '.join(services)} drops that."


def parse_size(name: str, text: Any) -> int | None:
    """`8g` in bytes, None for no value. Raises UsageError that names `name`."""
    if not text:
        return None
    from docker.errors import DockerException
    from docker.utils import parse_bytes

    try:
        return int(parse_bytes(str(text)))
    except (DockerException, ValueError) as error:
        raise UsageError(f"{name} is `{text}`, which is no size.", "Write `8g` or `512m`.") from error


def require_usable(project: Project, services: Sequence[str] = ()) -> None:
    """Raises GpuMissing for a service that asks for a GPU on the CPU too, because no override drops the request."""
    for name in in_start_order(project, services) if project.device == "cpu" else ():
        for found in map(probe_docker, requests_of(project.services[name].definition)):
            if not found.is_usable:
                msg = f"{name} asks for a GPU also with --device cpu, but {found.reason}."
                raise GpuMissing(msg, " ".join((how_to_drop(project, [name]), *_repair(found))))


def _repair(verdict: DockerGpu) -> Iterator[str]:
    """How to make the GPU usable, where there is one; without the advice to use the CPU, which was chosen already."""
    if read_host() or is_engine_elsewhere():
        yield re.sub(r"[;,] or use --device cpu\.", ".", ADVICE[verdict.broken_link])


def _restart_lost(
    client: EngineClient, containers: Mapping[str, Sequence[Container]], wanted: Mapping[str, Any], say: Say
) -> None:
    host = read_host()
    for name, found in containers.items():
        for one in found if host and name in wanted else ():
            seen = look_inside(client, one, host) if one.is_running else None
            if seen and seen.is_lost:
                say(f"{one.name} lost its GPU ({seen.problem}): restarting it")
                # Compose would leave it alone, as its definition is the same; a restart brings the GPU back.
                client.api.restart(one.id)


def _needs(project: Project, wanted: Mapping[str, Sequence[GpuRequest]], say: Say) -> list[Wanted]:
    """Memory needed per card, sorted by name: a fixed order keeps two simultaneous starts from a deadlock."""
    settings = {name: project.services[name].settings.gpu_memory for name in wanted}
    sizes = {name: parse_size(f"x-layerstack.{SETTING} of {name}", settings[name]) for name in wanted}
    needs: dict[str, dict[str, int]] = {}
    if not any(sizes.values()):
        return []
    try:
        cards = cards_of(ask_host())
    except NvmlRefused as refused:
        say(f"no lease of GPU memory: {refused}")
        return []
    for name, size in sizes.items():
        for card in _given_cards(wanted[name], cards) if size else ():
            needs.setdefault(card.uuid, {})[name] = size or 0
    return [
        Wanted(f"{' and '.join(needs[uuid])} of {project.name}", sum(needs[uuid].values()), (uuid,))
        for uuid in sorted(needs)
    ]


def _given_cards(requests: Sequence[GpuRequest], cards: Sequence[Card]) -> tuple[Card, ...]:
    """The cards that Docker will assign to these requests: the named ones, or the first ones."""
    names = {name.removeprefix(f"{CDI_KIND}=") for one in requests for name in one.device_ids}
    # The old `runtime: nvidia` gives a container every card.
    count = max((len(cards) if one.count == ALL or one.runtime else one.count for one in requests), default=0)
    if "all" in names:
        return tuple(cards)
    return tuple(card for card in cards if {card.uuid, str(card.index)} & names or card.index < count)
