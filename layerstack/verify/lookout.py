"""Looks at a broken service from every side, before it is judged: the engine, its log, its ports, its networks."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from types import MappingProxyType

from layerstack import command
from layerstack.engine import images
from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container, read_deaths, read_log, was_stopped
from layerstack.engine.files import is_there
from layerstack.engine.image_tree import closed_container
from layerstack.engine.inside import stopped_programs
from layerstack.engine.place import WILDCARDS
from layerstack.engine.ports import Holder, find_holder
from layerstack.errors import EngineError, NotInEngine
from layerstack.moment import epoch_seconds
from layerstack.project.project import Port, Project, Service
from layerstack.run.cause import find_cause
from layerstack.run.conflict import find_name_holder, is_own
from layerstack.verify.check_graph import service_names
from layerstack.verify.dial import runs_out
from layerstack.verify.evidence import Evidence, is_looping
from layerstack.verify.examination import ServiceResult
from layerstack.verify.health_probe import time_health
from layerstack.verify.listening import read_listeners
from layerstack.verify.state_links import declared_networks, is_first_start
from layerstack.wait import ask_all

LOG_LINES = 40
# Deaths longer ago say little about the fault of now.
DEATHS_SECONDS = 900.0


class Lookout:
    """Looks at the containers of one project; what several services need is looked at once."""

    def __init__(
        self,
        client: EngineClient,
        project: Project,
        results: Sequence[ServiceResult],
        containers: Mapping[str, Sequence[Container]] = MappingProxyType({}),
    ) -> None:
        self._client, self._project = client, project
        self._hosts = service_names(project)
        # What nobody asked about may be what the others use: `found` has all containers of the project.
        every = {name: ones[0] for name, ones in containers.items() if ones and name in project.services}
        every |= {one.service: one.container for one in results if one.container}
        self._peers = {name: one for name, one in every.items() if one.is_running}
        lacking = [one.service for one in results if any(check.link == "image" for check in one.failed)]
        # One build for all that run one image: the service that declares it, or its name in the bake file.
        built = (name for name in lacking if project.services[name].is_built)
        self._unbuilt = tuple(dict.fromkeys(_builder(project, name) for name in built))
        listening = ask_all(lambda one: read_listeners(client, one), self._peers.values())
        self._listeners = dict(zip(self._peers, listening, strict=True))

    def gather(self, result: ServiceResult) -> Evidence:
        """All evidence on one service."""
        service, one = self._project.services[result.service], result.container
        log = read_log(self._client, one.id, LOG_LINES, telling_since(one)) if one else ()
        return Evidence(
            self._project,
            service,
            result,
            log=log,
            deaths=self._deaths(one) if one else (),
            stopped=stopped_programs(self._client, one.id) if one and one.is_running else (),
            listeners=self._listeners.get(result.service),
            holders=tuple(self._holders(result)),
            missing_images=tuple(self._missing_images(result)),
            unbuilt=self._unbuilt,
            missing_networks=tuple(self._missing_networks(service, result)),
            networks=self._networks(one) if one else {},
            hosts=self._hosts,
            peers=self._peers,
            peer_listeners=self._listeners,
            is_newest=one.is_newest(self._client) if one else True,
            name_holder=None if one else find_name_holder(self._client, self._project, service),
            cause=find_cause(self._client, self._project, one, log) if one else None,
            is_first_start=is_first_start(self._client, one) if one else False,
            runs_out=partial(runs_out, self._client, one.id) if one and one.is_running else Evidence.runs_out,
            was_stopped=was_stopped(self._client, one.id, epoch_seconds(one.started_at)) if one else False,
            health_seconds=partial(time_health, self._client, one) if one else Evidence.health_seconds,
            has=partial(is_there, self._client, one.id) if one else Evidence.has,
            holder_of=self._holder_of,
            in_image=partial(self._is_in_image, one.image_id) if one else Evidence.in_image,
        )

    def _is_in_image(self, image_id: str, path: str) -> bool:
        """Whether the image has a path, whatever is mounted over it in a container."""
        with suppress(EngineError), closed_container(self._client, image_id) as container_id:
            return is_there(self._client, container_id, path) is True
        return False

    def _holder_of(self, number: int) -> Holder | None:
        return find_holder(self._client, Port(WILDCARDS[0], number, number))

    def _networks(self, container: Container) -> dict[str, bool]:
        found = {}
        for name in container.networks:
            with suppress(NotInEngine):
                found[name] = bool(self._client.api.inspect_network(name).get("Internal"))
        return found

    def _deaths(self, container: Container) -> tuple[int, ...]:
        now = time.time()
        return tuple(read_deaths(self._client, container.id, max(now - DEATHS_SECONDS, telling_since(container)), now))

    def _holders(self, result: ServiceResult) -> Iterator[tuple[Port, Holder]]:
        # It has its ports: the holder would be Docker's proxy for it.
        if result.container and result.container.is_running:
            return
        for port in self._project.services[result.service].ports:
            holder = find_holder(self._client, port)
            if holder and not is_own(self._project, holder):
                yield port, holder

    def _missing_images(self, result: ServiceResult) -> Iterator[str]:
        """The missing image of the service, else the missing bases below it."""
        if all(check.is_ok for check in result.checks if check.link == "image"):
            return
        name = result.service
        yield self._project.services[name].image
        if self._project.services[name].is_built:
            below = [one.tag for one in self._project.with_parents([self._project.image(name).name])[:-1]]
            here = images.find_all(below)
            yield from (tag for tag in below if tag not in here)

    @cached_property
    def _declared_networks(self) -> dict[str, tuple[str, bool]]:
        """Network of the Compose file → its real name, and whether it is external; costs a run of Compose."""
        # The real name may come from a variable, which only Compose fills in.
        argv = self._project.compose("config", "--format", "json")
        said = command.run(argv, cwd=self._project.root, env=self._project.environment)
        networks = (json.loads(said.stdout).get("networks") or {}) if said.ok else {}
        return {key: (one.get("name", key), bool(one.get("external"))) for key, one in networks.items()}

    def _missing_networks(self, service: Service, result: ServiceResult) -> Iterator[str]:
        one = result.container if result.container and result.container.is_running else None
        # One that runs has its networks unless a link says otherwise.
        if one and all(check.is_ok for check in result.checks if check.link == "network"):
            return
        known = self._declared_networks
        wanted = [known[key] for key in declared_networks(service) if key in known]
        if one:
            yield from (name for name, _ in wanted if name not in one.networks)
        # What does not run lacks external ones only: Compose makes the project's own.
        elif external := [name for name, is_external in wanted if is_external]:
            here = {found["Name"] for found in self._client.api.networks()}
            yield from (name for name in external if name not in here)


def telling_since(container: Container) -> float:
    """The epoch second from which on its log and its ends explain its state: those of a loop lie in the runs before."""
    return 0.0 if is_looping(container) else epoch_seconds(container.started_at)


def _builder(project: Project, service: str) -> str:
    """What to build for a service."""
    image = None if project.services[service].declares_build else project.image_of(project.services[service])
    return image.name if image else service
