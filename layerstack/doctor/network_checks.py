"""Proxies that only the shell has, and broken certificate variables, which keep builds from the network."""

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from layerstack.docker_plugin import config_file, read_config
from layerstack.finding import Finding, ok, warning

PROXIES = {"HTTP_PROXY": ("HttpProxy", "httpProxy"), "HTTPS_PROXY": ("HttpsProxy", "httpsProxy")}
NO_PROXY = ("NO_PROXY", "no_proxy")
LOCAL_NAMES = ("localhost", "127.0.0.1")
BUNDLES = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
)


def check_shell_proxy() -> Iterator[Finding]:
    """Does the shell's proxy exclude this machine's own addresses?"""
    if not _proxies():
        yield ok("proxy", "the shell sets no proxy")
        return
    # Programs read one or the other; which one goes first differs.
    given = {name: _names(os.environ[name]) for name in NO_PROXY if os.environ.get(name)} or {NO_PROXY[0]: set()}
    missing = [name for name in LOCAL_NAMES if not all(_excludes(kept, name) for kept in given.values())]
    if missing:
        detail = f"{' and '.join(given)} {'do' if len(given) > 1 else 'does'} not name {' and '.join(missing)}: "
        every = set().union(*given.values())
        wanted = shlex.quote(",".join([*sorted(every - {*missing}), *missing]))
        remedy = f"export {' '.join(f'{name}={wanted}' for name in given)}"
        yield warning("proxy", f"{detail}requests from this shell to a container go to the proxy", remedy)
    else:
        yield ok("proxy", "the shell's proxy excludes this machine")


def check_engine_proxy(info: Mapping[str, Any]) -> Iterator[Finding]:
    """Do the engine (for pulls) and the client's configuration (for builds) have the shell's proxy?"""
    configured = _client_proxies()
    for name, address in _proxies().items():
        of_engine, of_builds = PROXIES[name]
        if not info.get(of_engine):
            detail = f"the shell has {name}, the engine has none: it pulls images without it"
            key = name.lower().replace("_", "-")
            remedy = f'Set "proxies": {{"{key}": "{address}"}} in daemon.json and restart the engine.'
            yield warning("proxy", detail, remedy)
        if not configured.get(of_builds):
            detail = f"the shell has {name}, the docker client's config.json has none: RUN steps go without it"
            remedy = f'Set "proxies": {{"default": {{"{of_builds}": "{address}"}}}} in {config_file()}.'
            yield warning("proxy", detail, remedy)


def check_bundles() -> Iterator[Finding]:
    """Do variables for certificate bundles name existing files?"""
    for name in BUNDLES:
        path = os.environ.get(name, "")
        # OpenSSL takes a list of folders.
        places = path.split(os.pathsep) if name == "SSL_CERT_DIR" else [path]
        if path and not any(Path(one).exists() for one in places):
            detail = f"{name} names {path}, which does not exist: downloads on this machine fail"
            yield warning("certificates", detail, f"unset {name}, or put the bundle there")


def _names(written: str) -> set[str]:
    return {name for part in written.split(",") if (name := part.strip())}


def _excludes(kept: set[str], name: str) -> bool:
    """Whether a list keeps a name or an address from the proxy: by itself, by its network, or with everything."""
    if {name, "*"} & kept:
        return True
    networks = []
    for one in kept:
        with suppress(ValueError):
            networks.append(ip_network(one, strict=False))
    with suppress(ValueError):
        return any(ip_address(name) in network for network in networks)
    return False


def _proxies() -> dict[str, str]:
    return {name: _without_password(_variable(name)) for name in PROXIES if _variable(name)}


def _variable(name: str) -> str:
    return os.environ.get(name) or os.environ.get(name.lower()) or ""


def _without_password(address: str) -> str:
    # Findings end up in logs and in the files of a CI.
    scheme, mark, rest = address.rpartition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}"


def _client_proxies() -> dict[str, Any]:
    proxies = read_config().get("proxies")
    # `default` is for every engine without an entry of its own.
    found = proxies.get("default") if isinstance(proxies, dict) else None
    return found if isinstance(found, dict) else {}
