"""A service that uses a wrong address: its variables compared with the services, networks and ports."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from layerstack.project.addresses import Reference, references
from layerstack.project.declaration import find_declaration, find_text, how_to_change
from layerstack.project.dependency import dependencies
from layerstack.run.fault import Fault, FaultKind
from layerstack.verify.evidence import Evidence, Rule, may_set_up
from layerstack.verify.listening import Listener
from layerstack.verify.network_faults import NO_NAME_SERVER, extra_hosts, networking, owner_of

# Without any such word the service may not have tried the address at all.
CONNECTION_WORDS = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONN|EHOSTUNREACH|ETIMEDOUT|getaddrinfo|resolv|refused|unreachable|connect|time[d ]*out"
    r"|no such host|name or service not known|no answer|not reachable|cannot be reached|\bdown\b|502|503|504",
    re.IGNORECASE,
)
# `getaddrinfo ENOTFOUND dbb`, `Name or service not known`
NOT_RESOLVED = re.compile(
    r"ENOTFOUND|EAI_AGAIN|resolv|no such host|name or service not known|name resolution", re.IGNORECASE
)
REFUSED = re.compile(r"refused", re.IGNORECASE)
# `localhost:5432`, `[::1]:5432`
LOCAL_NAME = re.compile(r"(?<![\w.-])localhost(?::(\d+))?|\[::1\](?::(\d+))?")
# `connect ECONNREFUSED 127.0.0.1:5432`
OWN_ADDRESS = re.compile(r"(?<![\w.])(?:localhost|127\.0\.0\.1|\[?::1\]?):(\d{2,5})\b")


def wrong_address(seen: Evidence) -> Fault | None:
    """The first variable whose address cannot be right; one that the service itself complains about counts first."""
    one = seen.container
    if one is None or not CONNECTION_WORDS.search(seen.text):
        return None
    named = sorted(references(one.environment, seen.hosts), key=lambda found: found.host not in seen.text)
    problems = ((found, _problem(seen, found)) for found in named)
    if fault := next(filter(None, (networking(seen, one, found) for found in named)), None):
        return fault
    found, problem = next(((found, problem) for found, problem in problems if problem), (None, None))
    if found is None or problem is None:
        return None
    kind, words = problem
    if kind in ("listens-on-loopback", "port-unreachable"):
        owner = owner_of(seen, found.host) or found.host
        unless = "" if kind == "listens-on-loopback" else ", unless it is still setting itself up"
        change = f"let the program of {owner} listen on 0.0.0.0 ({_where(seen, owner)}){unless}"
        return Fault(kind, words, f"invoke up {owner} {seen.name}", change)
    declared = find_declaration(seen.project, seen.name, "environment", found.variable)
    wanted = (seen.service.definition.get("environment") or {}).get(found.variable)
    if wanted is not None and str(wanted) != one.environment[found.variable]:
        return Fault(kind, f"{words}; the Compose file now has another address", f"invoke up {seen.name}")
    what = how_to_change(found.variable, declared)
    return Fault(kind, words, f"invoke up {seen.name}", f"correct {what}")


def asks_itself(seen: Evidence) -> Fault | None:
    """It complains of an address of its own container that no variable names: a variable is missing."""
    match = seen.line_with(OWN_ADDRESS)
    if match is None or seen.listeners is None or seen.container is None:
        return None
    port = int(match[1])
    if _on(seen.listeners, port) or not (owner := _owner(seen, port)):
        return None
    named = {seen.hosts.get(one.host) for one in references(seen.container.environment, seen.hosts)}
    if owner in named:
        return None
    words = (
        f"asks {match[0]}, which is {seen.name} itself; port {port} belongs to {owner}, "
        f"and no variable of {seen.name} names {owner}"
    )
    return Fault("variable-missing", words, f"invoke up {seen.name}", _empty_variable(seen) or _where(seen))


def health_check_address(seen: Evidence) -> Fault | None:
    """A health check that asks where its own program does not listen."""
    one = seen.container
    if one is None or one.health in ("", "healthy") or not seen.listeners:
        return None
    match = next((found for word in one.health_command if (found := LOCAL_NAME.search(word))), None)
    if match is None:
        return None
    port = int(match[1] or match[2] or 80)
    listening = _on(seen.listeners, port)
    if not listening or any(found.is_ipv6 for found in listening):
        return None
    words = (
        f"its health check asks {match[0]}, which is ::1 first, and the program listens on IPv4 only "
        f"({listening[0].ip}:{port}): it should ask 127.0.0.1"
    )
    where = find_text(seen.project, seen.name, "healthcheck", match[0])
    change = f"write 127.0.0.1 for localhost in {where.place if where else f'the health check of {seen.name}'}"
    return Fault("health-check-wrong-address", words, f"invoke up {seen.name}", change)


def loopback_only(seen: Evidence) -> Fault | None:
    """A program that only its own container can reach although its port is published."""
    if not seen.listeners or not seen.container or not any(check.is_asked for check in seen.result.failed):
        return None
    # Databases set themselves up on loopback first: an address is a fault only when the start is over.
    if seen.is_starting:
        return None
    for port in seen.container.ports:
        found = _on(seen.listeners, port.target)
        if found and all(one.is_loopback for one in found):
            words = f"listens on {found[0].ip}:{port.target} only: it cannot be reached from outside its container"
            change = f"make its program listen on 0.0.0.0 ({_where(seen)})"
            return Fault("listens-on-loopback", words, f"invoke up {seen.name}", change)
    return None


def _problem(seen: Evidence, found: Reference) -> tuple[FaultKind, str] | None:
    if found.is_own_host:
        return _own_host(seen, found)
    owner = owner_of(seen, found.host)
    if owner is None:
        return _unknown_host(seen, found)
    peer = seen.peers.get(owner)
    if peer is None or owner == seen.name:
        return None
    listening = seen.peer_listeners.get(owner)
    # Not yet where it will be, as long as it is on its way up.
    there = _on(listening or (), found.port or 0)
    if found.port and there and all(one.is_loopback for one in there) and REFUSED.search(seen.text):
        words = f"{found.variable} names {owner}:{found.port}, and {owner} listens there on {there[0].ip} only"
        is_set_up = peer.health != "starting" and not may_set_up(peer)
        return ("listens-on-loopback", words) if is_set_up else ("port-unreachable", f"{words} so far")
    if found.port is None or not listening or there or peer.health == "starting":
        return None
    ports = ", ".join(str(port) for port in sorted({one.port for one in listening if not one.is_loopback}))
    return "wrong-port", f"{found.variable} names port {found.port} of {owner}, which listens on {ports or 'none'}"


def _own_host(seen: Evidence, found: Reference) -> tuple[FaultKind, str] | None:
    if found.port is None or seen.listeners is None or _on(seen.listeners, found.port):
        return None
    owner = _owner(seen, found.port)
    # An address for browsers, such as an allowed origin, names localhost rightly.
    if not (f":{found.port}" in seen.text or (owner and owner in dependencies(seen.service))):
        return None
    better = f"; {owner} serves port {found.port}" if owner else ""
    return "address-of-itself", f"{found.variable} names {found.host}, which is {seen.name} itself{better}"


def _unknown_host(seen: Evidence, found: Reference) -> tuple[FaultKind, str] | None:
    is_outside = "." in found.host
    if is_outside and NO_NAME_SERVER.search(seen.text):
        return None  # whether the name is right is not known then
    is_named, is_unresolved = found.host in seen.text, bool(NOT_RESOLVED.search(seen.text))
    if found.host in extra_hosts(seen) or not (is_named and is_unresolved if is_outside else is_named or is_unresolved):
        return None
    near = get_close_matches(found.host, sorted(seen.hosts), n=1)
    better = near[0] if near else _owner(seen, found.port) if found.port else None
    hint = f" (did you mean {better}?)" if better else ""
    nobody = "a host that cannot be found" if is_outside else "and no service of this project has that name"
    return "unknown-host", f"{found.variable} names the host {found.host}, {nobody}{hint}"


def _owner(seen: Evidence, port: int) -> str | None:
    """The other service whose program listens on this port."""
    named = (name for name, found in seen.peer_listeners.items() if found and _on(found, port) and name != seen.name)
    return next(named, None)


def _on(listening: Iterable[Listener], port: int) -> list[Listener]:
    return [one for one in listening if one.port == port]


def _empty_variable(seen: Evidence) -> str:
    for variable, value in (seen.container.environment if seen.container else {}).items():
        declared = find_declaration(seen.project, seen.name, "environment", variable) if not value else None
        if declared and declared.bare_variables:
            return f"set {' and '.join(declared.bare_variables)} in .env ({declared.place})"
    return ""


def _where(seen: Evidence, name: str = "") -> str:
    found = find_declaration(seen.project, name or seen.name)
    return f"the environment of {name or seen.name} in {found.place if found else seen.project.compose_files[0].name}"


RULES: tuple[Rule, ...] = (health_check_address, wrong_address, asks_itself)
