"""Source files that a program cannot load, with file and line by their names in the project."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from layerstack.run.fault import Fault
from layerstack.run.own_file import contexts
from layerstack.verify.evidence import Evidence, Rule
from layerstack.verify.last_words import shortened
from layerstack.verify.own_command import where_command
from layerstack.wording import nearest

# The last line of what Node.js and Python print when a file cannot be loaded, also when a watcher goes on after it:
# `Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'express' imported from /app/server.js`
ERROR = re.compile(r"^(?:Uncaught )?(?P<name>(?:[A-Z]\w*)?Error)(?: \[\w+\])?: (?P<words>.+)$")
BROKEN_TEXT = ("SyntaxError", "IndentationError", "TabError")
# `No module named 'flask'`, `Cannot find package 'express' imported from /app/server.js`
PACKAGE = re.compile(
    r"No module named '(?P<python>[\w.]+)'|Cannot find (?:package|module) '(?P<node>(?:@[\w.-]+/)?[\w.-]+)'"
)
# `/opt/venv/bin/python: No module named workers`, `ModuleNotFoundError: No module named 'main'`, and as gunicorn and
# uvicorn say that the module lacks the name after the colon.
OF_COMMAND = re.compile(
    r"^(?:\S*python\S*|ModuleNotFoundError): No module named '?(?P<name>[\w.]+)'?$"
    r"|Failed to find attribute '(?P<gunicorn>\w+)' in|Attribute \"(?P<uvicorn>\w+)\" not found in module"
)
# What other languages say of a package that is not installed: Perl, Ruby, Java, PHP.
OTHER_PACKAGE = re.compile(
    r"you may need to install the (?P<perl>[\w:]+) module|cannot load such file -- (?P<ruby>[\w-]+(?:/[\w-]+)*)\b"
    r"|(?:ClassNotFoundException|NoClassDefFoundError): (?P<java>[\w./$]+)|Class \"(?P<php>[\w\\]+)\" not found"
)
# Where Perl and Ruby say so: `at /srv/poll.pl line 1.`, `/app/app.rb:1:in 'require'`
AT_LINE = re.compile(r"\bat (?P<path>/\S+) line (?P<line>\d+)|(?P<ruby>/\S+\.(?:rb|php)):(?P<number>\d+)")
# `Cannot find module './routes.js'`, `cannot import name 'app' from 'main'`
OWN_MODULE = re.compile(r"Cannot find module '(?P<path>[./][^']*)'|cannot import name '")
# `File "/app/main.py", line 3`, `/app/server.js:34`
PLACE = re.compile(r"(?:file://)?(?P<path>/[^\s:()\"']+\.\w+)(?:\", line |:)(?P<line>\d+)")
# `cannot import name 'UTC' from 'datetime' (/usr/lib/python3.9/datetime.py)`
INSTALLED = re.compile(r"/python(?P<version>3\.\d+)/(?:(?:site|dist)-packages/(?P<package>[\w-]+))?")
# `imported from /app/server.js`
IMPORTER = re.compile(r"imported from (?:file://)?(?P<path>/[^\s:()\"']+)")
# An error only passes through these: what can be corrected is a line of the project.
NOT_OURS = ("/node_modules/", "/site-packages/", "/dist-packages/", "/usr/lib/", "/usr/local/lib/", "/opt/venv/")
# A block of a traceback or a stack is longer than this only when somebody's framework is in it.
NEAR_LINES = 30
# Success, and ends by SIGINT, SIGKILL and SIGTERM.
ENDED_FROM_OUTSIDE = (0, 130, 137, 143)
# A watcher that has started the program again since.
STARTED_AGAIN = re.compile(r"\b(?:saved|restarting|restarted|reloading|listening|starting)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Complaint:
    """One error of loading: `place` is `file:line` in the container, "" where none is named."""

    name: str
    words: str
    path: str
    line: str


def cannot_load(seen: Evidence) -> Fault | None:
    """The program has ended of it, or nothing listens where it should, although the container goes on."""
    if not (_is_down(seen) and (found := read_complaint(seen.plain_log))):
        return None
    package = PACKAGE.search(found.words)
    module = (package["python"] or package["node"]) if package else ""
    file = seen.own_name(found.path) if found.path else ""
    place = f"{file}:{found.line}".rstrip(":") if file else "its source"
    if module and (hidden := _hidden(seen, found.path, module, place) or _covered(seen, module)):
        return hidden
    # A module of the project is nothing to install: its import is to be corrected.
    if module and not _is_own(seen, module):
        words = f"{place} needs the package {module}, which its image does not have"
        change = f"add {module} to what its image installs (or correct the name in {place})"
        return Fault("module-missing", words, seen.renewal(""), change)
    words = f"cannot load its code: {found.name} in {place}: {found.words}"
    # The file that lacks the name is Python's own or a package's: it is of the wrong version.
    if origin := INSTALLED.search(found.words):
        if name := origin["package"]:
            change = f"install a version of {name} in its image that has that name (or correct {place})"
            return Fault("module-missing", words, seen.again, change)
        change = f"take an image with a newer Python than {origin['version']}, or correct {place}"
        return Fault("code-broken", words, seen.renewal(found.path), change)
    return Fault("code-broken", words, seen.renewal(found.path), f"correct {place}")


def asked_for(seen: Evidence) -> Fault | None:
    """A module that a variable asks for: `NODE_OPTIONS: --require ./otel.js`."""
    found = read_complaint(seen.plain_log) if seen.last_exit else None
    module = OWN_MODULE.search(found.words) if found else None
    path = module["path"] if module else ""
    variable = next((name for name, value in seen.environment.items() if path and path in value.split()), "")
    if not variable:
        return None
    words = f"cannot load {path}, which the variable {variable} names: it is not there"
    return Fault("variable-wrong", words, seen.up, f"correct {seen.variable(variable)}")


def package_missing(seen: Evidence) -> Fault | None:
    """A package of another language than Python and JavaScript that is not installed."""
    said = next((line for line in reversed(seen.plain_log) if OTHER_PACKAGE.search(line)), "") if seen.last_exit else ""
    match = OTHER_PACKAGE.search(said)
    if match is None or (match["ruby"] and match["ruby"].startswith("/")):
        return None
    name = next(filter(None, match.groups()))
    near = (seen.own_name(one["path"] or one["ruby"]) for line in seen.plain_log for one in AT_LINE.finditer(line))
    file = next((one for one in near if not one.startswith("/")), "")
    words = f"{file or 'its source'} needs {name}, which its image does not have"
    where = f"in {seen.image.dockerfile_place}" if seen.image else "in its image"
    change = f"install {name} {where} (or correct the name{f' in {file}' if file else ''})"
    return Fault("module-missing", words, seen.again, change)


def misnamed_module(seen: Evidence) -> Fault | None:
    """A module, or a name in it, that the command itself names: `python -m worker`, `gunicorn main:app`."""
    found = (OF_COMMAND.search(line.strip()) for line in seen.plain_log) if _is_down(seen) else ()
    match = next(filter(None, found), None)
    words = [word.partition(":") for word in (seen.container.argv if seen.container else ())]
    name = next(filter(None, match.groups()), "") if match else ""
    change, again = f"correct {where_command(seen)}", seen.again
    if seen.declared("command"):
        again = f"invoke up {seen.name}"
    if match and match["name"] is None:
        if any(attribute == name for _, _, attribute in words):
            cause = f"its command names {name}, which its module does not have"
            return Fault("module-missing", cause, again, change)
        return None
    # Of `ledger.workers` the package may be there, and only the module in it not.
    if not name or not any(module == name for module, _, _ in words) or ("." not in name and _is_own(seen, name)):
        return None
    own = _own_modules(seen, name)
    near = nearest(name, own)
    hint = f" (did you mean {near}?)" if near else f" (there is {', '.join(sorted(own)[:3])})" if own else ""
    return Fault("module-missing", f"its command names the module {name}, which is not there{hint}", again, change)


def _covered(seen: Evidence, module: str) -> Fault | None:
    """A module of the image that a mount over its folder hides."""
    folder = seen.container.folder if seen.container else ""
    path = str(PurePosixPath(folder or "/", *module.split(".")))
    mount = seen.mount_at(path)
    if (
        mount is None
        or mount.kind != "bind"
        or not (seen.in_image(f"{path}.py") or seen.in_image(f"{path}/__init__.py"))
    ):
        return None
    words = f"needs {module}, which its image has in {folder}, and {mount.words} hides it"
    declared = seen.written("volumes", mount.target)
    where = declared.place if declared else f"the volumes of {seen.name}"
    change = f"mount the folder that has {module}, or nothing there ({where})"
    return Fault("module-missing", words, f"invoke up {seen.name}", change)


def _hidden(seen: Evidence, path: str, module: str, location: str) -> Fault | None:
    """A package of Node.js that the image has and a mount hides: the folder of this machine, or an old volume."""
    # Node.js looks for packages beside the file and in every folder above it.
    for folder in PurePosixPath(path).parents if path else ():
        packages = str(folder / "node_modules")
        mount = seen.mount_at(packages)
        if mount is None or not seen.in_image(f"{packages}/{module}"):
            continue
        words = f"{location} needs the package {module}: its image has it, and {mount.words} hides it"
        if mount.kind == "bind":
            change = f"keep the image's own packages: add `- {packages}` to the volumes ({seen.place_of(mount)})"
            return Fault("module-missing", words, seen.up, change)
        if mount.target == packages:
            # A volume is filled from the image only while it is empty; `rm --volumes` removes anonymous ones only.
            remove = seen.project.compose_line("rm", "--stop", "--force", "--volumes", seen.name)
            volume = "" if mount.is_anonymous else f" && docker volume rm {mount.source}"
            return Fault("module-missing", words, f"{remove}{volume} && invoke up {seen.name}")
    return None


def find_origin(seen: Evidence, error: str = "") -> tuple[str, str] | None:
    """(`file:line` of the project where an error came from, what runs the corrected file); None where unknown.

    Without `error` it is the last one of a program that has ended.
    """
    log, error = seen.plain_log, error or seen.last_error
    last = next((number for number in range(len(log) - 1, -1, -1) if shortened(log[number]) == error), None)
    path, line = _place(log, last) if last is not None else ("", "")
    file = seen.own_name(path) if path else ""
    is_known = bool(file) and (seen.project.root / file).is_file()
    return (f"{file}:{line}", seen.renewal(path)) if is_known else None


def read_complaint(log: Sequence[str]) -> Complaint | None:
    """The last error of loading in a log, None when its program was started again after it."""
    for number in range(len(log) - 1, -1, -1):
        if STARTED_AGAIN.search(log[number]) and "waiting" not in log[number]:
            return None
        match = ERROR.match(log[number].strip())
        if match and _is_of_loading(match):
            path, line = _place(log, number)
            return Complaint(match["name"], match["words"], path, line)
    return None


def _is_of_loading(match: "re.Match[str]") -> bool:
    if match["name"] in BROKEN_TEXT:
        # A text that the program reads, and not its code.
        return "JSON" not in match["words"]
    return bool(PACKAGE.search(match["words"]) or OWN_MODULE.search(match["words"]))


def _place(log: Sequence[str], number: int) -> tuple[str, str]:
    # Python and broken text print the place above the error, Node.js prints its stack below.
    above = [log[at] for at in range(number - 1, max(-1, number - NEAR_LINES), -1)]
    below = list(log[number + 1 : number + NEAR_LINES])
    if importer := IMPORTER.search(log[number]):
        named = [found for found in _places([*above, *below]) if found[0] == importer["path"]]
        return named[0] if named else (importer["path"], "")
    is_node_module = bool(re.search(r"Cannot find module", log[number]))
    return next(_places([*below, *above] if is_node_module else [*above, *below]), ("", ""))


def _places(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        for match in PLACE.finditer(line):
            if not any(folder in match["path"] for folder in NOT_OURS):
                yield match["path"], match["line"]


def _is_down(seen: Evidence) -> bool:
    """Whether its program ended by itself, or nothing listens where it should."""
    one = seen.container
    if one is None or not one.is_running:
        return one is not None and one.exit_code not in ENDED_FROM_OUTSIDE
    ports = {port.target for port in one.ports}
    if seen.listeners is None:
        # Without a look at its ports, only restarts by the engine show that it does not stay up.
        return bool(one.restart_count)
    return not any(found.port in ports for found in seen.listeners) if ports else not seen.listeners


def _own_modules(seen: Evidence, name: str) -> list[str]:
    """The modules of the project beside a dotted name, spelt as it is."""
    parent = name.rpartition(".")[0]
    folders = [folder.joinpath(*parent.split(".")) for folder in contexts(seen.project, seen.service)]
    here = [one for folder in folders if folder.is_dir() for one in folder.iterdir()]
    stems = [one.stem for one in here if (one.is_dir() or one.suffix == ".py") and not one.name.startswith("_")]
    return [f"{parent}.{stem}" if parent else stem for stem in stems]


def _is_own(seen: Evidence, module: str) -> bool:
    """Whether it is a module of the project, by its name among the mounted or copied folders."""
    name = module.partition(".")[0]
    folders = contexts(seen.project, seen.service)
    is_copied = any((folder / name).is_dir() or (folder / f"{name}.py").is_file() for folder in folders)
    return is_copied or any(mount.target.rstrip("/").endswith(f"/{name}") for mount in seen.mounts)


RULES: tuple[Rule, ...] = (misnamed_module, asked_for, cannot_load, package_missing)
