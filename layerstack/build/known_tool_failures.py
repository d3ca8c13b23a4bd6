"""What tools write when they fail in a RUN step, with the reason in a sentence and what to do."""

import re

_ABOVE = "In a step above this one,"
_NO_NETWORK = "Check this machine's network; behind a proxy, set it in ~/.docker/config.json."


def _packages(debian: str, alpine: str) -> str:
    return f"`apt-get install -y {debian}` (Alpine: `apk add {alpine}`)."


# A line that only warns: a tool that tries again may get what it wants, and fail for another reason.
_NO_WARNING = r"^(?!W: |warning: |npm warn ).*"
# `sh: 1: tsc: not found`, BusyBox's `/bin/sh: tsc: not found`, `./build.sh: line 3: tsc: command not found`
_SHELL = r"(?:^|\s)(?:\S*sh: (?:line )?\d+: |(?:/\S+/)?(?:ba|da|a)?sh: )"
_COMPILER = r"(?:gcc|g\+\+|cc|c\+\+|clang|[\w-]+-gcc)"
# Pattern in the log → reason and repair; groups of the pattern fill both in, and `{inside}` is the folder of the build
# context as an option of a shell, `cd web && `. The first that matches counts: a failed download is named before what
# it led to. Seen with npm 10 and 11, pip 23 and 26, uv, yarn 1 and 4, pnpm 9, cargo 1.95, make 4.3, CMake 3.25, Maven
# and apt 2.6; the others are from reports about the tools.
KNOWN = tuple(
    (re.compile(pattern, re.MULTILINE | re.IGNORECASE), reason, repair)
    for pattern, reason, repair in (
        *(
            (pattern, "the build cannot reach {name}: its name is not resolved", _NO_NETWORK)
            for pattern in (
                # apt and pip only warn of it, and name as an error what it led to.
                r"Temporary failure resolving '(?P<name>[^'\n]+)'[\s\S]*^E: ",
                r"^WARNING: Retrying .*Failed to resolve '(?P<name>[^'\n]+)'[\s\S]*\(from versions: none\)",
                r"^WARNING: (?:Ignoring|fetching) https?://(?P<name>[^/:\s]+)\S* temporary error"
                r"[\s\S]*\(no such package\)",
                rf"{_NO_WARNING}wget: (?:bad address|unable to resolve host address) ['‘](?P<name>[^'’:]+)",
                # Gradle and bundlers of JavaScript use the same words for a package or a file.
                rf"{_NO_WARNING}Could not resolve host(?:name)?: (?P<name>[\w.-]+)",
                rf"{_NO_WARNING}getaddrinfo (?:EAI_AGAIN|ENOTFOUND) (?P<name>[\w.-]+)",
                r"error sending request for url \(https?://(?P<name>[^/:)]+)[\s\S]*?failed to lookup address",
            )
        ),
        (
            r"^WARNING: Retrying .*failure in name resolution[\s\S]*\(from versions: none\)",
            "the build cannot reach pip's index: its name is not resolved",
            _NO_NETWORK,
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
            "a package is not the one that package-lock.json was made with (EINTEGRITY): {wanted}… was expected",
            "Undo a change of package-lock.json, or remove that package's entry there and "
            "`{inside}npm install --package-lock-only`.",
        ),
        (
            r"^WARNING: Retrying .*host='(?P<name>[^']+)', port=\d+\).*refused[\s\S]*\(from versions: none\)",
            "the build cannot reach {name}: the connection is refused",
            "Correct the index's address (pip.conf, an option); 127.0.0.1 is the build's own container.",
        ),
        (
            rf"{_NO_WARNING}ECONNREFUSED (?P<name>[\w.:-]+)",
            "the build cannot reach {name}: the connection is refused",
            "Correct the address (.npmrc, an option): 127.0.0.1 is the build's own container, and no service of the "
            "stack is in reach of a build.",
        ),
        (
            # The last script that was begun: those before it have ended.
            r"^> \S+@\S+ (?P<script>\S+)(?: \S+)?\n> .*\n(?:(?!> \S+@).*\n)*?"
            r"sh: (?:(?:line )?\d+: )?(?P<name>[^\s:]+): (?:command )?not found",
            "the script `{script}` needs `{name}`, which no package of the image brings",
            "Install it with devDependencies above this step (no `--omit=dev`, no NODE_ENV=production), "
            "or add it: `{inside}npm install -D {name}`.",
        ),
        (
            r"npm (?:error|ERR!) 404\s+(?:The requested resource )?'(?P<name>[^']+)' (?:is not in|could not be found)",
            "npm knows no package {name}",
            "",
        ),
        (r"^(?P<name>\S+) is not in the npm registry", "pnpm knows no package {name}", ""),
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
        (r"No matching version found for (?P<name>\S+?)\.?(?:\s|$)", "the registry has no version {name}", ""),
        (
            r"Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`"
            r"|YN0028: .*The lockfile would have been modified",
            "yarn.lock is not in sync with package.json",
            "`{inside}yarn install`",
        ),
        (
            r"ERR_PNPM_OUTDATED_LOCKFILE",
            "pnpm-lock.yaml is not in sync with package.json",
            "`{inside}pnpm install --lockfile-only`",
        ),
        (
            rf"(?:command '{_COMPILER}' failed: No such file|unable to execute '{_COMPILER}': No such file"
            rf"|No such file or directory: '{_COMPILER}'|linker `cc` not found|No CMAKE_C\w*_COMPILER could be found"
            r"|no acceptable C compiler found|C compiler cannot create executables"
            r"|gyp ERR! stack Error: not found: make)",
            "the image has no C compiler, which what is built here needs",
            f"{_ABOVE} install one: {_packages('build-essential', 'build-base')}",
        ),
        (
            r"(?:fatal error:|error:) (?P<name>[\w/.+-]+\.h(?:pp)?)(?:: No such file| file not found)",
            "the compiler finds no header {name}",
            f"{_ABOVE} install the -dev package that has it (`apt-file search {{name}}` names it), or copy your own.",
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
            # Versions for other Pythons are listed also where none of them was asked for.
            r"require a different python version:.* (?P<version>\S+) Requires-Python [\s\S]*"
            r"No matching distribution found for (?P<name>[^\s(=]+==(?P=version))\s*$",
            "{name} is not for the Python of this image",
            "Take a version that is, or FROM an image with another Python.",
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
        (r"Because there is no version of (?P<name>\S+)", "uv finds no version {name}", ""),
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
        (
            r"E: Failed to fetch (?P<name>\S+)\s+404 ",
            "apt's package lists are out of date: the server no longer has {name}",
            "`apt-get update` in the same step, so that none from the cache is used.",
        ),
        (r"E: Package '(?P<name>[^']+)' has no installation candidate", "apt has no candidate for {name}", ""),
        (
            r"E: Version '(?P<version>[^']+)' for '(?P<name>[^']+)' was not found",
            "apt has no version {version} of {name}",
            "Name a version that the distribution has, or none.",
        ),
        (r"^\s*(?P<name>\S+) \(no such package\)", "apk knows no package {name}", ""),
        (r"no matching package named `(?P<name>[^`]+)` found", "cargo finds no package {name}", ""),
        (
            r"lock file \S+ (?:needs to be updated but|because) --locked was passed",
            "Cargo.lock is not in sync with Cargo.toml",
            # `cargo generate-lockfile` would take the newest version of everything.
            "`{inside}cargo update --workspace`",
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
            r"deployment mode after changing\s+your Gemfile|lockfile can't be updated because frozen mode is set",
            "Gemfile.lock is not in sync with Gemfile",
            "`{inside}bundle lock`",
        ),
        (
            r"Your Ruby version is (?P<have>[\d.]+), but your Gemfile specified (?:[~>=]+ )?(?P<wanted>[\d.]+)",
            "the Gemfile wants Ruby {wanted}, and this image has {have}",
            "FROM ruby:{wanted}, or change the `ruby` line of the Gemfile.",
        ),
        (
            r"Required package \"(?P<name>[^\"]+)\" is not present in the lock file",
            "composer.lock is not in sync with composer.json: it has no {name}",
            "`{inside}composer update {name}`",
        ),
        (
            r"requires ext-(?P<name>\w+) .*missing from your system",
            "PHP in this image has no extension {name}",
            f"{_ABOVE} install it: `docker-php-ext-install {{name}}`, or the distribution's package.",
        ),
        (r"missing go\.sum entry", "go.sum is not in sync with go.mod", "`{inside}go mod tidy`"),
        (
            r"/run/secrets/(?P<name>[\w.-]+)'?: No such file",
            "the build is given no secret {name}",
            "Begin the step with `RUN --mount=type=secret,id={name}`, and name it in the `secrets:` of the `build:`, "
            "with a `file:` or an `environment:`.",
        ),
        (
            r"/bin/sh: (?:(?:line )?\d+: )?(?P<name>source|shopt|declare|pushd|popd|\[\[): not found",
            "`{name}` is a word of bash, and RUN uses /bin/sh",
            'Above this step: `SHELL ["/bin/bash", "-c"]`, or write it as sh has it (`.` for `source`, `[` for `[[`).',
        ),
        (
            r"/bin/sh: (?:(?:line )?\d+: )?(?P<name>Bad substitution|set: Illegal option -o pipefail)",
            "this is bash ({name}), and RUN uses /bin/sh",
            'Above this step: `SHELL ["/bin/bash", "-c"]`.',
        ),
        (
            r"^npm (?:error|ERR!) JSON\.parse (?:Invalid package\.json: JSONParseError: )?"
            r"(?P<words>(?:Unexpected|Expected|Bad|Unterminated|Failed) .+)$",
            "package.json is no JSON: {words}",
            "`{inside}node -p \"JSON.parse(fs.readFileSync('package.json'))\"` shows the place.",
        ),
        (
            r"SyntaxError: (?P<words>Cannot use import statement outside a module|Unexpected token 'export')",
            "{words}: Node.js takes the file for CommonJS",
            'Write `"type": "module"` into package.json, or name the file `.mjs`.',
        ),
        (
            r"Do you want to continue\? \[Y/n\] Abort",
            "apt asked whether to go on, and nobody answers in a build",
            "`apt-get install -y`",
        ),
        (
            rf"{_SHELL}(?P<name>apk|apt|apt-get|dnf|microdnf|yum|pacman|zypper): (?:command )?not found",
            "the image is of another distribution: it has no program `{name}`",
            "Use its own: apk on Alpine, apt-get on Debian and Ubuntu, microdnf or dnf on Red Hat and Fedora.",
        ),
        # Compilers end with how many errors there were, or with the last: the first is the one to correct.
        (r"^error(?:\[\w+\])?: (?P<words>.+)\n\s*--> (?P<place>\S+)", "{place}: {words}", "Correct {place}."),
        (
            r"^(?P<place>[^\s:(]+\.\w+(?::\d+(?::\d+)?|\(\d+,\d+\))): (?:fatal )?error:? (?P<words>.+)$",
            "{place}: {words}",
            "Correct {place}.",
        ),
        (r"^(?:vet: )?(?P<place>\S+\.go:\d+:\d+): (?P<words>.+)$", "{place}: {words}", "Correct {place}."),
        (
            r"^\[ERROR\] (?P<place>\S+\.\w+:\[\d+,\d+\]) (?P<words>.+)$",
            "{place}: {words}",
            "Correct {place}.",
        ),
        (
            r"^CMake Error at .*:\n\s+(?:Could NOT find |By not providing \"Find)(?P<name>[\w+-]+)",
            "CMake finds no {name}",
            f"{_ABOVE} install the -dev package of {{name}}.",
        ),
        (r"^CMake Error at (?P<place>\S+:\d+).*:\n\s+(?P<words>.+)", "{place}: {words}", ""),
        # A script may ask for a program and do without it: what else is known comes first.
        (
            rf"{_SHELL}(?P<name>[^\s:/]+): (?:command )?not found",
            "the image has no program `{name}`",
            "Install it in a step above this one.",
        ),
        (
            r"^make(?:\[\d+\])?: (?P<name>[\w.+-]+): No such file or directory\nmake.* Error 127$",
            "the image has no program `{name}`",
            "Install it in a step above this one.",
        ),
        (r"^\* What went wrong:\n(?P<words>.+(?:\n\s*> .+)*)", "{words}", ""),
        (r"^\[ERROR\] (?P<words>Failed to execute goal .+?)(?: -> \[Help \d+\])?$", "{words}", ""),
    )
)
