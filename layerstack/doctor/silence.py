"""Suppressed findings: named on the command line, or once for all in the Compose file."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from layerstack.doctor.check_reasons import WHY
from layerstack.errors import UsageError
from layerstack.finding import Finding, warning
from layerstack.project.compose_source import ComposeSource

KEYS = ("x-layerstack", "doctor", "ignore")


@dataclass(frozen=True)
class Silence:
    """Names of checks: for everything, and for single services. A port can be named with its number."""

    everywhere: frozenset[str] = frozenset()
    services: Mapping[str, frozenset[str]] | None = None

    def covers(self, finding: Finding) -> bool:
        """Is this a warning or an error that was silenced?"""
        names = self.everywhere | (self.services or {}).get(finding.service, frozenset())
        return finding.severity != "ok" and bool({_plain(finding.check), _family(finding.check)} & names)


def from_words(words: Iterable[str]) -> Silence:
    """`--ignore registry,port`: names, also several in one word. Raises UsageError for one that no check has."""
    names = [part.strip() for word in words for part in word.split(",") if part.strip()]
    unknown = [name for name in names if not _is_known(name)]
    if unknown:
        raise UsageError(f"There is no check `{unknown[0]}`.", f"{_nearest(unknown[0])}The checks: {', '.join(WHY)}.")
    return Silence(frozenset(map(_plain, names)))


def from_source(source: ComposeSource, given: Silence) -> Silence:
    """What the Compose files silence, and what was given besides; unknown names are left out."""
    everywhere = {_plain(name) for name in _names(source.value(*KEYS)) if _is_known(name)}
    services = {
        service: frozenset(_plain(name) for name in _names(source.value("services", service, *KEYS)) if _is_known(name))
        for service in source.services()
    }
    return Silence(given.everywhere | everywhere, services)


def check_names(source: ComposeSource) -> Iterator[Finding]:
    """Names in the Compose files that no check has."""
    for keys in (KEYS, *(("services", service, *KEYS) for service in source.services())):
        for name in _names(source.value(*keys)):
            if not _is_known(name):
                remedy = f"{_nearest(name)}`invoke doctor --all` lists the checks."
                detail = f"doctor.ignore names `{name}`, and no check has that name"
                yield warning("ignore", detail, remedy, place=source.place(*keys))


def split(findings: Iterable[Finding], silence: Silence) -> tuple[list[Finding], list[Finding]]:
    """(those to report, those silenced)"""
    every = list(findings)
    return [one for one in every if not silence.covers(one)], [one for one in every if silence.covers(one)]


def _is_known(name: str) -> bool:
    return _family(name) in map(_plain, WHY)


def _family(name: str) -> str:
    return re.sub(r" \d+$", "", _plain(name))


def _plain(name: str) -> str:
    """`docker-group`, `Docker Group` and `docker group` are one name."""
    return " ".join(name.replace("-", " ").replace("_", " ").lower().split())


def _names(value: Any) -> Sequence[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value] if isinstance(value, list) else []


def _nearest(name: str) -> str:
    near = get_close_matches(name, list(WHY), n=1)
    return f"Did you mean {near[0]}? " if near else ""
