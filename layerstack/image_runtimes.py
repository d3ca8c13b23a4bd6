"""Which runtime and distribution the name of an image promises: `node:18-alpine3.18` is Node.js 18 on Alpine 3.18."""

import re
from collections.abc import Iterator
from datetime import date

from layerstack.lifetimes import Runtime, find_runtime

# The last part of an official image's name → what its tag counts.
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
# Images that `setup` builds where no registry answers carry the name and version of what they stand for.
STAND_IN = "stand-in/"
_REFERENCE = re.compile(r"(?P<repository>[^@]*?[^/@:]+)(?::(?P<tag>[\w.-]+))?(?:@.*)?$")
_VERSION = re.compile(r"v?\d+(\.\d+)*")
_NUMBER = re.compile(r"v?\d.*")
_SYSTEM = re.compile(r"(?P<kind>alpine|debian|ubuntu)(?P<version>\d+(\.\d+)*)")


def read_runtimes(reference: str) -> tuple[Runtime, ...]:
    """What the name says, the runtime before the distribution; nothing for versions that nobody knows."""
    repository, parts = _split(reference)
    found = (_read(repository, number, part) for number, part in enumerate(parts))
    return tuple(dict.fromkeys(one for one in found if one))


def suggest(reference: str, today: date) -> str:
    """The same image with versions that get fixes; "" where its name alone does not tell which that would be."""
    repository, parts = _split(reference)
    if _kind(repository) is None or "" in (found := [*_newer(repository, parts, today)]):
        return ""
    return f"{repository.removeprefix(STAND_IN)}:{'-'.join(found)}"


def _newer(repository: str, parts: list[str], today: date) -> Iterator[str]:
    """Each part of the tag as it would have to be, "" for one that cannot be told."""
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
    if number == 0 and kind and _VERSION.fullmatch(part):
        return find_runtime(kind, part)
    if system := _SYSTEM.fullmatch(part):
        return find_runtime(str(system["kind"]).capitalize(), system["version"])
    return find_runtime(*CODE_NAMES[part]) if part in CODE_NAMES else None


def _kind(repository: str) -> str | None:
    """By the last word of the name: a company's registry has the same image under a longer one."""
    return IMAGES.get(repository.rpartition("/")[2])
