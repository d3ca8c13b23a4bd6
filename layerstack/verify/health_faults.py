"""Health checks that fail although the program may work: written wrongly, sent elsewhere, or too slow."""

import re
from os.path import relpath
from pathlib import Path

from layerstack.engine.container import Container, Mount
from layerstack.engine.place import WILDCARDS
from layerstack.project.addresses import URL
from layerstack.run.declared import in_brackets
from layerstack.run.fault import Fault
from layerstack.run.health import renew
from layerstack.verify.connection_words import NOT_RESOLVED, REFUSED, TIMED_OUT
from layerstack.verify.evidence import Evidence
from layerstack.verify.last_words import last_error
from layerstack.verify.mount_faults import is_empty
from layerstack.verify.own_command import where_command
from layerstack.wording import duration, short

PROXY_VARIABLES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
# `http://user@127.0.0.1:8080/health`
HOST = re.compile(r"^(?:\w+://)?(?:[^@/]*@)?([\w.-]+)")
HEEDS_PROXY = re.compile(r"\b(?:wget|curl)\b")
OWN = re.compile(r"\b(?:127\.0\.0\.1|localhost)\b")
NUMBER = re.compile(r"(?<![\d.])\d{2,5}(?![\d.])")
LOOPBACK = "127.0.0.1"
# Linux gives a program that asks for port 0 one from here on.
FIRST_CHOSEN = 32768
# `http://localhost/health`
WITHOUT_PORT = re.compile(r"\b(https?)://(?:127\.0\.0\.1|localhost)(?![\w.:])")
IMPLIED_PORTS = {"http": "80", "https": "443"}
# `http://localhost:8080/health`
OWN_PORT = re.compile(r"(?:127\.0\.0\.1|localhost|0\.0\.0\.0)\W{1,4}(\d{2,5})\b")
# `http://127.0.0.1:8080/health`; a name may lead to either family.
OVER_IPV4 = re.compile(r"(?:\b(https?)://)?(?:127\.0\.0\.1|0\.0\.0\.0)(?:\W{1,4}(\d{2,5})\b)?")
# Not among the numbers of curl's progress: `100   404  100   404    0`.
NO_PATH = re.compile(r"(?<![\w/.-])404(?![\w.-]|\s+\d)")
# `HTTP/1.1 401 Unauthorized`, `HTTP Error 403: Forbidden`, `The requested URL returned error: 401`
NO_LOGIN = re.compile(r"(?<![\w/.-])40[13](?= Unauthorized| Forbidden|: |$)", re.MULTILINE)
OWN_PATH = re.compile(r"(?:127\.0\.0\.1|localhost|0\.0\.0\.0)(?::\d+)?(/[^\s'\"`)|;]*)")
# `Health check exceeded timeout (3s)`
OUT_OF_TIME = re.compile(r"health check exceeded timeout", re.IGNORECASE)
# `until nc -z db 5432; do sleep 1; done`
WAITS = re.compile(r"\s*(?:until|while)\s")
LOOP_CHARACTERS = 60
# Starting a program inside a container takes a tenth of a second, on a busy machine ten times that.
SHORT_SECONDS = 1.0


def where_asked(seen: Evidence, word: str = "", key: str = "") -> tuple[str, str]:
    """(where its health check is written, what applies a change there): in the Compose file, else in its Dockerfile."""
    declared = seen.written("healthcheck", word) if word else None
    declared = declared or (seen.declared("healthcheck", key) if key else None)
    declared = declared or seen.declared("healthcheck")
    if declared:
        return declared.place, f"invoke up {seen.name}"
    if line := seen.instruction("HEALTHCHECK"):
        return line, renew(seen.name, is_of_image=True)
    return f"the health check of {seen.name}", f"invoke up {seen.name}"


def malformed(seen: Evidence) -> Fault | None:
    """A health check whose words are joined or parted in the wrong places: another command runs than is meant."""
    one = seen.unhealthy
    if one is None:
        return None
    how, first, *others = (*one.health_command, "", "")[: max(2, len(one.health_command))]
    if how == "CMD-SHELL" and others:
        words = f"its health check runs `{first}` alone: after CMD-SHELL only the first word counts"
        meant, instead = '["CMD", …]', "CMD for CMD-SHELL"
    elif how == "CMD" and " " in first and not others:
        words = f"its health check looks for one program with the name `{first}`"
        meant, instead = f'["CMD-SHELL", "{first}"]', "CMD-SHELL for CMD"
    else:
        return None
    where, again = where_asked(seen, key="test")
    return Fault("health-check-malformed", words, again, f"write {instead} in {where}: `{meant}`")


def proxied(seen: Evidence) -> Fault | None:
    """A health check that connects to its own container and gets a response of a proxy."""
    one = seen.container
    if one is None or one.health in ("", "healthy") or not OWN.search(" ".join(one.health_command)):
        return None
    is_answering = not any(check.is_asked and check.link != "health" for check in seen.result.failed)
    # A quiet wget says nothing at all.
    is_silent = not one.health_output and is_answering and bool(HEEDS_PROXY.search(" ".join(one.health_command)))
    if any(OWN.search(one.environment.get(name, "")) for name in ("no_proxy", "NO_PROXY")):
        return None
    for variable in PROXY_VARIABLES:
        match = HOST.match(one.environment.get(variable, ""))
        if match and (is_silent or match[1] in one.health_output):
            words = f"its health check asks its own container through the proxy {match[1]} ({variable})"
            # Docker gives each container the proxies of its config.json: then the project has no line to correct.
            change = "add localhost,127.0.0.1 to `noProxy` in ~/.docker/config.json"
            if variable in (seen.service.definition.get("environment") or {}):
                where = f"the environment of {seen.name}{in_brackets(seen.declared('environment'))}"
                # Programs differ in which of the two spellings they read.
                change = f"add NO_PROXY=localhost,127.0.0.1 and no_proxy with the same value to {where}"
            return Fault("health-check-proxied", words, seen.up, change)
    return None


def wrong_port(seen: Evidence) -> Fault | None:
    """A health check of a port without a listener, while the program listens on another."""
    one = seen.unhealthy
    if one is None or not seen.listeners:
        return None
    if not _is_refused(one):
        return None
    command, open_ports = " ".join(one.health_command), sorted({found.port for found in seen.listeners})
    said = [number for number in NUMBER.findall(command) if re.search(rf"\b{number}\b", one.health_output)]
    asked = said or OWN_PORT.findall(command) or [IMPLIED_PORTS[scheme] for scheme in WITHOUT_PORT.findall(command)]
    port = next((number for number in asked if int(number) not in open_ports), None)
    if port is None:
        return None
    if min(open_ports) >= FIRST_CHOSEN:
        return _without_port(seen, port, open_ports[0])
    numbers = " or ".join(map(str, open_ports))
    words = f"its health check asks port {port}, and its program listens on {numbers}"
    where, again = where_asked(seen, port)
    change = f"write {numbers} for {port} in {where}"
    if int(port) in {published.target for published in one.ports}:
        place = in_brackets(seen.declared("environment"))
        change = f"let its program listen on {port}, the port that is published too{place}, or {change}"
    return Fault("health-check-wrong-address", words, again, change)


def _without_port(seen: Evidence, asked: str, found: int) -> Fault:
    """A program that was given no port, or 0: each start has another one."""
    words = f"its program listens on {found}, a port that the system chose, and its health check asks port {asked}"
    empty = [name for name, value in seen.environment.items() if "PORT" in name.upper() and value in ("", "0")]
    change = f"set {seen.variable(empty[0])} to {asked}" if empty else f"let its program listen on {asked}"
    return Fault("wrong-port", words, seen.up, change)


def other_family(seen: Evidence) -> Fault | None:
    """A health check that is refused at the right port: it asks over IPv4, and the program listens on IPv6 only."""
    one = seen.unhealthy
    if one is None or not seen.listeners or not _is_refused(one):
        return None
    command = " ".join(one.health_command)
    asked = {int(port or IMPLIED_PORTS[scheme]) for scheme, port in OVER_IPV4.findall(command) if port or scheme}
    there = [found for found in seen.listeners if found.port in asked]
    # The kernel's table does not say whether IPv4 is taken along: that it is refused there does.
    if not there or not all(":" in found.ip for found in there):
        return None
    port = there[0].port
    # A check that says nothing may have failed for anything: then it is tried.
    if not one.health_output.strip() and (seen.runs_out(LOOPBACK, port) or not seen.runs_out("::1", port)):
        return None
    words = f"listens on [{there[0].ip}]:{port} for IPv6 only, and its health check and its network ask over IPv4"
    return Fault(
        "listens-on-loopback", words, renew(seen.name, seen.service.is_built), f"let it listen on 0.0.0.0:{port}"
    )


def _is_refused(container: Container) -> bool:
    """Many health checks that ask a port say nothing of why they fail."""
    if container.health_output.strip():
        return bool(REFUSED.search(container.health_output))
    command = " ".join(container.health_command)
    return bool(OWN_PORT.search(command) or WITHOUT_PORT.search(command))


def other_address(seen: Evidence) -> Fault | None:
    """A health check that is refused at the right port: its program listens on the container's outer address only."""
    one = seen.unhealthy
    if one is None or not seen.listeners or not _is_refused(one):
        return None
    asked = {int(port) for port in OWN_PORT.findall(" ".join(one.health_command))}
    there = [found for found in seen.listeners if found.port in asked]
    if not there or any(found.is_loopback or found.ip in WILDCARDS for found in there):
        return None
    ip, port = there[0].ip, there[0].port
    words = f"listens on {ip}:{port} only, and its health check asks 127.0.0.1"
    own = (ip, seen.name, one.name, one.id[:12], "$HOSTNAME")
    variable = next((name for name, value in one.environment.items() if value in own and name != "HOSTNAME"), "")
    where = f": {seen.variable(variable)}" if variable else f" ({where_command(seen)})"
    return Fault("health-check-wrong-address", words, seen.up, f"let its program listen on 0.0.0.0{where}")


def unknown_host(seen: Evidence) -> Fault | None:
    """A health check that asks a host which cannot be found."""
    one = seen.unhealthy
    if one is None or not NOT_RESOLVED.search(one.health_output):
        return None
    hosts = (match["hosts"].partition(":")[0] for match in URL.finditer(" ".join(one.health_command)))
    host = next((host for host in hosts if host not in seen.hosts and not OWN.search(host)), None)
    if host is None:
        return None
    where, again = where_asked(seen, host)
    words = f"its health check asks the host {host}, which cannot be found"
    change = f"write 127.0.0.1 for {host} in {where}"
    return Fault("health-check-wrong-address", words, again, change)


def wrong_path(seen: Evidence) -> Fault | None:
    """A health check that is told that there is no such path."""
    one = seen.unhealthy
    if one is None or not NO_PATH.search(one.health_output):
        return None
    match = OWN_PATH.search(" ".join(one.health_command))
    if match is None:
        return None
    where, again = where_asked(seen, match[1])
    words = f"its health check asks the path {match[1]}, and its program has none such (404)"
    if empty := _empty_folder(seen):
        name = relpath(empty.source, seen.project.root)
        change = f"put back what belongs into {name}, or correct its name in {seen.place_of(empty)}"
        return Fault("file-missing", f"{words}: {name}, mounted on {empty.target}, is empty", seen.anew, change)
    change = f"write a path that it serves for {match[1]} in {where}"
    return Fault("health-check-wrong-address", words, again, change)


def _empty_folder(seen: Evidence) -> Mount | None:
    """A mounted folder of the project with nothing in it: Docker makes one where none is."""
    for mount in seen.mounts:
        if mount.kind == "bind" and Path(mount.source).is_relative_to(seen.project.root) and is_empty(mount.source):
            return mount
    return None


def login_wanted(seen: Evidence) -> Fault | None:
    """A health check that is refused because it does not log in."""
    one = seen.unhealthy
    if one is None or not (found := NO_LOGIN.search(one.health_output)):
        return None
    match = OWN_PATH.search(" ".join(one.health_command))
    if match is None:
        return None
    where, again = where_asked(seen, match[1])
    words = f"its health check asks the path {match[1]}, for which its program wants a login ({found[0]})"
    change = f"let it ask a path that needs none, or give it the login, in {where}"
    return Fault("health-check-wrong-address", words, again, change)


def out_of_time(seen: Evidence) -> Fault | None:
    """A health check that takes longer than its timeout, measured by running it without one."""
    one = seen.container
    if one is None or not OUT_OF_TIME.search(one.health_output):
        return None
    # Timed rather than concluded from this machine's load, which says nothing of an engine elsewhere.
    limit, took = one.health_timeout_seconds, seen.health_seconds()
    words = f"its health check takes longer than the {limit:g} s that it may"
    if took is None and limit > SHORT_SECONDS:
        return Fault("unhealthy", f"{words}, and does not pass with more time either", f"invoke restart {seen.name}")
    if took is not None and took <= limit:
        now = f"its health check took longer than the {limit:g} s that it may, and passes in {duration(took)} now"
        return Fault("not-ready-yet", now, "invoke verify --wait 120")
    where, again = where_asked(seen, key="timeout")
    change = f"raise its timeout: {where}"
    if took is not None:
        words, change = f"{words}: it passes in {duration(took)}", f"raise its timeout above {duration(took)}: {where}"
    return Fault("health-check-slow", words, again, change)


def asks_too_briefly(seen: Evidence) -> Fault | None:
    """A program that takes the connection of its health check and answers later than the check itself waits."""
    one = seen.unhealthy
    if one is None or OUT_OF_TIME.search(one.health_output):
        return None
    asked = {int(port) for port in OWN_PORT.findall(" ".join(one.health_command))}
    is_heard = any(found.port in asked for found in seen.listeners or ())
    # The lines of code in a stack name the time-out that a call is given, too.
    said = last_error(one.health_output.splitlines())
    if not is_heard or not TIMED_OUT.search(said):
        return None
    where, again = where_asked(seen)
    words = "does not answer its health check in the time that the check itself waits"
    change = f"see what makes that answer slow (`invoke logs {seen.name}`), or let the check wait longer ({where})"
    # A dependency may be what it waits for: then this is only what follows.
    return Fault("unhealthy", words, again, change)


def _waits_in_script(seen: Evidence) -> tuple[str, str, str] | None:
    """(place, line, what runs the corrected script) of a loop in the script that it starts with; None for none."""
    for path in (word for word in seen.argv[:2] if word.startswith("/")):
        for number, line in enumerate(seen.own_text(path).splitlines(), 1):
            if WAITS.match(line):
                return f"{seen.own_name(path)}:{number}", short(line, LOOP_CHARACTERS), seen.renewal(path)
    return None


def without_listener(seen: Evidence) -> Fault | None:
    """A health check that gave up before the program listened anywhere: it starts slowly, or hangs."""
    one = seen.unhealthy
    if one is None or one.was_healthy or seen.listeners != ():
        return None
    if not _is_refused(one):
        return None
    words = (
        f"{duration(one.uptime_seconds)} after its start it listens on no port yet, and its health check has given up"
    )
    if loop := _waits_in_script(seen):
        place, line, again = loop
        words = f"{duration(one.uptime_seconds)} after its start it listens on no port yet: its script waits (`{line}`)"
        return Fault("unhealthy", words, again, f"correct what it waits for in {place}")
    # Without a start period yet, the line of the check is where it is added.
    where, again = where_asked(seen, key="start_period")
    change = f"raise start_period if its start takes so long ({where}; `invoke logs {seen.name}` shows what it does)"
    return Fault("health-check-slow", words, again, change)
