"""The names of the checks, and which findings are suppressed: by `--ignore`, or by the Compose file for good."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from layerstack.errors import UsageError
from layerstack.finding import Finding, warning
from layerstack.project.compose_source import ComposeSource
from layerstack.wording import nearest

KEYS = ("x-layerstack", "doctor", "ignore")
# Check → why it matters; the keys are the names that `--ignore` takes.
WHY: Mapping[str, str] = {
    "engine": "Nothing can be built or started without an engine.",
    "versions": "Bake, Compose and health checks use what older versions do not have.",
    "Docker Engine": "This version has a known issue that applies to this project.",
    "Docker Buildx": "This version has a known issue that applies to this project.",
    "Docker Compose": "This version has a known issue that applies to this project.",
    "pynvml": "GPUs are found through this module.",
    "docker group": "Without access to the engine every command fails.",
    "environment": "Without BuildKit, cache mounts and named contexts do not exist, and plain docker commands fail.",
    "disk": "A build that runs out of disk fails near its end, and the engine deletes cache to make room.",
    "builder": "It builds every image; one that does not answer ends each build.",
    "gc": "When the engine drops a base image's cache, the next change of that base takes as long as the first build.",
    "memory": "The kernel kills containers when memory runs out; they restart without a message.",
    "inotify": "Hot reload needs one inotify watch for each file or folder.",
    "wsl": "Every file access crosses from Linux to Windows: builds take many times longer.",
    "clock": "Certificates, package indexes and file times are compared with the clock.",
    "stand-ins": "What works here is not yet proven on the official images.",
    "registry": "Missing system images have to be pulled.",
    "proxy": "The engine and its builds do not inherit the variables of your shell.",
    "certificates": "Downloads end with `certificate verify failed` or `unable to get local issuer certificate`.",
    "gpu": "Models on the CPU are many times slower, or do not start at all.",
    "gpu-shm": "A container has 64 MB of shared memory; PyTorch's workers end with `Bus error` when it is full.",
    "project": "Nothing of the project can be built or started.",
    ".env": "Compose substitutes variables silently: a wrong value shows up much later, somewhere else.",
    "port": "Two programs cannot listen on one port: the container will not start.",
    "port-open": "Docker opens such a port past the firewall of this machine: whoever reaches it reaches the service.",
    "container-name": "Docker allows a name only once: the container cannot be created.",
    "orphan": "A container of a renamed service keeps running old code and keeps its port and name.",
    "shared-tag": "The tag points to the image that was built last, whichever service runs it.",
    "health-localhost": "BusyBox takes `localhost` for ::1; a server that listens on IPv4 only is never healthy then.",
    "secret-file": "The container cannot be created without it.",
    "device": "The container is created and never starts.",
    "external": "Compose does not create what is external: the start fails.",
    "health-missing": "`docker compose up` fails: a container without a health check never becomes healthy.",
    "health-program": "A health check without its program always fails: the service is never healthy.",
    "slow-stop": "Docker kills it in the end, in the middle of whatever it is doing.",
    "windows-line-ends": "The container exits with `no such file or directory`, although the script exists.",
    "build-order": "depends_on orders starts, not builds: the service is built on an old image, or on none.",
    "run-after-source": "Every change of the source runs this step again, although it does not need the source.",
    "cache-sharing": "apt locks its cache for one process: of two builds at once, one fails with `Could not get lock`.",
    "context-takes-all": "Secrets end up in the image, packages of this machine replace what RUN installed.",
    "end-of-life": "Vulnerabilities found after that date are no longer fixed.",
    "mount-shadow": "A mount hides what the image has at that path: the service runs without it, or on an older copy.",
    "ignore": "A check that does not exist cannot be suppressed: the finding is still reported.",
}


@dataclass(frozen=True)
class Silence:
    """Names of suppressed checks, for everything and for single services. A port may include its number."""

    everywhere: frozenset[str] = frozenset()
    services: Mapping[str, frozenset[str]] | None = None

    def covers(self, finding: Finding) -> bool:
        """Whether this warning or error is suppressed."""
        names = self.everywhere | (self.services or {}).get(finding.service, frozenset())
        return finding.severity != "ok" and bool({_plain(finding.check), _family(finding.check)} & names)


def from_words(options: Iterable[str]) -> Silence:
    """From `--ignore registry,port`. Raises UsageError for a name that no check has."""
    names = [part.strip() for word in options for part in word.split(",") if part.strip()]
    unknown = [name for name in names if not _is_known(name)]
    if unknown:
        raise UsageError(
            f"There is no check `{unknown[0]}`.", f"{_did_you_mean(unknown[0])}The checks: {', '.join(WHY)}."
        )
    return Silence(frozenset(map(_plain, names)))


def from_source(source: ComposeSource, given: Silence) -> Silence:
    """What the Compose files and the command line suppress, without unknown names."""
    # A name that no check has is a finding of its own; on the command line it is refused.
    everywhere = {_plain(name) for name in _names(source.value(*KEYS)) if _is_known(name)}
    services = {
        service: frozenset(_plain(name) for name in _names(source.value("services", service, *KEYS)) if _is_known(name))
        for service in source.services()
    }
    return Silence(given.everywhere | everywhere, services)


def check_names(source: ComposeSource) -> Iterator[Finding]:
    """Are there unknown names of checks in the Compose files?"""
    for keys in (KEYS, *(("services", service, *KEYS) for service in source.services())):
        for name in _names(source.value(*keys)):
            if not _is_known(name):
                remedy = f"{_did_you_mean(name)}`invoke doctor --all` lists the checks."
                detail = f"doctor.ignore names `{name}`, and no check has that name"
                yield warning("ignore", detail, remedy, place=source.place(*keys))


def split(findings: Iterable[Finding], silence: Silence) -> tuple[list[Finding], list[Finding]]:
    """(those to report, those suppressed)"""
    every = list(findings)
    return [one for one in every if not silence.covers(one)], [one for one in every if silence.covers(one)]


def _is_known(name: str) -> bool:
    return _family(name) in map(_plain, WHY)


def _family(name: str) -> str:
    # `port 5000` is one of `port`.
    return re.sub(r" \d+$", "", _plain(name))


def _plain(name: str) -> str:
    """`docker-group`, `Docker Group` and `docker group` are one name."""
    return " ".join(name.replace("-", " ").replace("_", " ").lower().split())


def _names(value: Any) -> Sequence[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value] if isinstance(value, list) else []


def _did_you_mean(name: str) -> str:
    near = nearest(name, WHY)
    return f"Did you mean {near}? " if near else ""
