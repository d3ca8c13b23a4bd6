"""Shortens names of steps such as `deps 2/4 RUN --mount=… npm ci`."""

import re

# `deps 2/4 RUN npm ci`
_NAME = re.compile(r"^(?P<stage>.*?) ?(?P<number>\d+/\d+) (?P<instruction>.*)$", re.DOTALL)
# `RUN --mount=type=cache,target=/cache/npm --network=none npm ci`
_FLAGS = re.compile(r"^(?P<keyword>[A-Z]+)(?P<flags>( --[a-z-]+(=\S+)?)+) ")
# `RUN set -eux; npm ci`
_SHELL_OPTIONS = re.compile(r"^RUN set -\w+( pipefail)?(;| &&) *")


def one_line(name: str) -> str:
    return " ".join(name.split())


def stage_of(name: str) -> str:
    """`deps` of `deps 2/4 RUN npm ci`; empty for the only stage of a Dockerfile."""
    match = _NAME.match(one_line(name))
    return match["stage"] if match else ""


def written_of(name: str) -> str:
    """The whole instruction, also of a step that an ONBUILD brought, without its stage and number."""
    match = _NAME.match(one_line(name))
    return (match["instruction"] if match else one_line(name)).removeprefix("ONBUILD ")


def instruction_of(name: str) -> str:
    """What a step does, without its stage, number and mounts: `RUN npm ci`."""
    match = _NAME.match(one_line(name))
    return bare(match["instruction"]) if match else _SHELL_OPTIONS.sub("RUN ", one_line(name))


def bare(instruction: str) -> str:
    """An instruction without its mounts and shell options."""
    return _SHELL_OPTIONS.sub("RUN ", _FLAGS.sub(_without_flags, instruction))


def _without_flags(match: re.Match[str]) -> str:
    # Of the flags only `--from` tells what a step does.
    kept = [flag for flag in match["flags"].split() if flag.startswith("--from")]
    return f"{' '.join([match['keyword'], *kept])} "
