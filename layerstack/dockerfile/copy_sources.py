"""What one Dockerfile instruction reads: paths of a build context, of another stage or of another image."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from layerstack.dockerfile import context, dockerfile
from layerstack.dockerfile.dockerfile import Instruction

EVERYTHING = "."
MOST_LINKS = 40
_MOUNT = re.compile(r"--mount=(\S+)")
_REMOTE = re.compile(r"^(https?|ftp|git|ssh)://|^git@|^oci-layout://")
_PINNED = re.compile(r"#[0-9a-f]{40}\b|@sha256:[0-9a-f]{64}$")


@dataclass(frozen=True)
class Source:
    """`origin` is what stands after `from=`, "" for the build context; `pattern` a path in it, "." for everything."""

    origin: str
    pattern: str


def read_sources(instruction: Instruction, values: Mapping[str, str]) -> Iterator[Source]:
    """Every source of an instruction; a pattern that cannot be known here becomes everything."""
    if instruction.keyword == "RUN":
        yield from _mounts(instruction.text, values)
    elif instruction.keyword in ("COPY", "ADD"):
        origin = _flag(instruction.text, "from")
        for operand in _operands(instruction.text):
            if not operand.startswith("<<") and not is_remote(operand):
                yield Source(dockerfile.expand(origin, values), _pattern(operand, values))


def unpinned(instruction: Instruction, values: Mapping[str, str]) -> Iterator[str]:
    """Addresses that ADD downloads from and whose content may change without a word in the Dockerfile."""
    if instruction.keyword == "ADD" and not _flag(instruction.text, "checksum"):
        addresses = (dockerfile.expand(operand, values) for operand in _operands(instruction.text))
        yield from (address for address in addresses if is_remote(address) and not is_pinned(address))


def is_remote(text: str) -> bool:
    return _REMOTE.match(text) is not None


def is_pinned(address: str) -> bool:
    """Whether an address names one commit or one digest."""
    return _PINNED.search(address) is not None


def follow_links(pattern: str, links: Mapping[str, str]) -> tuple[str, ...]:
    """The pattern and where it leads when its parts are links (path → target), as BuildKit follows them."""
    found = [os.path.normpath(f"/{pattern}").lstrip("/") or EVERYTHING]
    for wanted in found:
        parts = wanted.split("/")
        for path, target in links.items():
            depth = path.count("/") + 1
            if depth <= len(parts) and context.wildcard("/".join(parts[:depth])).match(path):
                beside = "" if target.startswith("/") else path.rpartition("/")[0]
                resolved = os.path.normpath("/".join(("/", beside, target, *parts[depth:]))).lstrip("/") or EVERYTHING
                if resolved not in found and len(found) < MOST_LINKS:
                    found.append(resolved)
    return tuple(found)


def covered(paths: Iterable[str], patterns: Iterable[str]) -> list[str]:
    """Those of the paths that a pattern names or that lie below one."""
    expressions = [context.covering(pattern) for pattern in dict.fromkeys(patterns)]
    if len(expressions) > 1:
        return [path for path in paths if any(one.match(path) for one in expressions)]
    return [path for path in paths if expressions[0].match(path)] if expressions else []


def _mounts(text: str, values: Mapping[str, str]) -> Iterator[Source]:
    for mount in _MOUNT.findall(text):
        options = dict(part.partition("=")[::2] for part in mount.split(","))
        if options.get("type", "bind") in ("bind", "cache") and ("from" in options or options.get("type") != "cache"):
            path = options.get("source") or options.get("src") or EVERYTHING
            yield Source(dockerfile.expand(options.get("from", ""), values), _pattern(path, values))


def _pattern(operand: str, values: Mapping[str, str]) -> str:
    if "\\" in operand or '"' in operand or "'" in operand:
        return EVERYTHING
    if not dockerfile.variables(operand) <= values.keys():
        return EVERYTHING
    filled = dockerfile.expand(operand, values)
    return EVERYTHING if "$" in filled or not filled else filled


def _flag(text: str, name: str) -> str:
    flags = (word.partition("=") for word in text.split() if word.startswith("--"))
    return next((value for flag, _, value in flags if flag == f"--{name}"), "")


def _operands(text: str) -> list[str]:
    """The sources of a COPY or ADD: its words, or its JSON list, without flags and destination."""
    rest = re.sub(r"^(--\S+\s+)*", "", text)
    if rest.startswith("["):
        try:
            return [str(word) for word in json.loads(rest)][:-1]
        except ValueError:
            pass  # BuildKit takes what is not JSON as words, too
    return rest.split()[:-1]
