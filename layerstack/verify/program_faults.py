"""Programs and libraries that a service cannot run or load: not in its image, or made for another system."""

import json
import posixpath
import re

from layerstack.run.declared import in_brackets
from layerstack.run.fault import Fault
from layerstack.verify.evidence import Evidence, Rule
from layerstack.verify.last_words import shortened
from layerstack.verify.own_command import where_command
from layerstack.wording import nearest

# A shell, Node.js, Go, and Python's subprocess, whose error alone may mean any file.
NOT_FOUND = re.compile(
    r"(?:^|: )(?P<shell>[\w.+-]+): (?:command )?not found$|\bspawn (?P<node>[\w.+-]+) ENOENT"
    r"|exec: \"(?P<go>[\w.+-]+)\": executable file not found|No such file or directory: '(?P<python>[\w.+-]+)'"
)
# In a traceback: `File "/usr/lib/python3.11/subprocess.py", line 1955, in _execute_child`
STARTS_PROGRAM = re.compile(r"\b_execute_child\b|\bos\.exec[lv]p?e?\(")
OTHER_PROCESSOR = re.compile(r"(?P<program>[\w./+-]+): exec format error", re.IGNORECASE)
# `libGL.so.1: cannot open shared object file`, and as musl says it
LIBRARY_MISSING = re.compile(
    r"(?P<gnu>[\w.+-]+\.so[\d.]*): cannot open shared object file|Error loading shared library (?P<musl>[\w.+-]+)"
)
# The name of the loader itself: the program was linked to another system's.
LOADER = re.compile(r"^(?:ld-(?:linux|musl)|libc\.(?:musl|so))")
# `/x.node: invalid ELF header`, `version 'GLIBC_2.38' not found (required by /x.node)`
UNFIT = re.compile(
    r"(?P<file>/[^\s:'\"]+\.(?:node|so[\d.]*)): (?:invalid ELF header|file too short|wrong ELF class|Error relocating)"
    r"|version [`'](?P<version>(?:GLIBC|GLIBCXX|CXXABI)_[\d.]+)' not found(?: \(required by (?P<user>[^)]+)\))?"
    r"|module '(?P<module>[^']+\.node)'\s*was compiled against a different"
)
# `KeyError: 'getpwuid(): uid not found: 4242'`, `whoami: cannot find name for user ID 4242`
NO_NAME = re.compile(
    r"(?:uid not found:|name for user ID|no user exists for uid|userid|uid) \d+"
    r"|uv_os_get_passwd returned ENOENT",
    re.IGNORECASE,
)
# `sudo: The "no new privileges" flag is set, which prevents sudo from running as root.`
NO_NEW_RIGHTS = re.compile(
    r"no new privileges|su: Authentication failure|must be (?:setuid|run from a setuid)|effective uid is not 0"
)
ENDING_LINES = 4
# The end by SIGILL, as engines and shells number it.
ILLEGAL_INSTRUCTION = 132
# `npm error Missing script: "serve"`
NO_SCRIPT = re.compile(
    r"Missing script: \"?(?P<name>[\w:.-]+)|Command \"(?P<yarn>[\w:.-]+)\" not found\.$"
    r"|^Unknown command: \"(?P<npm>[\w:.-]+)\"$"
)
# Those that npm itself takes, of which `npm strat` is a misspelling.
NPM_COMMANDS = ("start", "run", "test", "exec", "restart", "ci", "install")


def program_repeated(seen: Evidence) -> Fault | None:
    """A command that begins with the program which the entrypoint runs already, and gets itself as an argument."""
    one = seen.container
    if one is None or not seen.last_exit or len(one.argv) < 2:
        return None
    first, second = (posixpath.basename(word) for word in one.argv[:2])
    # `node node server.js` ends with `Cannot find module '/app/node'`.
    if first != second or not any(f"/{second}'" in line or f"/{second}:" in line for line in seen.log):
        return None
    words = f"its entrypoint runs {first}, and its command begins with {second} again"
    return Fault("command-missing", words, seen.again, f"remove {second} from {where_command(seen)}")


def library_missing(seen: Evidence) -> Fault | None:
    match = LIBRARY_MISSING.search(_ending(seen)) if seen.last_exit else None
    if match is None:
        return None
    name = match["gnu"] or match["musl"]
    where = _in_image(seen, f", or take one that has {name}")
    if LOADER.match(name):
        words = f"runs a program that was built for another system: {name} is not in its image"
        return Fault("library-unfit", words, seen.again, f"build or install it {where}, on the system that runs it")
    words = f"needs the library {name}, which its image does not have"
    return Fault("library-missing", words, seen.again, f"install the system package with {name} {where}")


def library_unfit(seen: Evidence) -> Fault | None:
    """A native module that the system of the image cannot load; one of the host's may hide the image's own."""
    match = UNFIT.search(_ending(seen)) if seen.last_exit else None
    if match is None:
        return None
    file = match["file"] or match["user"] or match["module"] or ""
    why = f": {match['version']} is not in its image" if match["version"] else ""
    words = f"cannot load {file or 'a native module'}: it was built for another system{why}"
    mount, folder = seen.mount_at(file), file.partition("/node_modules/")[0]
    if mount and mount.kind == "bind" and "/node_modules/" in file:
        where = in_brackets(seen.written("volumes", mount.target))
        if seen.service.is_built:
            change = f"keep the image's own: add `- {folder}/node_modules` below {mount.target}{where}"
            return Fault("library-unfit", words, seen.up, change)
        run = ("run", "--rm", "--no-deps", "--workdir", folder, "--entrypoint", "npm", seen.name, "rebuild")
        own = seen.project.compose_line(*run)
        return Fault("library-unfit", words, f"{own} && invoke up {seen.name}")
    change = f"build or install it {_in_image(seen)}, on the system that runs it"
    return Fault("library-unfit", words, seen.again, change)


def _in_image(seen: Evidence, otherwise: str = "") -> str:
    return f"in {seen.image.dockerfile_place}" if seen.image else f"in an image of its own{otherwise}"


def _ending(seen: Evidence) -> str:
    """Its last error, with what follows: a warning before it is none."""
    log = list(seen.plain_log)
    last = max((number for number, line in enumerate(log) if shortened(line) == seen.last_error), default=len(log) - 1)
    return "\n".join(log[last : last + ENDING_LINES]) if log else ""


def script_missing(seen: Evidence) -> Fault | None:
    """A script that package.json does not have."""
    match = next(filter(None, map(NO_SCRIPT.search, reversed(seen.log))), None) if seen.last_exit else None
    if match is None or seen.container is None:
        return None
    name = match["name"] or match["yarn"] or match["npm"]
    path = posixpath.join(seen.container.folder, "package.json")
    scripts = _scripts(seen.own_text(path))
    near = nearest(name, NPM_COMMANDS if match["npm"] else scripts)
    hint = f" (did you mean {near}?)" if near else ""
    if match["npm"]:
        words = f"runs `npm {name}`, and npm has no such command{hint}"
        return Fault("command-missing", words, seen.again, f"correct {where_command(seen)}")
    words = f"runs the script {name}, which {seen.own_name(path)} does not have{hint}"
    return Fault("command-missing", words, seen.again, f"correct {where_command(seen)}")


def _scripts(text: str) -> list[str]:
    try:
        return list(json.loads(text)["scripts"])
    except (ValueError, KeyError, TypeError):
        return []


def program_missing(seen: Evidence) -> Fault | None:
    """A program that the service itself calls, and ends because it is not there."""
    match = NOT_FOUND.search(seen.last_error)
    # With an error of the engine it is the container's own command: `command_missing` names that.
    if match is None or not seen.last_exit or (seen.container and seen.container.error):
        return None
    if match["python"] and not any(STARTS_PROGRAM.search(line) for line in seen.log):
        return None
    name = next(filter(None, match.groups()))
    install = f"install {name} in {seen.image.dockerfile_place}" if seen.image else f"take an image that has {name}"
    words = f"calls the program {name}, which its image does not have"
    return Fault("command-missing", words, seen.again, f"{install} (or correct the name where it is called)")


def other_processor(seen: Evidence) -> Fault | None:
    """A program that the kernel cannot read: built for another machine, or a script that names no interpreter."""
    match = OTHER_PROCESSOR.search(seen.last_error) if seen.last_exit else None
    if match is None:
        return None
    words = f"cannot run {match['program']}: it is made for another processor, or is a script without `#!`"
    declared = seen.declared("platform")
    change = f"remove {declared.place} (platform), or " if declared else ""
    make = f"put a {match['program']} for this machine into its image, or begin the script with `#!/bin/sh`"
    return Fault("not-executable", words, seen.again, f"{change}{make}")


def unknown_instruction(seen: Evidence) -> Fault | None:
    """A program that was compiled for a newer processor, as MongoDB 5 and TensorFlow are for one with AVX."""
    if seen.last_exit != ILLEGAL_INSTRUCTION:
        return None
    words = "uses an instruction that this machine's processor does not have (SIGILL); often it is one of AVX"
    declared = seen.declared("platform") or seen.declared("image")
    version = f"take a version or an image for this processor{in_brackets(declared)}"
    change = f"{version}; a virtual machine may hide what its host has (CPU type `host` shows it)"
    return Fault("not-executable", words, seen.again, change)


def user_nameless(seen: Evidence) -> Fault | None:
    """A user by number for whom the image has no name and no home."""
    match = NO_NAME.search(seen.last_error) if seen.last_exit else None
    declared = seen.declared("user")
    if match is None or declared is None:
        return None
    number = seen.container.user if seen.container else ""
    words = f"runs as the user {number} ({declared.place}), whom the image has no name for: {seen.last_error}"
    change = (
        f"write a user that its image has in {declared.place}, or add that number in its Dockerfile (`useradd --uid`)"
    )
    return Fault("user-unknown", words, f"invoke up {seen.name}", change)


def without_new_rights(seen: Evidence) -> Fault | None:
    """A program such as sudo that needs other rights than it was started with."""
    options = [str(one) for one in seen.service.definition.get("security_opt") or ()]
    if not NO_NEW_RIGHTS.search(seen.last_error) or not any("no-new-privileges" in one for one in options):
        return None
    declared = seen.declared("security_opt")
    where = f" ({declared.place})" if declared else ""
    words = f"may not change its user: `no-new-privileges`{where} takes that from sudo, su and the like"
    change = f"run it as the user that it needs (`user:`), or remove no-new-privileges{where}"
    return Fault("not-executable", words, f"invoke up {seen.name}", change)


FIRST: tuple[Rule, ...] = (program_repeated, library_missing, library_unfit, script_missing)
RULES: tuple[Rule, ...] = (other_processor, unknown_instruction, program_missing)
