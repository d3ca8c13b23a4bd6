"""Why a program in a RUN step failed, from the output of npm, pip, uv, apt, cargo and others, and how to fix it."""

import re
import shlex
from dataclasses import dataclass

SHOWN_LINES = 10


@dataclass(frozen=True)
class ToolFailure:
    """`reason` is a sentence without its end, `repair` what to do; "" where that is not known."""

    reason: str
    repair: str = ""


# Pattern in the log → reason and repair; groups of the pattern fill both in, and `{inside}` is the folder of the build
# context as an option of a shell, `cd web && `. The first that matches counts: a failed download is named before what
# it led to. The texts of npm 10 and pip 25 were seen, the others are from the tools' own sources.
_KNOWN = tuple(
    (re.compile(pattern, re.MULTILINE | re.IGNORECASE), reason, repair)
    for pattern, reason, repair in (
        (
            r"(?:Temporary failure (?:resolving|in name resolution)|Could not resolve(?: host:)?|getaddrinfo EAI_AGAIN)"
            r"\s*:?\s*['\"]?(?P<name>[\w.-]+\.[a-z]+)",
            "the build cannot reach {name}: its name is not resolved",
            "Check this machine's network; behind a proxy, set it in ~/.docker/config.json.",
        ),
        (
            r"package\.json and package-lock\.json(?: or npm-shrinkwrap\.json)? are in sync",
            "package-lock.json is not in sync with package.json (EUSAGE)",
            "`{inside}npm install --package-lock-only`",
        ),
        (
            r"can only install with an existing package-lock\.json",
            "`npm ci` needs a package-lock.json, and there is none in the image",
            "`{inside}npm install --package-lock-only`, and copy the file before this step.",
        ),
        (r"npm (?:error|ERR!) 404\s+'(?P<name>[^']+)' is not in", "npm knows no package {name}", ""),
        (r"No matching version found for (?P<name>[^\s.]+(?:\.\d+)*)", "npm finds no version {name}", ""),
        (
            r"Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`",
            "yarn.lock is not in sync with package.json",
            "`{inside}yarn install`",
        ),
        (
            r"ERR_PNPM_OUTDATED_LOCKFILE",
            "pnpm-lock.yaml is not in sync with package.json",
            "`{inside}pnpm install --lockfile-only`",
        ),
        (
            r"No matching distribution found for (?P<name>[^\s(]+)",
            "pip finds no {name} for this Python and platform",
            "Correct name and version of {name}, or choose another Python.",
        ),
        (
            r"externally-managed-environment",
            "pip may not install into the system's Python of this image (PEP 668)",
            "Above this step: `RUN python3 -m venv /opt/venv` and `ENV PATH=/opt/venv/bin:$PATH`.",
        ),
        (
            r"THESE PACKAGES DO NOT MATCH THE HASHES",
            "a package does not match the hash in the requirements",
            "Lock the requirements again.",
        ),
        (
            r"Because (?P<name>\S+) was not found in the package registry",
            "uv finds no package {name}",
            "Correct the name of {name} in the requirements.",
        ),
        (
            r"lockfile at `?uv\.lock`? needs to be updated",
            "uv.lock is not in sync with pyproject.toml",
            "`{inside}uv lock`",
        ),
        (
            r"pyproject\.toml changed significantly since poetry\.lock",
            "poetry.lock is not in sync with pyproject.toml",
            "`{inside}poetry lock`",
        ),
        (
            r"E: Unable to locate package (?P<name>\S+)",
            "apt knows no package {name}",
            "Correct the name, or run `apt-get update` in the same step.",
        ),
        (r"E: Package '(?P<name>[^']+)' has no installation candidate", "apt has no candidate for {name}", ""),
        (
            r"E: Version '(?P<version>[^']+)' for '(?P<name>[^']+)' was not found",
            "apt has no version {version} of {name}",
            "Name a version that the distribution has, or none.",
        ),
        (r"(?P<name>\S+) \(no such package\)", "apk knows no package {name}", ""),
        (r"no matching package named `(?P<name>[^`]+)` found", "cargo finds no package {name}", ""),
        (
            r"lock file \S+ needs to be updated but --locked was passed",
            "Cargo.lock is not in sync with Cargo.toml",
            "`{inside}cargo generate-lockfile`",
        ),
        (r"missing go\.sum entry", "go.sum is not in sync with go.mod", "`{inside}go mod tidy`"),
        (
            r"(?:ba|da|a)?sh: (?:line )?\d+: (?P<name>[^\s:]+): (?:command )?not found",
            "the image has no program `{name}`",
            "Install it in a step above this one.",
        ),
    )
)
# `E: Unable to locate package foo`, `error: could not compile`
_ERROR = re.compile(r"(?:error|exception|fatal|failed|cannot|could not|not found|no such|denied)\b|^E: ", re.IGNORECASE)
# `error: externally-managed-environment`, `FATAL: kernel too old`
_ANNOUNCED = re.compile(r"\s*(?:error|fatal(?: error)?|E)\b ?: ?\S", re.IGNORECASE)
# What tools write around their error: usage, progress, advertising.
_NOISE = re.compile(
    r"^\s*$|^\s+at |^npm notice"
    r"|^npm (?:error|ERR!)\s*(?:$|aliases|Run \"npm help|A complete log|Options:|Usage:|npm ci\b|Clean install|\[)"
    r"|^Get:\d|^Reading |^Building dependency|^Fetched |^\[notice\]|^debconf:"
)


def read_failure(log: str, context: str) -> ToolFailure:
    """What the log of a failed step says; a reason that is "" where nothing in it looks like an error."""
    inside = f"cd {shlex.quote(context)} && " if context not in ("", ".") else ""
    for pattern, reason, repair in _KNOWN:
        if match := pattern.search(log):
            groups = {**match.groupdict(), "inside": inside}
            return ToolFailure(reason.format(**groups), repair.format(**groups))
    errors = [line for line in shown_lines(log) if _ERROR.search(line)]
    # Some tools explain an error at length: its own line is further up, and says at its beginning what it is.
    errors = errors or [line for line in log.splitlines() if _ANNOUNCED.match(line)]
    return ToolFailure(errors[-1].strip().removesuffix(".") if errors else "")


def shown_lines(log: str) -> list[str]:
    """The last lines that are not noise."""
    return [line for line in log.strip().splitlines() if not _NOISE.match(line)][-SHOWN_LINES:]
