"""Why a program in a RUN step failed, from the output of npm, pip, uv, apt, cargo and others, and how to fix it."""

import re
import shlex
from dataclasses import dataclass

SHOWN_LINES = 10
FEW_LINES = 5


@dataclass(frozen=True)
class ToolFailure:
    """`reason` is a sentence without its end, `repair` what to do; "" where that is not known."""

    reason: str
    repair: str = ""


_ABOVE = "In a step above this one,"


def _packages(debian: str, alpine: str) -> str:
    return f"`apt-get install -y {debian}` (Alpine: `apk add {alpine}`)."


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
        (
            r"npm (?:error|ERR!) Integrity checksum failed when using \w+: wanted (?P<wanted>\S{20})",
            "a package is not the one that package-lock.json was made with (EINTEGRITY): it has {wanted}…",
            "`git checkout package-lock.json`, or remove that package's entry there and "
            "`{inside}npm install --package-lock-only`.",
        ),
        (
            r"(?:ECONNREFUSED |host='(?=[^']+', port=\d+\).*refused))(?P<name>[\w.:-]+)",
            "the build cannot reach {name}: the connection is refused",
            "Correct the registry's address (.npmrc, pip.conf, an option); 127.0.0.1 is the build's own container.",
        ),
        (
            r"^> \S+@\S+ (?P<script>\S+)\n> .*\n[\s\S]*^sh: (?:line )?\d+: (?P<name>[^\s:]+): not found",
            "the script `{script}` needs `{name}`, which no package of the image brings",
            "Install it with devDependencies above this step (no `--omit=dev`, no NODE_ENV=production), "
            "or add it: `{inside}npm install -D {name}`.",
        ),
        (r"npm (?:error|ERR!) 404\s+'(?P<name>[^']+)' is not in", "npm knows no package {name}", ""),
        (
            r"npm (?:error|ERR!) Found: (?P<found>\S+)[\s\S]*?npm (?:error|ERR!) peer (?P<peer>.+?) from (?P<by>\S+)",
            "{by} needs the peer {peer}, and the project has {found} (ERESOLVE)",
            "Change one of the two in package.json, then `{inside}npm install --package-lock-only`.",
        ),
        (
            r"npm (?:error|ERR!) notsup Not compatible with your version of node/npm: (?P<name>\S+)\s+"
            r"npm (?:error|ERR!) notsup Required: +(?P<wanted>.+)\s+npm (?:error|ERR!) notsup Actual: +(?P<have>.+)",
            "{name} is for {wanted}, and this image has {have} (EBADENGINE)",
            "FROM an image with such a version, or change `engines` of package.json.",
        ),
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
            r"(?:command '(?P<compiler>gcc|g\+\+|cc|clang|[\w-]+-gcc)' failed: No such file"
            r"|unable to execute '(?P<other>\S+)': No such file|linker `cc` not found"
            r"|No CMAKE_C\w*_COMPILER could be found"
            r"|C compiler cannot create executables|gyp ERR! stack Error: not found: make)",
            "the image has no C compiler, which a package needs that is built from its source",
            f"{_ABOVE} install one: {_packages('build-essential', 'build-base')}",
        ),
        (
            r"(?:fatal error:|error:) (?P<name>[\w/.+-]+\.h(?:pp)?)(?:: No such file| file not found)",
            "the image has no header {name}, which a package needs that is built from its source",
            f"{_ABOVE} install the -dev package that has it (`apt-file search {{name}}` names it).",
        ),
        (
            r"(?:^|Error: |error: )(?P<name>pg_config|mysql_config|[\w-]+-config) (?:executable )?not found",
            "the image has no program `{name}`, which a package needs that is built from its source",
            f"{_ABOVE} install the -dev package that has it (`apt-file search bin/{{name}}` names it).",
        ),
        (
            r"(?:Cannot find command '|exec: \"|spawn )(?P<name>[\w.+-]+)(?:'|\": executable file not found| ENOENT)",
            "the image has no program `{name}`",
            "Install it in a step above this one.",
        ),
        (
            r"The conflict is caused by:\s*\n\s*(?P<one>.+?)\s*\n\s*(?P<other>.+?)\s*$",
            "the requirements contradict each other: {one}, and {other}",
            "Change one of the two.",
        ),
        (
            r"Ignored the following versions that require a different python version: .*[\s\S]*"
            r"No matching distribution found for (?P<name>[^\s(]+)",
            "{name} is not for the Python of this image",
            "Take a version of {name} that is, or FROM an image with a newer Python.",
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
            r"THESE PACKAGES DO NOT MATCH THE HASHES.*\s+(?P<name>\S+) (?:from .*)?:?\s*\n\s*Expected sha256 \S+"
            r"[\s\S]*?Got\s+(?P<got>[0-9a-f]{8})",
            "{name} does not match its hash in the requirements",
            "Lock the requirements again; where you trust the new file, its hash is the one after `Got` ({got}…).",
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
        (
            r"no required module provides package (?P<name>[^\s;]+)",
            "go.mod has no module with the package {name}",
            "`{inside}go get {name}`",
        ),
        (
            r"go\.mod requires go >= (?P<wanted>[\d.]+) \(running go (?P<have>[\d.]+)",
            "go.mod wants Go {wanted}, and this image has {have}",
            "FROM golang:{wanted}, or change the `go` line of go.mod.",
        ),
        (
            r"(?:deployment|frozen) mode after changing\s+your Gemfile|gemspecs? (?:in|for) .* changed",
            "Gemfile.lock is not in sync with Gemfile",
            "`{inside}bundle lock`",
        ),
        (
            r"Your Ruby version is (?P<have>[\d.]+), but your Gemfile specified (?P<wanted>\S+)",
            "the Gemfile wants Ruby {wanted}, and this image has {have}",
            "FROM ruby:{wanted}, or change the `ruby` line of the Gemfile.",
        ),
        (
            r"lock file is not up to date with the latest changes in composer\.json",
            "composer.lock is not in sync with composer.json",
            "`{inside}composer update --lock`",
        ),
        (r"missing go\.sum entry", "go.sum is not in sync with go.mod", "`{inside}go mod tidy`"),
        (
            r"/run/secrets/(?P<name>[\w.-]+)'?: No such file",
            "the build is given no secret {name}",
            "Name it in the `secrets:` of the `build:`, and give it a `file:` or an `environment:`.",
        ),
        (
            r"/bin/sh: (?:line )?\d+: (?P<name>source|shopt|declare|pushd|popd|\[\[): not found",
            "`{name}` is a word of bash, and RUN uses /bin/sh",
            'Above this step: `SHELL ["/bin/bash", "-c"]`, or write it as sh has it (`.` for `source`, `[` for `[[`).',
        ),
        (
            r"/bin/sh: (?:line )?\d+: (?P<name>Bad substitution|set: Illegal option -o pipefail)",
            "this is bash ({name}), and RUN uses /bin/sh",
            'Above this step: `SHELL ["/bin/bash", "-c"]`.',
        ),
        (
            r"Do you want to continue\? \[Y/n\] Abort",
            "apt asked whether to go on, and nobody answers in a build",
            "`apt-get install -y`",
        ),
        (
            r"sh: (?:line )?\d+: (?P<name>apk|apt|apt-get|dnf|microdnf|yum|pacman|zypper): (?:command )?not found",
            "the image is of another distribution: it has no program `{name}`",
            "Use its own: apk on Alpine, apt-get on Debian and Ubuntu, microdnf or dnf on Red Hat and Fedora.",
        ),
        (
            r"(?:ba|da|a)?sh: (?:line )?\d+: (?P<name>[^\s:]+): (?:command )?not found",
            "the image has no program `{name}`",
            "Install it in a step above this one.",
        ),
        # Compilers end with how many errors there were, or with the last: the first is the one to correct.
        (r"^error(?:\[\w+\])?: (?P<words>.+)\n\s*--> (?P<place>\S+)", "{place}: {words}", "Correct {place}."),
        (
            r"^(?P<place>[^\s:(]+\.\w+(?::\d+(?::\d+)?|\(\d+,\d+\))): (?:fatal )?error:? (?P<words>.+)$",
            "{place}: {words}",
            "Correct {place}.",
        ),
        (r"^(?:vet: )?(?P<place>\S+\.go:\d+:\d+): (?P<words>.+)$", "{place}: {words}", "Correct {place}."),
    )
)
# `E: Unable to locate package foo`, `error: could not compile`
_ERROR = re.compile(r"(?:error|exception|fatal|failed|cannot|could not|not found|no such|denied)\b|^E: ", re.IGNORECASE)
# `error: externally-managed-environment`, `FATAL: kernel too old`
_ANNOUNCED = re.compile(r"\s*(?:error|fatal(?: error)?|E)\b ?: ?\S", re.IGNORECASE)
# `Hint: = is not a valid operator. Did you mean == ?`, `  = help: consider adding it`
_HINT = re.compile(r"^\s*(?:= )?(?:hint|help|tip): ?(?P<words>\S.*)$", re.IGNORECASE)
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
    shown = shown_lines(log)
    errors = [line for line in shown if _ERROR.search(line) and not _HINT.match(line)]
    # Some tools explain an error at length: its own line is further up, and says at its beginning what it is.
    errors = errors or [line for line in log.splitlines() if _ANNOUNCED.match(line)]
    # What a program says last, before it fails, mostly says why; a long output may end with anything.
    errors = errors or (shown if len(shown) <= FEW_LINES else [])
    hints = [match["words"].strip() for line in shown if (match := _HINT.match(line))]
    return ToolFailure(errors[-1].strip().removesuffix(".") if errors else "", hints[-1] if hints else "")


def shown_lines(log: str) -> list[str]:
    """The last lines that are not noise."""
    return [line for line in log.strip().splitlines() if not _NOISE.match(line)][-SHOWN_LINES:]
