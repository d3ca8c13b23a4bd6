"""All evidence on a broken service, as the rules ask for it."""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from layerstack.dockerfile.image import Image
from layerstack.dockerfile.recipe import parse_dockerfile
from layerstack.engine.container import Container, Mount
from layerstack.engine.ports import Holder
from layerstack.errors import UsageError
from layerstack.project.compose_source import Declaration
from layerstack.project.declaration import find_declaration, find_text, how_to_change
from layerstack.project.project import Port, Project, Service
from layerstack.run.conflict import NameHolder
from layerstack.run.declared import place_or
from layerstack.run.fault import Fault
from layerstack.run.health import TOLERATED_CRASHES, renew
from layerstack.run.own_file import find_own, own_name, renewal
from layerstack.verify.examination import ServiceResult
from layerstack.verify.last_words import ERROR, last_error, texts_of, without_warnings
from layerstack.verify.listening import Listener

SHOWN_LOG_LINES = 5
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

    def variable(self, name: str, wrong: str = "") -> str:
        """Where one of its variables is changed; `wrong` is the part of its value that is to be corrected."""
        declared = self.declared("environment", name)
        # `postgres://me:${PASSWORD}@dbb:5432/x`: the host stands in this line, and the password is right.
        if declared and wrong and wrong in declared.text:
            return f"{name} in {declared.place}"
        return how_to_change(name, declared)

    def instruction(self, keyword: str) -> str:
        """`Dockerfile:12 (USER)`: the last such line of its image's own Dockerfile; "" for none."""
        if self.image is None:
            return ""
        # Of a Dockerfile that cannot be read nothing is known.
        with suppress(UsageError, ValueError):
            stages = parse_dockerfile(self.project.root, self.image).reachable(self.image.target)
            lines = [one.line for stage in stages for one in stage.instructions if one.keyword == keyword]
            return f"{self.image.dockerfile_place}:{lines[-1]} ({keyword})" if lines else ""
        return ""

    def is_made_by_dockerfile(self, path: str) -> bool:
        """Whether a step of its image's Dockerfile names a path or the name of its file."""
        if self.image is None:
            return False
        with suppress(UsageError, ValueError):
            stages = parse_dockerfile(self.project.root, self.image).stages
            steps = [one for stage in stages for one in stage.instructions if one.keyword in ("RUN", "COPY", "ADD")]
            name, folder = posixpath.basename(path), posixpath.dirname(path)
            return any(name in one.raw or (one.keyword == "RUN" and folder in one.raw) for one in steps)
        return False

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
    def unhealthy(self) -> Container | None:
        """Its container where the health check fails."""
        return self.container if self.container and self.container.health == "unhealthy" else None

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

    def own_text(self, path: str) -> str:
        """What that file holds; "" for none, and for one that cannot be read here."""
        file = self.own_file(path)
        with suppress(OSError):
            return file.read_text(encoding="utf-8", errors="replace") if file else ""
        return ""

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
