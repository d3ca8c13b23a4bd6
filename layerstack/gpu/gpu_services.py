"""Services that want a GPU, before they start: can they get it, is there memory, did a running one lose it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from layerstack.engine import engine
from layerstack.engine.container import Container, read_all
from layerstack.errors import GpuMissing, UsageError
from layerstack.gpu import lease
from layerstack.gpu.gpu_card import Card, cards_of
from layerstack.gpu.gpu_in_container import look_inside
from layerstack.gpu.gpu_probe import ADVICE, probe_docker
from layerstack.gpu.lease import Wanted
from layerstack.gpu.lease_ledger import Entry
from layerstack.gpu.nvml import ask_host, read_host
from layerstack.gpu.nvml_library import NvmlRefused, opened
from layerstack.process_life import is_in_container
from layerstack.project.dependency import in_start_order
from layerstack.project.gpu_request import ALL, CDI_KIND, GpuRequest, requests_of
from layerstack.project.project import Project

if TYPE_CHECKING:
    from docker import DockerClient

Say = Callable[[str], None]
Held = tuple[str, Card, Entry]
SETTING = "gpu_memory"


@contextmanager
def ready(project: Project, services: Sequence[str], timeout_seconds: float, say: Say) -> Iterator[None]:
    """Start services inside this block.

    Before it, a running container that lost its GPU is restarted, and each service that declares `gpu_memory` gets a
    lease. After it, the leases belong to the containers. Raises GpuMissing, before anything starts, when Docker cannot
    give what a service asks for, GpuBusy when the memory does not come free, UsageError for a size that is none.
    """
    wanted = {name: requests_of(project.services[name].definition) for name in in_start_order(project, services)}
    wanted = {name: requests for name, requests in wanted.items() if requests}
    if not wanted:
        yield
        return
    if project.device == "cpu":
        _require_usable(wanted)
    client = engine.client()
    _restart_lost(client, project, wanted, say)
    held = _take_all(project, wanted, timeout_seconds, say)
    try:
        yield
    finally:
        running = read_all(client, project.name) if held else {}
        for name, card, entry in held:
            _pass_on(client, running.get(name, ()), card, entry, say)


def parse_size(what: str, told: Any) -> int | None:
    """`8g` and the like in bytes, None for nothing. Raises UsageError that names `what`."""
    if not told:
        return None
    import docker.utils
    from docker.errors import DockerException

    units: Any = docker.utils
    try:
        return int(units.parse_bytes(str(told)))
    except (DockerException, ValueError) as error:
        raise UsageError(f"{what} is `{told}`, which is no size.", "Write `8g` or `512m`.") from error


def _require_usable(wanted: Mapping[str, Sequence[GpuRequest]]) -> None:
    """Even on the CPU these services ask for a GPU: nothing in the project takes that away."""
    for name, requests in wanted.items():
        for found in map(probe_docker, requests):
            if not found.is_usable:
                msg = f"{name} asks for a GPU also with --device cpu, but {found.reason}."
                drop = "A docker-compose.cpu.yml with `deploy: !reset null` or `gpus: !reset null` for it drops that."
                raise GpuMissing(msg, f"{drop} {ADVICE[found.broken_link]}")


def _restart_lost(client: "DockerClient", project: Project, wanted: Mapping[str, Any], say: Say) -> None:
    host = read_host()
    for name, containers in read_all(client, project.name).items():
        for one in containers if host and name in wanted else ():
            seen = look_inside(client, one, host) if one.is_running else None
            if seen and seen.is_lost:
                say(f"{one.name} lost its GPU ({seen.problem}): restarting it")
                client.api.restart(one.id)


def _take_all(
    project: Project, wanted: Mapping[str, Sequence[GpuRequest]], timeout_seconds: float, say: Say
) -> list[Held]:
    told = {name: project.services[name].settings.gpu_memory for name in wanted}
    sizes = {name: parse_size(f"x-layerstack.{SETTING} of {name}", told[name]) for name in wanted}
    held: list[Held] = []
    if not any(sizes.values()):
        return held
    try:
        with opened() as nvml:
            for name in filter(sizes.get, sizes):
                for card in _given_cards(wanted[name], cards_of(ask_host())):
                    asked = Wanted(f"{name} of {project.name}", sizes[name], (card.uuid,), is_service=True)
                    held.append((name, *lease.take(nvml, asked, timeout_seconds, say)))
    except NvmlRefused as refused:
        say(f"no lease of GPU memory: {refused}")
    except BaseException:
        for _, card, entry in held:
            lease.give_back(card, entry)
        raise
    return held


def _given_cards(requests: Sequence[GpuRequest], cards: Sequence[Card]) -> tuple[Card, ...]:
    """The cards that Docker will give for these requests: the named ones, or the first ones."""
    names = {name.removeprefix(f"{CDI_KIND}=") for one in requests for name in one.device_ids}
    count = max((len(cards) if one.count == ALL or one.runtime else one.count for one in requests), default=0)
    if "all" in names:
        return tuple(cards)
    return tuple(card for card in cards if {card.uuid, str(card.index)} & names or card.index < count)


def _pass_on(client: "DockerClient", containers: Sequence[Container], card: Card, entry: Entry, say: Say) -> None:
    """The lease goes to the running container; without one it ends."""
    for one in containers:
        pid = int(client.api.inspect_container(one.id)["State"].get("Pid") or 0) if one.is_running else 0
        if pid and is_in_container(pid, one.id):
            lease.hand_over(card, entry, one.id, pid)
            return
        if pid:
            say(f"{one.name} runs on another machine or in a virtual one: its lease of GPU memory ends here")
    lease.give_back(card, entry)
