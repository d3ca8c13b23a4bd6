"""Addresses of other servers in a container's environment: URLs, and hosts with or without a port."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

# `mongodb://user:word@db:27017/app`
URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:(?P<user>[^\s:@/]*)(?P<password>:[^\s@/]*)?@)?(?P<hosts>[^\s/?#\"'`]+)",
    re.IGNORECASE,
)
# `REDIS_HOST`, `SERVER`
HOST_VARIABLE = re.compile(r"(^|_)(HOST|SERVER|ADDR|ADDRESS)$")
# `cache:6379`
HOST_VALUE = re.compile(r"^[A-Za-z0-9][\w.-]*(:\d+)?$")
# A proxy serves the outside world; what it names is nobody's dependency.
PROXY = re.compile(r"proxy$", re.IGNORECASE)
DEFAULT_PORTS = {
    **{"http": 80, "https": 443, "mongodb": 27017, "postgres": 5432, "postgresql": 5432, "mysql": 3306},
    **{"mariadb": 3306, "redis": 6379, "amqp": 5672, "nats": 4222, "memcached": 11211},
}


@dataclass(frozen=True)
class Reference:
    """`variable` names `host`; `port` is None when neither it, its scheme nor a variable of its own says one."""

    variable: str
    host: str
    port: int | None
    has_credentials: bool = False
    port_variable: str = ""

    @property
    def is_own_host(self) -> bool:
        """Whether it refers to the container itself."""
        return self.host == "localhost" or self.host.startswith("127.") or self.host == "::1"


def references(environment: Mapping[str, Any], names: Iterable[str]) -> tuple[Reference, ...]:
    """All addresses in these variables, in order; `names` are hosts that also count outside a URL."""
    known = frozenset(names)
    found = []
    for variable, value in environment.items():
        if value and not PROXY.search(variable):
            found += list(_in_urls(variable, str(value))) or list(_as_host(variable, environment, known))
    return tuple(found)


def names_of(name: str, definition: Mapping[str, Any]) -> frozenset[str]:
    """The host names of a service on its networks."""
    networks = definition.get("networks") or {}
    aliases = [alias for one in networks.values() for alias in (one or {}).get("aliases") or ()]
    own = (definition.get("container_name"), definition.get("hostname"))
    return frozenset((name, *aliases, *(str(one) for one in own if one)))


def _in_urls(variable: str, value: str) -> Iterator[Reference]:
    for match in URL.finditer(value):
        # `postgresql+asyncpg` has the port of `postgresql`.
        default = DEFAULT_PORTS.get(match["scheme"].lower().partition("+")[0])
        # A replica set names several hosts in one URL.
        for host in match["hosts"].split(","):
            yield _reference(variable, host, default, match["password"] is not None)


def _as_host(variable: str, environment: Mapping[str, Any], known: frozenset[str]) -> Iterator[Reference]:
    value = str(environment[variable])
    # Any word looks like a host: it counts where a service has that name, or where the variable's name says so.
    is_host = HOST_VALUE.match(value) and (value.partition(":")[0] in known or HOST_VARIABLE.search(variable))
    if not is_host:
        return
    found = _reference(variable, value, None, False)
    # `DB_HOST` and `DB_PORT`; `HOST` and `PORT` alone are where the program itself listens.
    beside = HOST_VARIABLE.sub(r"\1PORT", variable)
    port = str(environment.get(beside) or "")
    if found.port is None and beside not in (variable, "PORT") and port.isdigit():
        found = replace(found, port=int(port), port_variable=beside)
    yield found


def _reference(variable: str, host: str, default: int | None, has_credentials: bool) -> Reference:
    if host.startswith("["):
        name, _, port = host[1:].partition("]")
        port = port.lstrip(":")
    else:
        name, _, port = host.partition(":")
    return Reference(variable, name, int(port) if port.isdigit() else default, has_credentials)
