"""The runtime and distribution in the name of an image: `node:18-alpine3.18` is Node.js 18 on Alpine 3.18."""

import re
from collections.abc import Iterator
from datetime import date

from layerstack.lifetimes import Runtime, find_runtime

# Name of an official image → the runtime whose version its tag gives.
IMAGES = {
    **{"node": "Node.js", "python": "Python", "debian": "Debian", "ubuntu": "Ubuntu", "alpine": "Alpine"},
    **{"mongo": "MongoDB", "postgres": "PostgreSQL", "mysql": "MySQL", "php": "PHP", "ruby": "Ruby", "golang": "Go"},
}
CODE_NAMES = {
    **{"jessie": ("Debian", "8"), "stretch": ("Debian", "9"), "buster": ("Debian", "10")},
    **{"bullseye": ("Debian", "11"), "bookworm": ("Debian", "12")},
    **{"xenial": ("Ubuntu", "16.04"), "bionic": ("Ubuntu", "18.04"), "focal": ("Ubuntu", "20.04")},
    **{"jammy": ("Ubuntu", "22.04"), "noble": ("Ubuntu", "24.04")},
}
NAMES_OF = {found: name for name, found in CODE_NAMES.items()}
# Stand-ins, which `setup` builds without a registry, have the name and version of the official image.
STAND_IN_PREFIX = "stand-in/"
# `registry.example.com/team/node:18-alpine`
_REFERENCE = re.compile(r"(?P<repository>[^@]*?[^/@:]+)(?::(?P<tag>[\w.-]+))?(?:@.*)?$")
# `18`, `3.9`, `v20.1.0`
_VERSION = re.compile(r"v?\d+(\.\d+)*")
# `18`, `v20.1.0`: the number of a tag, with whatever follows it
_NUMBER = re.compile(r"v?\d.*")
# `alpine3.18`, `debian12`
_SYSTEM = re.compile(r"(?P<kind>alpine|debian|ubuntu)(?P<version>\d+(\.\d+)*)")


def read_runtimes(reference: str) -> tuple[Runtime, ...]:
    """The known versions in the name, the runtime before the distribution."""
    repository, parts = _split(reference)
    found = (_read(repository, number, part) for number, part in enumerate(parts))
    return tuple(dict.fromkeys(one for one in found if one))


def suggest(reference: str, today: date) -> str:
    """The same image with supported versions; "" when they cannot be derived from its name."""
    repository, parts = _split(reference)
    # Which tags exist is known of official images only.
    if _kind(repository) is None or "" in (found := [*_newer(repository, parts, today)]):
        return ""
    return f"{repository.removeprefix(STAND_IN_PREFIX)}:{'-'.join(found)}"


def _newer(repository: str, parts: list[str], today: date) -> Iterator[str]:
    """Each part of the new tag, "" for one that cannot be derived."""
    for number, part in enumerate(parts):
        runtime = _read(repository, number, part)
        if runtime is None or not runtime.has_ended(today):
            yield part
        elif newer := runtime.next_supported(today):
            name = NAMES_OF.get((newer.kind, newer.version), "")
            yield name if part in CODE_NAMES else _NUMBER.sub(newer.version, part)
        else:
            yield ""


def _split(reference: str) -> tuple[str, list[str]]:
    match = _REFERENCE.match(reference)
    return (match["repository"], (match["tag"] or "").split("-")) if match else ("", [])


def _read(repository: str, number: int, part: str) -> Runtime | None:
    kind = _kind(repository)
    # Only the first part of a tag is the image's own version: in `18-alpine3.18` the rest is the distribution.
    if number == 0 and kind and _VERSION.fullmatch(part):
        return find_runtime(kind, part)
    if system := _SYSTEM.fullmatch(part):
        return find_runtime(str(system["kind"]).capitalize(), system["version"])
    return find_runtime(*CODE_NAMES[part]) if part in CODE_NAMES else None


def _kind(repository: str) -> str | None:
    # By the last component: a company's registry adds a prefix.
    return IMAGES.get(repository.rpartition("/")[2])
