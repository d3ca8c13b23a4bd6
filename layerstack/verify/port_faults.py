"""Ports that a service cannot have: taken on this machine, by another service, or inside its own container."""

import re

from layerstack.engine.ports import Holder
from layerstack.project.declaration import source_of
from layerstack.run.conflict import find_shared_ports, freeing, holder_words
from layerstack.run.declared import in_brackets
from layerstack.run.fault import Fault
from layerstack.verify.evidence import Evidence, Rule
from layerstack.verify.own_command import programs, where_command

# `listen EADDRINUSE: address already in use 0.0.0.0:8000`
IN_USE = re.compile(
    r"EADDRINUSE|connection in use: \(|address (?:is )?already in use"
    r"|port (?:\d+ )?(?:is )?already (?:in use|allocated)",
    re.I,
)
# `failed to bind host port for 10.1.2.3:8780:172.20.0.5:80/tcp: cannot assign requested address`
NO_SUCH_ADDRESS = re.compile(
    r"bind host port (?:for )?\[?(?P<ip>[\d.a-f:]+?)\]?:\d+[:/].*cannot assign requested address"
)
NUMBER = re.compile(r"(?::|\bport )(\d{2,5})\b", re.IGNORECASE)
# `PORT`, `HTTP_PORT`
PORT_VARIABLE = re.compile(r"(?:^|_)PORT$")
HOST_MODE = "host"


def port_shared(seen: Evidence) -> Fault | None:
    """Two services of the project want one port: the one that came second cannot have it."""
    if seen.container and seen.container.is_running:
        return None
    for shared in find_shared_ports(seen.project):
        if seen.name in (shared.first, shared.second):
            return Fault("port-held", f"cannot listen: {shared.words}", "invoke up", shared.change)
    return None


def port_held(seen: Evidence) -> Fault | None:
    for port, holder in seen.holders:
        source = source_of(seen.project, seen.service, port)
        cause = f"cannot listen on {port.address} ({source}): {holder_words(seen.project, holder)} holds that port"
        if not (free := _freeing(seen, holder)):
            return Fault("port-held", cause, "invoke up", f"choose another port: {source}")
        return Fault("port-held", cause, f"{free} && invoke up")
    return None


def _freeing(seen: Evidence, holder: Holder) -> str:
    """The command that frees a port; of another project it stops only the container that holds it."""
    if holder.is_container and holder.project != seen.project.name:
        return f"docker stop {holder.name}"
    return freeing(seen.project, holder)


def in_use_inside(seen: Evidence) -> Fault | None:
    """A program that cannot listen: another one of its container has the port, or of this machine in its network."""
    one = seen.container
    said = next((text for text in seen.last_words if IN_USE.search(text)), "")
    # The engine's own refusal is of a port of this machine, which `port_held` judges.
    if one is None or not said or IN_USE.search(one.error):
        return None
    number = _number(seen, said)
    if one.network_mode == HOST_MODE:
        holder = seen.holder_of(number) if number else None
        words = f"cannot listen on port {number or 'it wants'} of this machine, whose network it has"
        if holder and (free := _freeing(seen, holder)):
            whose = f"{words}: {holder_words(seen.project, holder)} holds it"
            return Fault("port-held", whose, f"{free} && invoke up {seen.name}")
        return Fault("port-held", f"{words}: it is taken", seen.again, f"choose another port in {where_command(seen)}")
    mode, _, owner = str(seen.service.definition.get("network_mode") or "").partition(":")
    if mode == "service":
        there = f"{owner}, whose network it has, or another one there has it"
        words = f"cannot listen on port {number or 'it wants'}: {there}"
        return Fault("port-held", words, seen.again, f"choose another port in {where_command(seen)}")
    both = programs(seen)
    named = " and ".join(f"`{program}`" for program in both) if len(both) > 1 else "its command and what that starts"
    what = f"port {number}" if number else "one port"
    words = f"two programs of its container want {what}: {named}"
    return Fault("port-held", words, seen.again, f"give one of them another port: {where_command(seen)}")


def _number(seen: Evidence, said: str) -> int | None:
    """The port of a complaint; without one in it, the only one that the service declares."""
    if match := NUMBER.search(said):
        return int(match[1])
    named = {value for name, value in seen.environment.items() if PORT_VARIABLE.search(name) and value.isdigit()}
    found = {str(port.target) for port in seen.service.ports} or named
    return int(next(iter(found))) if len(found) == 1 else None


def of_no_network(seen: Evidence) -> Fault | None:
    """Ports of a service whose network mode has none of its own to publish them in."""
    mode, ports = str(seen.service.definition.get("network_mode") or ""), seen.service.definition.get("ports")
    declared = seen.declared("network_mode")
    if not ports or not declared:
        return None
    is_unpublished = any(check.link == "port" and "is not published" in check.detail for check in seen.result.failed)
    owner = mode.partition(":")[2]
    if mode in ("none", HOST_MODE) and is_unpublished:
        words = f"publishes no port: with `network_mode: {mode}` Docker publishes none"
        remove = "the ports" if mode == HOST_MODE else "the ports where nobody needs them"
        change = f"remove network_mode ({declared.place}), or {remove}"
        return Fault("port-unreachable", words, seen.up, change)
    # Compose refuses it.
    if mode.startswith(("service:", "container:")) and seen.container is None:
        where = in_brackets(seen.written("ports", str(ports[0].get("target", ""))))
        words = f"cannot be made: it has the network of {owner} ({declared.place}), which alone can publish its ports"
        change = f"move the ports of {seen.name}{where} to {owner}"
        return Fault("port-misplaced", words, "invoke up", change)
    return None


def of_other_machine(seen: Evidence) -> Fault | None:
    """A port that is to be published on an address which no network card of the engine's machine has."""
    match = NO_SUCH_ADDRESS.search(seen.container.error) if seen.container else None
    if match is None:
        return None
    found = next((port for port in seen.service.ports if port.host_ip == match["ip"]), None)
    source = source_of(seen.project, seen.service, found) if found else f"the ports of {seen.name}"
    words = f"cannot listen on {match['ip']}: this machine has no such address"
    return Fault("port-misplaced", words, f"invoke up {seen.name}", f"correct or remove {match['ip']} in {source}")


FIRST: tuple[Rule, ...] = (of_no_network, of_other_machine, port_shared, port_held)
RULES: tuple[Rule, ...] = (in_use_inside,)
