"""Which files a container's processes load once, and whether anything loads them again."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

# Program → endings of the files that it reads at its start and then keeps. What reads its files on every request, as
# PHP and static servers do, is not here.
LOADED_ONCE = {
    "python": (".py",),
    "gunicorn": (".py",),
    "uvicorn": (".py",),
    "hypercorn": (".py",),
    "celery": (".py",),
    "flask": (".py",),
    "node": (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx"),
    "deno": (".js", ".mjs", ".ts", ".jsx", ".tsx"),
    "bun": (".js", ".mjs", ".cjs", ".ts", ".jsx", ".tsx"),
    "ruby": (".rb",),
    "puma": (".rb",),
    "java": (".jar", ".class"),
    "perl": (".pl", ".pm"),
    "nginx": (".conf",),
    "httpd": (".conf",),
    "apache2": (".conf",),
    "haproxy": (".cfg",),
    "redis-server": (".conf",),
}
_RELOADS = re.compile(
    r"--watch\b|--reload\b|--hot\b|flask.* --debug\b|manage\.py runserver(?!.*--noreload)|webpack serve|tsx watch|"
    r"(next|nuxt|astro) dev|"
    r"(^|[\s/])(vite|nodemon|ts-node-dev|watchfiles|watchmedo|webpack-dev-server|rerun|guard)(\.\w+)?(\s|$)"
)
_RELOADING_VARIABLE = re.compile(
    r"^(FLASK_DEBUG=(1|true)$|UVICORN_RELOAD=|GUNICORN_CMD_ARGS=.*--reload)", re.IGNORECASE
)


@dataclass(frozen=True)
class Processes:
    """Command lines of everything that runs in a container, and its environment as `NAME=value` lines."""

    commands: tuple[str, ...]
    environment: tuple[str, ...] = ()

    @property
    def reload(self) -> bool:
        """Whether something here watches its files."""
        return any(_RELOADS.search(one) for one in self.commands) or any(
            _RELOADING_VARIABLE.match(one) for one in self.environment
        )

    @property
    def loaded_once(self) -> tuple[str, ...]:
        """Endings of the files that the programs here load at their start only; empty when something reloads them."""
        if self.reload:
            return ()
        return tuple(sorted({ending for one in self.commands for ending in _endings(one)}))


def read_processes(client: Any, container_id: str, environment: Iterable[str]) -> Processes:
    """What runs in a container; nothing when the engine cannot tell."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        table = client.api.top(container_id, ps_args="-o pid,args")
    except (DockerException, RequestException):
        return Processes(())
    rows: Sequence[Sequence[str]] = table.get("Processes") or ()
    return Processes(tuple(row[-1] for row in rows), tuple(environment))


def _endings(command: str) -> Iterable[str]:
    """A script's interpreter and the script itself stand in the first two words: `python3.9 /opt/venv/bin/gunicorn`."""
    names = (PurePosixPath(word.rstrip(":")).name for word in command.split()[:2])
    programs = (re.sub(r"[\d.]+$", "", name) for name in names)
    return [ending for program in programs for ending in LOADED_ONCE.get(program, ())]
