"""Gathers all evidence on a broken service before it is judged."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from layerstack import command
from layerstack.dockerfile.image import Image
from layerstack.engine import images
from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container, Mount, read_deaths, read_log, was_stopped
from layerstack.engine.files import is_there
from layerstack.engine.image_tree import closed_container
from layerstack.engine.inside import stopped_programs
from layerstack.engine.place import WILDCARDS, EnginePlace
from layerstack.engine.ports import Holder, find_container, find_holder
from layerstack.errors import EngineError, NotInEngine
from layerstack.moment import epoch_seconds
from layerstack.project.compose_source import Declaration
from layerstack.project.declaration import find_declaration, find_text, how_to_change
from layerstack.project.project import Port, Project, Service
from layerstack.run.cause import find_cause
from layerstack.run.conflict import NameHolder, find_name_holder, is_own
from layerstack.run.declared import place_or
from layerstack.run.fault import Fault
from layerstack.run.health import TOLERATED_CRASHES, renew
from layerstack.run.own_file import find_own, own_name, renewal
from layerstack.verify.check_graph import service_names
from layerstack.verify.dial import runs_out
from layerstack.verify.examination import ServiceResult
from layerstack.verify.health_probe import time_health
from layerstack.verify.last_words import ERROR, last_error, texts_of, without_warnings
from layerstack.verify.listening import Listener, read_listeners
from layerstack.verify.state_links import declared_networks, is_first_start
from layerstack.wait import ask_all

LOG_LINES = 40
SHOWN_LOG_LINES = 5
# Deaths longer ago say little about the fault of now.
DEATHS_SECONDS = 900.0
# Nobody says when a service without a health check is ready: this long a failed check may be its start.
YOUNG_SECONDS = 15.0
# So long a database may make its data on loopback, although its own health check passes.
SET_UP_SECONDS = 60.0


@dataclass(frozen=True)
class Evidence:
    """One broken service. `listeners` are None where they cannot be seen, `stopped` are programs halted by a signal.

    `deaths` are the exit codes of its last runs, -1 for an out-of-memory kill; `was_stopped` when somebody has ended
    the last one. `networks` are those that it is on, and whether they are internal, `missing_networks` those that it
    should be on and is not, or that do not exist. `peers` are all running containers of the project by service, `hosts`
    maps host names to services, `unbuilt` are all services whose image is to be built, `cause` is what the files of its
    container tell. At its `is_first_start` none of its volumes is older than its container.

    What is tried only when a rule asks: `runs_out` a TCP connection from inside the container, `has` a path in it (None
    where that cannot be told), `health_seconds` how long its health check takes to pass, `holder_of` what has a port of
    this machine, `in_image` whether its image has a path that a mount may hide.
    """

    project: Project
    service: Service
    result: ServiceResult
    log: tuple[str, ...] = ()
    deaths: tuple[int, ...] = ()
    stopped: tuple[str, ...] = ()
    listeners: tuple[Listener, ...] | None = None
    holders: tuple[tuple[Port, Holder], ...] = ()
    missing_images: tuple[str, ...] = ()
    unbuilt: tuple[str, ...] = ()
    missing_networks: tuple[str, ...] = ()
    networks: Mapping[str, bool] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    peers: Mapping[str, Container] = field(default_factory=dict)
    peer_listeners: Mapping[str, tuple[Listener, ...] | None] = field(default_factory=dict)
    is_newest: bool = True
    cause: Fault | None = None
    name_holder: NameHolder | None = None
    is_first_start: bool = False
    was_stopped: bool = False
    runs_out: Callable[[str, int], bool] = lambda _host, _port: False
    health_seconds: Callable[[], float | None] = lambda: None
    has: Callable[[str], bool | None] = lambda _path: None
    holder_of: Callable[[int], Holder | None] = lambda _port: None
    in_image: Callable[[str], bool] = lambda _path: False

    @property
    def name(self) -> str:
        return self.service.name

    @property
    def container(self) -> Container | None:
        return self.result.container

    @property
    def mounts(self) -> tuple[Mount, ...]:
        return self.container.mounts if self.container else ()

    @property
    def environment(self) -> Mapping[str, str]:
        return self.container.environment if self.container else {}

    @property
    def argv(self) -> tuple[str, ...]:
        return self.container.argv if self.container else ()

    @property
    def user(self) -> str:
        return self.container.user if self.container else ""

    @property
    def as_user(self) -> str:
        return f" as the user {self.user}" if self.user else ""

    @property
    def image(self) -> Image | None:
        """The image of the project that it runs."""
        return self.project.image_of(self.service)

    @property
    def up(self) -> str:
        return f"invoke up {self.name}"

    @property
    def anew(self) -> str:
        """The command that makes its container anew, where `up` would keep it."""
        # Compose hands anonymous volumes on with the data in them; those of a removed container it would not find.
        if any(mount.is_anonymous for mount in self.mounts):
            return self.project.compose_line("up", "--detach", "--force-recreate", "--no-deps", self.name)
        return f"docker rm -f {self.container.name} && {self.up}" if self.container else self.up

    @property
    def logs(self) -> str:
        return f"invoke logs {self.name}"

    @property
    def again(self) -> str:
        """The command after a correction of its command or image."""
        return renew(self.name, self.service.is_built)

    def declared(self, *keys: str) -> Declaration | None:
        """Where a Compose file declares this of it."""
        return find_declaration(self.project, self.name, *keys)

    def written(self, key: str, word: "str | re.Pattern[str]") -> Declaration | None:
        """The line below one of its keys that contains a word, or what a pattern finds."""
        return find_text(self.project, self.name, key, word)

    def variable(self, name: str) -> str:
        """Where one of its variables is changed."""
        return how_to_change(name, self.declared("environment", name))

    def in_health_check(self, word: str) -> str:
        return place_or(self.written("healthcheck", word), f"the health check of {self.name}")

    def place_of(self, mount: Mount) -> str:
        written = self.written("volumes", mount.target) or self.written("tmpfs", mount.target)
        return place_or(written, f"the volumes of {self.name}")

    @property
    def oom_kills(self) -> int:
        return self.deaths.count(-1)

    @property
    def last_exit(self) -> int | None:
        """The exit code of its last run, also while a loop runs it again; None when it is not known."""
        if self.container and not self.container.is_running:
            return self.container.exit_code
        # While a program runs, its state has no exit code: only the engine's events still know the last one.
        return next((code for code in reversed(self.deaths) if code >= 0), None)

    @property
    def has_ended(self) -> bool:
        """Whether its program is gone, and nothing starts it again."""
        return self.container is not None and self.container.status in ("exited", "dead")

    @property
    def is_starting(self) -> bool:
        """Is it still on its way up: by Docker's word, or by its age where no health check says when it is ready?"""
        one = self.container
        is_young = one is not None and one.is_running and not one.health and one.uptime_seconds < YOUNG_SECONDS
        return is_young or self.result.verdict.phase == "waiting"

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """What it said to its failed checks and its last health check; words of verify itself are none."""
        said = [check.answer for check in self.result.failed if check.answer]
        health = self.container.health_output if self.container else ""
        return tuple(dict.fromkeys([*said, *([health] if health and self.container_is_bad else [])]))

    @cached_property
    def last_error(self) -> str:
        """The error that its last run ended with, as it wrote it; "" while it is well or has written nothing."""
        one = self.container
        is_over = one is not None and (not one.is_running or is_looping(one))
        return last_error(self.log) if is_over else ""

    @cached_property
    def plain_log(self) -> tuple[str, ...]:
        """Its log with the texts of JSON lines in their place, line by line."""
        return tuple(texts_of(self.log))

    @property
    def container_is_bad(self) -> bool:
        return self.container is not None and self.container.health != "healthy"

    @cached_property
    def told(self) -> tuple[str, ...]:
        """Its log, without warnings where it has ended with an error that it names: they did not end it."""
        return without_warnings(self.log) if ERROR.match(self.last_error) else self.log

    @cached_property
    def text(self) -> str:
        """Answers and log in one."""
        return "\n".join((*self.answers, *self.told, self.container.error if self.container else ""))

    def tells_of(self, host: str) -> bool:
        """Whether it names this host: `mail` is none in `emails`, and `db` none in `db.example.com`."""
        return names_host(self.text, host)

    @property
    def is_on_its_way(self) -> bool:
        """Whether its program is still starting, and no earlier run tells more: its complaints may then pass."""
        one = self.container
        # A service that answers is up, although its health check still says `starting`.
        has_answered = any(check.answer for check in self.result.failed)
        return one is not None and one.is_running and not is_looping(one) and self.is_starting and not has_answered

    @property
    def last_words(self) -> tuple[str, ...]:
        """Its responses, and the end of its log if it failed: a working service logs minor trouble, too."""
        is_failed = self.result.verdict.phase != "ready" and not self.is_on_its_way
        log = tuple(reversed(self.told)) if is_failed else ()
        return (*self.answers, *log, self.container.error if self.container else "")

    def lines_with(self, pattern: "re.Pattern[str]") -> Iterator[str]:
        """The matching lines: responses before the log, the log from its end."""
        error = self.container.error if self.container else ""
        # During a start `connection refused, trying again` is no complaint yet.
        log = () if self.is_on_its_way else reversed(self.told)
        yield from (text for text in (*self.answers, *log, error) if pattern.search(text))

    def line_with(self, pattern: "re.Pattern[str]") -> "re.Match[str] | None":
        """The first matching line."""
        return next((pattern.search(text) for text in self.lines_with(pattern)), None)

    def mount_at(self, path: str) -> Mount | None:
        return self.container.mount_at(path) if self.container else None

    def own_file(self, path: str) -> Path | None:
        """The project's own file at a path of the container (see find_own)."""
        return find_own(self.project, self.service, self.container, path)

    def own_name(self, path: str) -> str:
        """The name of a file of the container as the project calls it."""
        return own_name(self.project, self.service, self.container, path)

    def renewal(self, path: str) -> str:
        """What runs the corrected file at a path of the container."""
        return renewal(self.service, self.container, path)

    def facts(self) -> dict[str, Any]:
        """The evidence as JSON."""
        one = self.container
        state = {}
        if one:
            state = {
                "exit_code": None if one.is_running else one.exit_code,
                "oom_killed": one.is_oom_killed or self.oom_kills > 0,
                "restart_count": one.restart_count,
                "health_output": one.health_output,
            }
        return {
            **state,
            "log": list(self.log[-SHOWN_LOG_LINES:]),
            "stopped_programs": list(self.stopped),
            "port_holders": [{"port": port.published, "holder": holder.words} for port, holder in self.holders],
        }


Rule = Callable[[Evidence], Fault | None]


def names_host(text: str, host: str) -> bool:
    return bool(re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w-]|\.\w)", text))


def may_set_up(container: Container) -> bool:
    """May it still make its data? A database does that on loopback first, and its own health check may pass then."""
    return 0 < container.uptime_seconds < SET_UP_SECONDS and any(mount.is_writable for mount in container.mounts)


def is_looping(container: Container) -> bool:
    """Has the engine itself started it again, more than once?"""
    return container.restart_count > TOLERATED_CRASHES


def telling_since(container: Container) -> float:
    """The epoch second from which on its log and its ends explain its state: those of a loop lie in the runs before."""
    return 0.0 if is_looping(container) else epoch_seconds(container.started_at)


class Lookout:
    """Looks at the containers of one project; what several services need is looked at once."""

    def __init__(
        self,
        client: EngineClient,
        project: Project,
        results: Sequence[ServiceResult],
        engine_place: EnginePlace = EnginePlace(),  # noqa: B008
        containers: Mapping[str, Sequence[Container]] = MappingProxyType({}),
    ) -> None:
        self._client, self._project, self._place = client, project, engine_place
        self._hosts = service_names(project)
        # What nobody asked about may be what the others use: `found` has all containers of the project.
        every = {name: ones[0] for name, ones in containers.items() if ones and name in project.services}
        every |= {one.service: one.container for one in results if one.container}
        self._peers = {name: one for name, one in every.items() if one.is_running}
        lacking = [one.service for one in results if any(check.link == "image" for check in one.failed)]
        self._unbuilt = tuple(name for name in lacking if project.services[name].is_built)
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
        # The programs of another machine are not to be seen from here.
        find = find_container if self._place.is_remote else find_holder
        return find(self._client, Port(WILDCARDS[0], number, number))

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
            find = find_container if self._place.is_remote else find_holder
            holder = find(self._client, port)
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
