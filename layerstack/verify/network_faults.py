"""A right address that leads nowhere: no common network, a name of another host, a port without a listener."""

import re
from collections.abc import Sequence

from layerstack.engine.container import Container
from layerstack.project.addresses import Reference, references
from layerstack.project.declaration import find_declaration
from layerstack.run.declared import in_brackets, place_or
from layerstack.run.fault import Fault
from layerstack.verify.connection_words import NO_NAME_SERVER, NOT_RESOLVED, TIMED_OUT
from layerstack.verify.evidence import Evidence, names_host

OVER_TLS = re.compile(r"(?:http|ws|amqp|redis|ldap|mqtt|ftp|smtp|imap|grpc)s://", re.IGNORECASE)
# `CERT_HAS_EXPIRED`, `certificate has expired`
EXPIRED = re.compile(r"certificate (?:has )?(?:is )?expired|CERT_HAS_EXPIRED", re.IGNORECASE)
OTHER_NAME = re.compile(
    r"hostname mismatch|ALTNAME_INVALID|doesn't match|certificate is (?:not )?valid for", re.IGNORECASE
)
NO_TLS = re.compile(r"WRONG_VERSION_NUMBER|wrong version number|does not look like a TLS handshake|EPROTO")
OVER_TLS_REFUSED = re.compile(
    f"{EXPIRED.pattern}|{OTHER_NAME.pattern}|{NO_TLS.pattern}"
    r"|self.signed|CERTIFICATE_VERIFY_FAILED|UNABLE_TO_VERIFY|unknown authority|unable to get (?:local )?issuer",
    re.IGNORECASE,
)
# `getaddrinfo EAI_AGAIN api.example.com`
OUTSIDE = re.compile(r"EAI_AGAIN|name resolution|ENETUNREACH|network is unreachable", re.IGNORECASE)
# Of two words and more, and no file and no kind of error: `api.example.com`, not `socket.gaierror` or `main.go:7`.
HOST = re.compile(
    r"(?<![\w./@-])(?:[A-Za-z0-9-]+\.)+(?!(?:js|mjs|cjs|ts|py|rb|go|rs|java|php|sh|json|ya?ml)\b)[a-z]{2,}"
    r"(?<!error)(?<!exception)(?<!timeout)(?![\w./(-])"
)


def networking(seen: Evidence, container: Container, reference: Reference) -> Fault | None:
    """What separates a service from another one that a variable names correctly."""
    owner = owner_of(seen, reference.host)
    peer = seen.peers.get(owner) if owner and owner != seen.name else None
    if owner is None or peer is None:
        return None
    # /etc/hosts is read before Docker's name server is asked.
    if reference.host in extra_hosts(seen):
        where = place_or(seen.written("extra_hosts", reference.host), f"the extra_hosts of {seen.name}")
        words = f"{reference.variable} names {owner}, and its extra_hosts give {reference.host} another address"
        return Fault("unknown-host", words, seen.up, f"remove {reference.host} from {where}")
    if fault := _without_name(seen, container, reference, peer):
        return fault
    if container.networks and peer.networks and not set(container.networks) & set(peer.networks):
        declared = (find_declaration(seen.project, name, "networks") for name in (owner, seen.name))
        places = ", ".join(container.place for container in declared if container) or seen.project.compose_files[0].name
        words = f"{reference.variable} names {owner}, but {seen.name} and {owner} share no network"
        change = f"give {seen.name} and {owner} a network in common ({places})"
        return Fault("no-shared-network", words, f"invoke up {' '.join(sorted((seen.name, owner)))}", change)
    return None


def _without_name(seen: Evidence, container: Container, reference: Reference, peer: Container) -> Fault | None:
    """A container that is in the network without its name, as after the network was recreated."""
    common = sorted(set(container.networks) & set(peer.networks))
    # Without a complaint the name is found in another way.
    if (
        not common
        or any(reference.host in peer.networks[name] for name in common)
        or not NOT_RESOLVED.search(seen.text)
    ):
        return None
    network = common[0]
    what = f"{reference.variable} names {reference.host}"
    # An alias can only be given while a container is connected.
    again = f"docker network disconnect {network} {peer.name}"
    named = f"docker network connect --alias {reference.host} {network} {peer.name} && {seen.up}"
    words = f"{what}, and {peer.name} is in the network {network} without that name"
    return Fault("unknown-host", words, f"{again} && {named}")


def internal_only(seen: Evidence) -> Fault | None:
    """An internal network has no way outside, and Docker publishes no ports on it."""
    one = seen.container
    if one is None or not seen.networks or not all(seen.networks.values()):
        return None
    unpublished = any(check.link == "port" and "is not published" in check.detail for check in seen.result.failed)
    if not unpublished and not (OUTSIDE.search(seen.last_error) and outside_host(seen, seen.last_error)):
        return None
    names = ", ".join(seen.networks)
    what = "publishes no port" if unpublished else f"cannot reach {outside_host(seen, seen.last_error)}"
    where = in_brackets(seen.declared("networks"))
    change = f"give {seen.name} another network, without `internal: true`{where}"
    cause = f"{what}: its only network, {names}, is internal"
    return Fault("network-internal", cause, seen.up, change)


def no_name_server(seen: Evidence) -> Fault | None:
    """An outside name about which no name server responded: it may be right."""
    said = next((text for text in seen.last_words if NO_NAME_SERVER.search(text)), "")
    host = outside_host(seen, said)
    if not host:
        return None
    declared = seen.declared("dns")
    cause = f"cannot find {host}: the name server of its container does not answer"
    look = f"see whether this machine finds it (`getent hosts {host}`) and what `dns` ~/.docker or daemon.json names"
    change = f"correct or remove {declared.place} (dns)" if declared else look
    return Fault("unknown-host", cause, seen.up, change)


def certificate_refused(seen: Evidence) -> Fault | None:
    """A service of the project whose certificate has expired, is not trusted, or that speaks no TLS at all."""
    one, complaint = seen.container, next(seen.lines_with(OVER_TLS_REFUSED), "")
    named = list(references(one.environment, seen.hosts)) if one and complaint else []
    # Many say nothing of the host: then it is the only one that is asked over TLS.
    secure = [found for found in named if one and OVER_TLS.match(one.environment[found.variable])]
    is_told = len({found.host for found in secure}) != 1 or "://" in complaint or bool(outside_host(seen, complaint))
    only = None if is_told else secure[0]
    found = next((found for found in named if names_host(complaint, found.host)), only)
    owner = owner_of(seen, found.host) if found else None
    if found is None or owner is None:
        return None
    where = seen.variable(found.variable)
    if NO_TLS.search(complaint):
        words = f"asks {owner} over TLS ({found.variable}), and {owner} speaks none on that port"
        return Fault("wrong-scheme", words, seen.up, f"take the s from the scheme of {where}")
    if EXPIRED.search(complaint):
        words = f"cannot talk to {owner} ({found.variable}): the certificate that {owner} shows has expired"
        # Servers read a certificate when they start.
        again = f"invoke restart {owner} && invoke up {seen.name}"
        return Fault("certificate-expired", words, again, f"renew the certificate that {owner} serves")
    if OTHER_NAME.search(complaint):
        words = f"cannot talk to {owner} ({found.variable}): its certificate is for another name than {found.host}"
        change = f"renew the certificate that {owner} serves for {found.host}, or correct {where}"
        return Fault("certificate-refused", words, f"invoke restart {owner} && invoke up {seen.name}", change)
    words = f"does not trust the certificate that {owner} shows ({found.variable}): nobody that it knows has signed it"
    change = (
        f"mount that certificate into {seen.name} and name it in SSL_CERT_FILE (Python, Go, curl) "
        f"or NODE_EXTRA_CA_CERTS (Node.js)"
    )
    return Fault("certificate-refused", words, seen.up, change)


def outside_host(seen: Evidence, said: str) -> str:
    """The host with a dot in a complaint that is no service."""
    found = (match[0] for match in HOST.finditer(said))
    return next((host for host in found if owner_of(seen, host) is None), "")


def packets_dropped(seen: Evidence) -> Fault | None:
    """The right address of a working, listening service to which connections still time out."""
    one = seen.container
    if one is None or not TIMED_OUT.search(seen.text):
        return None
    for found in references(one.environment, seen.hosts):
        owner = owner_of(seen, found.host)
        peer = seen.peers.get(owner) if owner and owner != seen.name else None
        common = sorted(set(one.networks) & set(peer.networks)) if peer else []
        if owner is None or peer is None or peer.health != "healthy" or not common or not seen.tells_of(found.host):
            continue
        listening = seen.peer_listeners.get(owner) or ()
        if not any(there.port == found.port and not there.is_loopback for there in listening):
            continue
        # What it said may be over, or the other one's slowness: only what is tried tells.
        if found.port and seen.runs_out(found.host, found.port):
            words = (
                f"cannot reach {found.host}:{found.port}: connections time out, though {owner} listens there and both "
                f"are in {common[0]}: packets between them are dropped"
            )
            # A second dockerd in the same network namespace empties the iptables chains of the first. (Seen with
            # Docker 28.5.)
            change = "let the firewall pass them (`sudo systemctl restart docker` writes Docker's rules anew)"
            return Fault("packets-dropped", words, f"invoke restart {owner} {seen.name}", change)
    return None


def port_of_nobody(seen: Evidence) -> Fault | None:
    """A published port on which no program listens, while one listens on another."""
    one = seen.container
    if one is None or not seen.listeners or seen.is_starting:
        return None
    asked = [check.detail for check in seen.result.failed if check.is_asked]
    open_ports = sorted({found.port for found in seen.listeners})
    for port in one.ports:
        if port.target in open_ports or not any(f":{port.published}" in detail for detail in asked):
            continue
        free = [number for number in open_ports if number not in {other.target for other in one.ports}]
        where = place_or(seen.written("ports", str(port.target)), f"the ports of {seen.name}")
        numbers = " or ".join(map(str, free or open_ports))
        words = f"publishes port {port.target} of its container, and its program listens on {numbers}"
        return Fault("wrong-port", words, seen.up, f"write {numbers} for {port.target} in {where}")
    return None


def extra_hosts(seen: Evidence) -> Sequence[str]:
    """The names that the service's definition maps to addresses."""
    # `db=10.0.0.5`, `db:10.0.0.5`
    declared = seen.service.definition.get("extra_hosts") or ()
    entries = [f"{name}={ip}" for name, ip in declared.items()] if isinstance(declared, dict) else declared
    return [re.split("[=:]", str(entry), maxsplit=1)[0] for entry in entries]


def owner_of(seen: Evidence, host: str) -> str | None:
    """The service that has this name in a network, by the Compose file or its running container."""
    found = (name for name, peer in seen.peers.items() if any(host in names for names in peer.networks.values()))
    return seen.hosts.get(host) or next(found, None)
