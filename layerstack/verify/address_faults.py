"""A service that uses a wrong address: its variables compared with the services, networks and ports."""

import re
from collections.abc import Collection, Iterable

from layerstack.engine.container import Container
from layerstack.moment import epoch_seconds
from layerstack.project.addresses import Reference, references
from layerstack.project.declaration import find_declaration
from layerstack.project.dependency import dependencies
from layerstack.run.declared import in_brackets, place_or
from layerstack.run.fault import Fault, FaultKind
from layerstack.verify.connection_words import (
    ABOUT_CONNECTIONS,
    LOST,
    NO_NAME_SERVER,
    NOT_RESOLVED,
    REFUSED,
    TIMED_OUT,
    UNREACHED,
)
from layerstack.verify.evidence import Evidence, Rule, may_set_up
from layerstack.verify.listening import Listener
from layerstack.verify.network_faults import extra_hosts, networking, outside_host, owner_of
from layerstack.verify.written_address import LOOPBACK, find_written, listening_at, written_at
from layerstack.wording import nearest

# `pg_isready -p 5432`
NUMBER = re.compile(r"\d{2,5}")
# A server that was started less than this before may not have listened yet.
EARLY_SECONDS = 20.0
# One that ran this long before had found what it needs.
RAN_SECONDS = 10.0
HOST_AT_END = re.compile(r"[:/?#]")
# `localhost:5432`, `[::1]:5432`
LOCAL_NAME = re.compile(r"(?<![\w.-])localhost(?::(\d+))?|\[::1\](?::(\d+))?")
# `connect ECONNREFUSED 127.0.0.1:5432`
OWN_ADDRESS = re.compile(r"(?<![\w.])(?:localhost|127\.0\.0\.1|\[?::1\]?):(\d{2,5})\b")


def wrong_address(seen: Evidence) -> Fault | None:
    """The first variable whose address cannot be right; one that the service itself complains about counts first."""
    one = seen.container
    # A check without an answer may be one that waits for an address.
    said = (seen.text, *(check.detail for check in seen.result.failed))
    if one is None or not any(map(ABOUT_CONNECTIONS.search, said)):
        return None
    named = sorted(references(one.environment, seen.hosts), key=lambda found: not seen.tells_of(found.host))
    problems = ((found, _problem(seen, found)) for found in named)
    # Before the ports are compared: without a network in common even the right port is not reached.
    if fault := next(filter(None, (networking(seen, one, found) for found in named)), None):
        return fault
    found, problem = next(((found, problem) for found, problem in problems if problem), (None, None))
    if found is None or problem is None:
        return _wrongly_written(seen, {reference.host for reference in named})
    kind, words = problem
    # The fault is the other service's: its program is changed, and both are started anew.
    if kind in ("listens-on-loopback", "port-unreachable"):
        owner = owner_of(seen, found.host) or found.host
        unless = "" if kind == "listens-on-loopback" else ", unless it is still setting itself up"
        change = f"let the program of {owner} listen on 0.0.0.0 ({environment_of(seen, owner)}){unless}"
        return Fault(kind, words, f"invoke up {owner} {seen.name}", change)
    # Where `DB_PORT` stands beside `DB_HOST`, it is the one to correct.
    variable = (kind == "wrong-port" and found.port_variable) or found.variable
    # A container keeps the values that it was made with: the file may be right already, and only not applied.
    wanted = (seen.service.definition.get("environment") or {}).get(variable)
    if wanted is not None and str(wanted) != one.environment[variable]:
        return Fault(kind, f"{words}; the Compose file now has another address", seen.up)
    part = str(found.port) if kind == "wrong-port" and variable == found.variable else found.host
    return Fault(kind, words, seen.up, f"correct {seen.variable(variable, part)}")


def _wrongly_written(seen: Evidence, told: Collection[str]) -> Fault | None:
    """An address that stands in a command, in settings or in code; `told` are the hosts that variables name."""
    for written in find_written(seen):
        found = written.address
        if seen.container and found.variable and (apart := networking(seen, seen.container, found)):
            return apart
        problem = _problem(seen, found) if found.host not in told else None
        # An address of its own is left to `asks_itself`, which follows this rule.
        if problem is None or problem[0] not in ("unknown-host", "wrong-port"):
            continue
        kind, words = problem
        where = found.variable or f"that name in the program or the settings of {seen.name}"
        return Fault(kind, words if found.variable else f"its program{words}", written.again, f"correct {where}")
    return None


def asks_itself(seen: Evidence) -> Fault | None:
    """It complains of an address of its own container that no variable names: a variable is missing."""
    # A server that says where it listens names its own address as well.
    complaints = filter(ABOUT_CONNECTIONS.search, seen.lines_with(OWN_ADDRESS))
    match = next(map(OWN_ADDRESS.search, complaints), None)
    # Of a program that is gone nothing listens any more.
    listeners = () if seen.has_ended else seen.listeners
    if match is None or listeners is None or seen.container is None:
        return None
    port = int(match[1])
    if _on(listeners, port) or not (owner := _owner(seen, port)):
        return None
    named = {seen.hosts.get(one.host) for one in references(seen.container.environment, seen.hosts)}
    if owner in named:
        return None
    words = (
        f"asks {match[0]}, which is {seen.name} itself; port {port} belongs to {owner}, "
        f"and no variable of {seen.name} names {owner}"
    )
    empty = _empty_variable(seen)
    written = written_at(seen, match[0].rpartition(":")[0], port)
    # In code it may be the default for a variable that is empty.
    if written.address.variable and not empty:
        change = f"write {owner} for {written.address.host} in {written.address.variable}"
        return Fault("address-of-itself", words, written.again, change)
    return Fault("variable-missing", words, seen.up, empty or environment_of(seen))


def health_check_address(seen: Evidence) -> Fault | None:
    """A health check that asks where its own program does not listen."""
    one = seen.container
    if one is None or one.health in ("", "healthy") or not seen.listeners:
        return None
    # What it says of anything else has another cause; many say nothing.
    if one.health_output and not REFUSED.search(one.health_output):
        return None
    match = next((found for word in one.health_command if (found := LOCAL_NAME.search(word))), None)
    if match is None:
        return None
    # `http://localhost/health` names no port.
    port = int(match[1] or match[2] or 80)
    listening = _on(seen.listeners, port)
    # BusyBox's wget asks ::1 for localhost, which a program that listens on IPv6 answers.
    if not listening or any(found.is_ipv6 for found in listening):
        return None
    words = (
        f"its health check asks {match[0]}, which is ::1 first, and the program listens on IPv4 only "
        f"({listening[0].ip}:{port}): it should ask 127.0.0.1"
    )
    change = f"write 127.0.0.1 for localhost in {seen.in_health_check(match[0])}"
    return Fault("health-check-wrong-address", words, seen.up, change)


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
            # Where no setting has the address, the code has it.
            written = None if _is_set(seen) else listening_at(seen)
            if written:
                change = f"write 0.0.0.0 in {written.address.variable}"
                return Fault("listens-on-loopback", words, written.again, change)
            change = f"make its program listen on 0.0.0.0 ({environment_of(seen)})"
            return Fault("listens-on-loopback", words, seen.up, change)
    return None


def _is_set(seen: Evidence) -> bool:
    """Whether a variable or the command of the service names a loopback address, by itself or with a port."""
    one = seen.container
    return one is not None and any(LOOPBACK.search(text) for text in (*one.environment.values(), *one.argv))


def _problem(seen: Evidence, reference: Reference) -> tuple[FaultKind, str] | None:
    if reference.is_own_host:
        return _own_host(seen, reference)
    owner = owner_of(seen, reference.host)
    if owner is None:
        return _unknown_host(seen, reference)
    peer = seen.peers.get(owner)
    # What does not run has a fault of its own, and nothing is known of its ports.
    if peer is None or owner == seen.name:
        return None
    listening = seen.peer_listeners.get(owner)
    # Not yet where it will be, as long as it is on its way up.
    there = _on(listening or (), reference.port or 0)
    if reference.port and there and all(one.is_loopback for one in there) and REFUSED.search(seen.text):
        words = f"{reference.variable} names {owner}:{reference.port}, and {owner} listens there on {there[0].ip} only"
        # A database makes its data on loopback first: while it may do that, the kind is one that can be a consequence.
        is_set_up = peer.health != "starting" and not may_set_up(peer)
        return ("listens-on-loopback", words) if is_set_up else ("port-unreachable", f"{words} so far")
    is_up = peer.health != "starting" or _is_checked(peer, listening or ())
    if reference.port is None or not listening or there or not is_up:
        return None
    ports = ", ".join(str(port) for port in sorted({one.port for one in listening if not one.is_loopback}))
    variable = reference.port_variable or reference.variable
    return "wrong-port", f"{variable} names port {reference.port} of {owner}, which listens on {ports or 'none'}"


def _is_checked(peer: Container, listening: Iterable[Listener]) -> bool:
    """Whether it listens already where its own health check asks."""
    asked = NUMBER.findall(" ".join(peer.health_command))
    return any(str(one.port) in asked for one in listening)


def too_early(seen: Evidence) -> Fault | None:
    """It ended because a service that it needs was not there yet, and the address is right."""
    one, said = seen.container, seen.last_error
    # A host outside the project is not started by anybody here, early or late, and in its own container is no other.
    is_refused = bool(REFUSED.search(said) or NOT_RESOLVED.search(said)) and not OWN_ADDRESS.search(said)
    if one is None or one.is_running or not is_refused or outside_host(seen, said):
        return None
    for name in (owner for owner in _needs(seen) if owner in seen.peers):
        peer = seen.peers[name]
        early = epoch_seconds(one.finished_at) - epoch_seconds(peer.started_at)
        # Before the other one, or just after it.
        if peer.health != "starting" and abs(early) >= EARLY_SECONDS:
            continue
        where = in_brackets(seen.declared("depends_on") or seen.declared())
        wait = f"let it wait: `depends_on: {{{name}: {{condition: service_healthy}}}}`{where}"
        # `service_healthy` needs a health check to wait for.
        change = wait if peer.health else f"give {name} a health check and {wait}"
        return Fault("crashed", f"was started before {name} was ready: {said}", seen.up, change)
    return None


def lost_connection(seen: Evidence) -> Fault | None:
    """It ended because a service that it was connected to was started anew, as `up` does after a change."""
    one = seen.container
    is_lost = LOST.search(seen.last_error) is not None
    # One that connects anew for each request finds nobody meanwhile; Node.js tells why only below its error.
    is_cut = TIMED_OUT.search(seen.last_error) is not None or seen.line_with(UNREACHED) is not None
    if one is None or not seen.has_ended or not (is_lost or is_cut):
        return None
    began = epoch_seconds(one.started_at)
    for name in (owner for owner in _needs(seen, is_waited_for=True) if owner in seen.peers):
        since = epoch_seconds(seen.peers[name].started_at)
        # Its connection ended while the other one was away: after its own start, and just before that of the other.
        is_older = began < since - (0 if is_lost else RAN_SECONDS)
        if is_older and abs(epoch_seconds(one.finished_at) - since) < EARLY_SECONDS:
            words = f"ended when {name}, which it was connected to, was started anew: {seen.last_error}"
            return Fault("crashed", words, "invoke up")
    return None


def _needs(seen: Evidence, is_waited_for: bool = False) -> list[str]:
    """The services that it is known to use: named by its variables or its complaints, or depended on."""
    named = [owner_of(seen, one.host) for one in references(seen.environment, seen.hosts)]
    written = [owner_of(seen, one.address.host) for one in find_written(seen)]
    every = dict.fromkeys([*named, *written, *dependencies(seen.service)])
    waits = dependencies(seen.service)
    # For one that it waits for as healthy it was not started too early.
    wanted = [name for name in every if name and name != seen.name]
    return [name for name in wanted if is_waited_for or waits.get(name) != "service_healthy"]


def _own_host(seen: Evidence, reference: Reference) -> tuple[FaultKind, str] | None:
    if reference.port is None or seen.listeners is None or _on(seen.listeners, reference.port):
        return None
    owner = _owner(seen, reference.port)
    # An address for browsers, such as an allowed origin, names localhost rightly.
    is_named = re.search(rf":{reference.port}\b", seen.text)
    if not (is_named or (owner and owner in dependencies(seen.service))):
        return None
    better = f"; {owner} serves port {reference.port}" if owner else ""
    return "address-of-itself", f"{reference.variable} names {reference.host}, which is {seen.name} itself{better}"


def _unknown_host(seen: Evidence, reference: Reference) -> tuple[FaultKind, str] | None:
    is_outside = "." in reference.host
    if is_outside and NO_NAME_SERVER.search(seen.text):
        return None  # whether the name is right is not known then
    is_named, is_unresolved = seen.tells_of(reference.host), bool(NOT_RESOLVED.search(seen.text))
    # An outside name may exist: it counts only where the complaint names it and says that it is not found.
    if reference.host in extra_hosts(seen) or not (
        is_named and is_unresolved if is_outside else is_named or is_unresolved
    ):
        return None
    value = seen.environment.get(reference.variable, "")
    # The last @ ends the credentials: an earlier one, or a `/` or `#`, is of the password.
    if value.count("@") > 1 and HOST_AT_END.split(value.rpartition("@")[2], maxsplit=1)[0] in seen.hosts:
        words = "has a password with signs of an address in it (such as @ / #), which end it too early"
        return "variable-wrong", f"{reference.variable} {words}: take one of letters and digits, or write %40 for @"
    near = nearest(reference.host, sorted(seen.hosts))
    better = near if near else _owner(seen, reference.port) if reference.port else _only_need(seen)
    hint = f" (did you mean {better}?)" if better else ""
    nobody = "a host that cannot be found" if is_outside else "and no service of this project has that name"
    return "unknown-host", f"{reference.variable} names the host {reference.host}, {nobody}{hint}"


def _only_need(seen: Evidence) -> str | None:
    """What it depends on, if that is one service which no variable names."""
    named = {seen.hosts.get(one.host) for one in references(seen.environment, seen.hosts)}
    needs = [name for name in dependencies(seen.service) if name not in named]
    return needs[0] if len(needs) == 1 else None


def _owner(seen: Evidence, port: int) -> str | None:
    """The other service whose program listens on this port."""
    named = (name for name, found in seen.peer_listeners.items() if found and _on(found, port) and name != seen.name)
    return next(named, None)


def _on(listening: Iterable[Listener], port: int) -> list[Listener]:
    return [one for one in listening if one.port == port]


def _empty_variable(seen: Evidence) -> str:
    for variable, value in seen.environment.items():
        declared = seen.declared("environment", variable) if not value else None
        if declared and declared.bare_variables:
            return f"set {' and '.join(declared.bare_variables)} in .env ({declared.place})"
    return ""


def environment_of(seen: Evidence, name: str = "") -> str:
    """Where variables of a service are added, of the broken one without a `name`."""
    name = name or seen.name
    where = place_or(find_declaration(seen.project, name), seen.project.compose_files[0].name)
    return f"the environment of {name} in {where}"


RULES: tuple[Rule, ...] = (health_check_address, wrong_address, asks_itself, lost_connection, too_early)
