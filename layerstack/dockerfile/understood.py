"""The table of fully understood constructs. Any other construct makes the reading of a Dockerfile doubtful.

Each row has a test against the real builder in tests/docker/test_understood.py.
"""

from collections.abc import Iterator

from layerstack.dockerfile.dockerfile import Dockerfile
from layerstack.dockerfile.instruction import Instruction

# Instruction → the flags that are understood.
FLAGS: dict[str, frozenset[str]] = {
    "ADD": frozenset({"chown", "chmod", "link", "exclude", "checksum"}),
    "ARG": frozenset(),
    "CMD": frozenset(),
    "COPY": frozenset({"from", "chown", "chmod", "link", "exclude"}),
    "ENTRYPOINT": frozenset(),
    "ENV": frozenset(),
    "EXPOSE": frozenset(),
    "FROM": frozenset({"platform"}),
    "HEALTHCHECK": frozenset({"interval", "timeout", "start-period", "start-interval", "retries"}),
    "LABEL": frozenset(),
    "MAINTAINER": frozenset(),
    "ONBUILD": frozenset(),
    "RUN": frozenset({"mount", "network"}),
    "SHELL": frozenset(),
    "STOPSIGNAL": frozenset(),
    "USER": frozenset(),
    "VOLUME": frozenset(),
    "WORKDIR": frozenset(),
}
# Kind of mount → its options that are understood, `type` aside.
_PATHS = frozenset({"source", "src", "target", "dst", "destination", "from", "readonly", "ro"})
MOUNTS: dict[str, frozenset[str]] = {
    "bind": _PATHS | {"rw", "readwrite"},
    # What a cache mount holds is no part of a cache key.
    "cache": _PATHS | {"id", "sharing", "uid", "gid", "mode"},
    "tmpfs": frozenset({"target", "dst", "destination", "size"}),
    # What a secret holds is no part of any cache key: a build notices its options only.
    "secret": frozenset({"id", "target", "dst", "destination", "required", "mode", "uid", "gid", "env"}),
}
DIRECTIVES = frozenset({"escape", "check"})


def doubts(parsed: Dockerfile) -> Iterator[str]:
    """What of a whole file is not understood, apart from its instructions."""
    yield from parsed.doubts
    for name in parsed.directives.keys() - DIRECTIVES:
        yield f"# {name}={parsed.directives[name]}: another frontend may read the file in its own way"


def doubts_of(instruction: Instruction) -> Iterator[str]:
    """What of one instruction is not understood, with its line."""
    place = f"line {instruction.line}: {instruction.keyword}"
    if instruction.keyword not in FLAGS:
        yield f"{place} is no known instruction"
        return
    for flag in instruction.flags:
        name = flag.removeprefix("--").partition("=")[0]
        if name not in FLAGS[instruction.keyword]:
            yield f"{place} --{name}"
    for options in instruction.mounts:
        yield from (f"{place} --mount: {what}" for what in _doubts_of_mount(options))
    if instruction.keyword == "ONBUILD":
        found = [*doubts_of(instruction.trigger)] if instruction.trigger else [f"{place}: {instruction.text}"]
        yield from found


def _doubts_of_mount(options: dict[str, str]) -> Iterator[str]:
    kind = options.get("type", "bind").lower()
    if kind not in MOUNTS:
        yield f"type={kind}"
        return
    yield from sorted(options.keys() - MOUNTS[kind] - {"type"})
