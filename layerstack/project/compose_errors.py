"""Why Compose or bake cannot read a project: the wrong line, and the edit or command that repairs it."""

import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from layerstack.command import CommandResult, printable
from layerstack.errors import EngineError, StackError, UsageError, quoted_end
from layerstack.project.compose_source import ComposeSource, read_source
from layerstack.project.env_example import copy_that_sets, find_example
from layerstack.project.env_file import read_env_file
from layerstack.wording import did_you_mean, near_path, nearest, path_below

# The keys of a service that are written most; the schema's whole list would only make odder guesses.
SERVICE_KEYS = (
    *("build", "cap_add", "cap_drop", "command", "configs", "container_name", "depends_on", "deploy", "devices"),
    *("dns", "entrypoint", "env_file", "environment", "expose", "extends", "extra_hosts", "gpus", "healthcheck"),
    *("hostname", "image", "init", "labels", "logging", "mem_limit", "network_mode", "networks", "platform"),
    *("ports", "privileged", "profiles", "pull_policy", "read_only", "restart", "scale", "secrets", "shm_size"),
    *("stop_grace_period", "stop_signal", "tmpfs", "ulimits", "user", "volumes", "working_dir"),
)
BUILD_KEYS = (
    *("additional_contexts", "args", "cache_from", "cache_to", "context", "dockerfile", "dockerfile_inline"),
    *("entitlements", "extra_hosts", "labels", "network", "no_cache", "platforms", "privileged", "pull"),
    *("secrets", "shm_size", "ssh", "tags", "target", "ulimits"),
)
TOP_KEYS = ("name", "services", "networks", "volumes", "secrets", "configs", "include", "models", "version")
# Compose warns of a variable that is not set, for example: a warning is never the reason why it fails.
_IS_ASIDE = re.compile(r"^#|^time=\S+ level=(?:warning|info|debug) ")
# `unable to resolve docker endpoint: context "off": context not found`
_NO_CONTEXT = re.compile(r"context \"(?P<name>[^\"]*)\": context not found")
# `unable to resolve docker endpoint: open /certs/ca.pem: no such file or directory`
_NO_ENDPOINT = re.compile(r"unable to resolve docker endpoint: (?P<why>.+)")
# (place, advice); both are "" where the message itself says all that is known.
Reading = tuple[str, str]
# `line 3: unterminated quoted value "hello`
_UNCLOSED = re.compile(r"unterminated quoted value (?P<begin>[^\n]+)")
# What Compose writes around a reason: the file, which the place names, and a word that says nothing.
_BEGINS = re.compile(r"^(?:ERROR: )?(?:(?:validating|failed to parse|failed to read) .+?: )?(?:line \d+: )?")
_ENDS = re.compile(r": invalid compose project$")
# `services additional properties 'Worker 1' not allowed`
_SERVICE_NAME = re.compile(r"[\w.-]+")
# `services.web.depends_on.api.condition value must be one of 'service_started', 'service_healthy'`
_ONE_OF = re.compile(r"(?P<path>[\w.\-\[\]]+) value must be one of (?P<values>'.+')")
# `services.web.healthcheck.interval must be a string`
_NO_STRING = re.compile(r"(?P<path>[\w.\-\[\]]+) must be a string")
# `secrets.db_password conflicts with imported resource`
_CONFLICT = re.compile(
    r"(?P<kind>services|volumes|networks|secrets|configs|models)\.(?P<name>\S+) conflicts with imported"
)
# Keys whose text is a length of time.
_TIMES = ("interval", "timeout", "start_period", "start_interval", "stop_grace_period", "delay", "window")


def unreadable(
    what: str, result: CommandResult, root: Path, files: Sequence[Path], variables: Mapping[str, str]
) -> StackError:
    """The error for a failed call; `files` are those that it read, `variables` their values."""
    if "unknown command" in result.stderr or "is not a docker command" in result.stderr:
        return EngineError("Docker's buildx or compose plugin is missing.", "`invoke setup` shows what is missing.")
    if match := _NO_CONTEXT.search(result.stderr):
        advice = "`docker context ls` lists them; `unset DOCKER_CONTEXT` or `docker context use default` leaves it."
        return EngineError(f"There is no docker context {match['name']}.", advice)
    if match := _NO_ENDPOINT.search(result.stderr):
        advice = "`docker info` says the same: correct DOCKER_HOST and DOCKER_CERT_PATH, or the docker context."
        return EngineError(f"The docker command cannot use its engine: {match['why']}", advice)
    lines = [line for line in result.stderr.splitlines() if line.strip() and not _IS_ASIDE.search(line)]
    said = "\n".join(lines)
    sources = [path for path in files if path.suffix in (".yml", ".yaml")]
    try:
        source = read_source(root, sources)
    # Compose names the line, and not always the file.
    except UsageError as error:
        return UsageError(f"{what} cannot be read: {error.args[0]}:\n{quoted_end(lines)}", error.advice)
    place, advice = _Reader(root, tuple(files), variables, source).diagnose(said)
    advice = advice or (f"Correct {place}." if place else f"The same by hand: {printable(result.argv)}")
    # One line of Compose's says what is wrong: it belongs beside the place, not below it.
    if len(lines) == 1:
        reason = _ENDS.sub("", _BEGINS.sub("", lines[0])).strip()
        return UsageError(f"{what} cannot be read: {': '.join(filter(None, (place, reason)))}", advice)
    return UsageError(f"{what} cannot be read{f': {place}' if place else ''}:\n{quoted_end(lines)}", advice)


@dataclass(frozen=True)
class _Reader:
    root: Path
    files: tuple[Path, ...]
    variables: Mapping[str, str]
    source: ComposeSource

    def diagnose(self, said: str) -> Reading:
        return self._first(_CERTAIN, said) or self._filled_in(*(self._first(_OTHERS, said) or ("", "")))

    def _first(self, readings: "_Readings", said: str) -> Reading | None:
        found = ((read, re.search(pattern, said, re.MULTILINE)) for pattern, read in readings)
        return next((read(self, match) for read, match in found if match), None)

    def _missing_env_file(self, match: re.Match[str]) -> Reading:
        path = Path(match["path"])
        shown = path_below(path, self.root)
        if not (example := find_example(path)):
            return f"{shown} does not exist", f"Write {shown}, or mark it in the Compose file: `required: false`."
        # Compose names one at a time.
        copies = {path: example, **{other: found for other in self._env_files() if (found := find_example(other))}}
        commands = (
            shlex.join(["cp", path_below(found, self.root), path_below(missing, self.root)])
            for missing, found in copies.items()
        )
        return f"{shown} does not exist, {example.name} does", f"`{' && '.join(commands)}`"

    def _env_files(self) -> Iterator[Path]:
        """Every env file that a service requires, unless its name contains a variable."""
        for name in self.source.services():
            written = self.source.value("services", name, "env_file")
            for entry in written if isinstance(written, list) else [written]:
                known = entry if isinstance(entry, dict) else {"path": entry}
                if known.get("required", True) and "$" not in str(known.get("path") or "$"):
                    yield self.root / str(known["path"])

    def _filled_in(self, location: str, advice: str) -> Reading:
        """The interpretation that an unset variable left nothing at that place, or somewhere."""
        empty = [one for one in self.source.variables() if one.is_needed and one.name not in self.variables]
        here = [one for one in empty if not location or one.place == location]
        for one in here:
            if copy := copy_that_sets(self.root, one.name):
                return location or one.place, copy
        if here and location and not advice:
            return location, f"{here[0].name} is not set: `echo {here[0].name}=VALUE >> .env`"
        return location, advice

    def _bad_env_line(self, match: re.Match[str]) -> Reading:
        path, line = Path(match["path"]), match["line"]
        shown = path_below(path, self.root)
        # Of a quote without its end Compose names the last line of the file: it is opened further up.
        if opened := _UNCLOSED.search(match.string):
            with suppress(OSError):
                lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
                line = next((str(n) for n, text in enumerate(lines, 1) if opened["begin"].strip() in text), line)
            return f"{shown}:{line}", f"Close the quote in line {line} of {shown}."
        return f"{shown}:{line}", f"Correct line {line} of {shown}."

    def _unset(self, match: re.Match[str]) -> Reading:
        place = next((one.place for one in self.source.variables() if one.name == match["name"]), "")
        why = f" ({match['why'].strip()})" if match["why"] else ""
        return place, copy_that_sets(self.root, match["name"]) or f"Set it: `echo {match['name']}=VALUE >> .env`{why}"

    def _extra_key(self, match: re.Match[str]) -> Reading:
        keys, key = _keys(match["path"]), match["key"]
        if keys == ["services"] and not _SERVICE_NAME.fullmatch(key):
            valid = re.sub(r"[^\w.-]+", "-", key).strip("-")
            return self.source.place(*keys, key), f"Write `{valid}` for `{key}`: a name has letters, digits and `._-`."
        known = {2: SERVICE_KEYS, 3: BUILD_KEYS}.get(len(keys), ()) if keys[2:] in ([], ["build"]) else ()
        return self.source.place(*keys, key), did_you_mean(key, known, f"Remove `{key}`, or write `x-{key}`.")

    def _top_key(self, match: re.Match[str]) -> Reading:
        key = match["key"]
        otherwise = f"Write `{key}:` below `services:`, or `x-{key}:` for something of your own."
        return self.source.place(key), did_you_mean(key, TOP_KEYS, otherwise)

    def _bad_variable(self, match: re.Match[str]) -> Reading:
        # What is not set is no reason here: Compose could not even read the names.
        keys = _keys(match["path"])
        return self.source.place(*keys), "Close its brace, as in `${NAME}`; a dollar of a value is written `$$`."

    def _one_of(self, match: re.Match[str]) -> Reading:
        keys = _keys(match["path"])
        place, written = self.source.place(*keys), self.source.value(*keys)
        near = nearest(str(written), re.findall(r"'([^']+)'", match["values"]))
        return place, f"Write `{near}` for `{written}` in {place}." if near and place else ""

    def _no_string(self, match: re.Match[str]) -> Reading:
        keys = _keys(match["path"])
        place, written = self.source.place(*keys), self.source.value(*keys)
        is_time = keys[-1] in _TIMES
        # Compose has no unit of its own for a time.
        text, why = (f"{written}s", "a time has a unit") if is_time else (f'"{written}"', "quotes make it a text")
        return place, f"Write `{text}` in {place}: {why}." if place and isinstance(written, int | float) else ""

    def _bare_test(self, _: re.Match[str]) -> Reading:
        """A health check whose list does not say how it is run; Compose does not say of which service."""
        for name in self.source.services():
            keys = ("services", name, "healthcheck", "test")
            written = self.source.value(*keys)
            if isinstance(written, list) and written and written[0] not in ("CMD", "CMD-SHELL", "NONE"):
                return self.source.place(*keys), f'Begin the list with "CMD" in {self.source.place(*keys)}.'
        return "", ""

    def _conflict(self, match: re.Match[str]) -> Reading:
        # Included files are read as well: the first is the one that includes them.
        place = ComposeSource(self.source.files[:1]).place(match["kind"], match["name"])
        words = f"Remove {match['name']} from {place}: what `include` brings has one already"
        return place, f"{words}, and one of a file of yours would need another name." if place else ""

    def _name_twice(self, match: re.Match[str]) -> Reading:
        """Two services with one `container_name`: Compose names either, as it happens to meet them."""
        name = match["name"]
        both = [one for one in self.source.services() if self._container_name(one) == name]
        places = [self.source.place("services", one, "container_name") for one in both]
        # One of a file that `extends` or `include` brings may not be among those that were read.
        if len(both) < len(("this", "another")):
            return self.source.place("services", match["service"], "container_name"), ""
        words = f"Write another container_name for {both[-1]} in {places[-1]}"
        return places[0], f"{words}: {both[0]} has this one, and Docker allows a name only once."

    def _container_name(self, service: str) -> str:
        return str(self.source.value("services", service, "container_name") or "")

    def _unknown_service(self, match: re.Match[str]) -> Reading:
        """A service that another one names and Compose does not know: misspelt, or in an inactive profile."""
        name, is_needed = match["name"], match["how"].startswith("depends")
        keys = ("depends_on",) if is_needed else ("build", "additional_contexts")
        if profiles := self.source.value("services", name, "profiles"):
            advice = f"`export COMPOSE_PROFILES={profiles[0]}`, or take `profiles` away from {name}: it is not active."
        else:
            advice = did_you_mean(name, self.source.services(), f"There is no service {name}.")
        return self.source.place("services", match["user"], *keys), advice

    def _undefined(self, match: re.Match[str]) -> Reading:
        """A volume, network or the like that is not declared: misspelt, or its declaration is missing."""
        name, key = match["name"], f"{match['what']}s"
        user = ("services", match["service"], *(["build"] if match["where"] else []))
        near = nearest(name, map(str, self.source.value(key) or ()))
        entries = ((str(entry), place) for entry, place in self.source.entries(*user, key))
        written = (place for text, place in entries if name in text.split(":"))
        place = next(written, self.source.place(*user, key, name))
        if near:
            return place, f"Write {near} for {name} in {place}."
        return place, f"Declare `{name}:` below a top-level `{key}:`, or correct {place}."

    def _cycle(self, match: re.Match[str]) -> Reading:
        # One line of the circle: only a person knows which of them is too much.
        names = [match["first"], match["second"], *re.findall(r"-> (\S+)", match["others"])]
        links = pairwise(names)
        places = [self.source.place("services", one, "depends_on", other) for one, other in links]
        known = list(dict.fromkeys(filter(None, places)))
        words = f"{' waits for '.join(names)}{f' ({known[0]})' if known else ''}"
        return words, f"Take one of these out of `depends_on`: {', '.join(known)}." if known else ""

    def _wrong_value(self, match: re.Match[str]) -> Reading:
        """The source of an invalid value: a variable, with the place that sets it, or a line."""
        value = match["value"].strip()
        used = [one for one in self.source.variables() if value in self.variables.get(one.name, "")]
        # A variable that is the value, before one that only contains it: 80 is in 8080, too.
        for one in sorted(used, key=lambda one: self.variables[one.name] != value):
            # Compose prefers the environment to `.env`, so a correction there would have no effect.
            if one.name in os.environ:
                shown = f"{one.name}={os.environ[one.name]}"
                return one.place, f"{shown} comes from the environment: `unset {one.name}`, or correct it."
            env_file = read_env_file(self.root / ".env")
            if one.name in env_file.values:
                return env_file.place(
                    one.name
                ), f"Correct {one.name}={env_file.values[one.name]} there; {one.place} uses it."
        place = next((found for text, found in self.source.texts() if value in text), "")
        return place, f"Correct `{value}` there." if place else ""

    def _no_name(self, _: re.Match[str]) -> Reading:
        advice = "Name the project: `name:` at the top of the Compose file, or COMPOSE_PROJECT_NAME in .env."
        return f"the folder {self.root.name} gives it no name", advice

    def _bad_name(self, match: re.Match[str]) -> Reading:
        written = match["name"]
        # Compose allows lower-case letters, digits, hyphens and underscores, beginning with a letter or a digit.
        valid = re.sub(r"[^a-z0-9_-]+", "-", written.lower()).strip("-_")
        place = self.source.place("name") if self.source.value("name") else "COMPOSE_PROJECT_NAME in .env"
        if os.environ.get("COMPOSE_PROJECT_NAME") == written:
            place = "COMPOSE_PROJECT_NAME in the environment"
        return place, f"Write `{valid}` there." if valid else f"Correct {place}."

    def _nothing_to_run(self, match: re.Match[str]) -> Reading:
        name = match["service"]
        return self.source.place("services", name), f"Give {name} an `image:` or a `build:`."

    def _twice(self, match: re.Match[str]) -> Reading:
        advice = f"Keep one `{match['key']}:`, of line {match['first']} or of line {match['line']}."
        return f"{path_below(Path(match['path']), self.root)}:{match['line']}", advice

    def _no_file(self, match: re.Match[str]) -> Reading:
        """A file of `include:` or `extends:` that is not there."""
        path = Path(match["path"])
        shown = path_below(path, self.root)
        place = next((place for text, place in self.source.texts() if Path(text).name == path.name), "")
        near = near_path(path)
        # A Compose file that is read already is not what another one extends or includes.
        near = None if place and near in self.files else near
        advice = f"Did you mean {path_below(near, self.root)}?" if near else f"There is no {shown}: correct the path."
        return place or f"{shown} does not exist", advice

    def _no_service(self, match: re.Match[str]) -> Reading:
        """The service of an `extends:` that its file does not have."""
        own, extended = Path(match["own"]), Path(match["file"])
        known: Iterable[str] = ()
        place = f"{path_below(own, self.root)}:1"
        # One of the two files cannot be read: then no similar name is known.
        with suppress(UsageError):
            place = read_source(self.root, [own]).place("services", match["service"], "extends", "service")
            known = read_source(self.root, [own.parent / extended]).services()
        return place, did_you_mean(match["name"], known, f"There is no service {match['name']} in {extended}.")

    def _empty(self, _: re.Match[str]) -> Reading:
        empty = next((one for one in self.files if one.is_file() and not one.read_bytes().strip()), None)
        return f"{path_below(empty, self.root)}:1" if empty else "", "Begin it with `services:`."


_Readings = tuple[tuple[str, Callable[[_Reader, re.Match[str]], Reading]], ...]
# The first that matches counts. Seen with Compose 2.40 and Buildx 0.29.
_CERTAIN: _Readings = (
    (r"project name must not be empty", _Reader._no_name),
    (r'invalid project name "(?P<name>[^"]*)"', _Reader._bad_name),
    (r'service "(?P<service>[^"]+)" has neither an image nor a build context', _Reader._nothing_to_run),
    (
        r"failed to parse (?P<path>.+?): line (?P<line>\d+): "
        r'mapping key "(?P<key>.+)" already defined at line (?P<first>\d+)',
        _Reader._twice,
    ),
    (
        r'cannot extend service "(?P<service>[^"]+)" in (?P<own>.+?): '
        r'service "(?P<name>[^"]+)" not found in (?P<file>.+)$',
        _Reader._no_service,
    ),
    (r"^(?:\S+: )?open (?P<path>/[^\n:]+): no such file or directory", _Reader._no_file),
    (r"include cycle detected", lambda self, _: (self.source.place("include"), "Take one of these out of `include:`.")),
    (r"empty compose file", _Reader._empty),
    # `validating /shop/compose.yaml:  additional properties 'serivces' not allowed`
    (r":  additional properties '(?P<key>[^']+)' not allowed", _Reader._top_key),
    (r"invalid interpolation format for (?P<path>[\w.\-\[\]]+?)\.?$", _Reader._bad_variable),
    (r"^(?P<place>\S+\.(?:hcl|json):\d+)$", lambda _, match: (match["place"], "")),
    # `env file /shop/api.env not found: stat /shop/api.env: no such file or directory`
    (r"(?:env file|find env file:) (?P<path>.+?)(?: not found|$)", _Reader._missing_env_file),
)
# These may only follow from a variable that is not set.
_OTHERS: _Readings = (
    # `failed to read /shop/.env: line 3: key cannot contain a space`
    (r"failed to read (?P<path>.+?): line (?P<line>\d+)", _Reader._bad_env_line),
    # `required variable TAG is missing a value: set it in .env`
    (r"required variable (?P<name>\w+) is missing a value(?:: (?P<why>.*))?", _Reader._unset),
    # `services.web additional properties 'prots' not allowed`
    (r"(?P<path>[\w.\-\[\]]+):? additional properties '(?P<key>[^']+)'", _Reader._extra_key),
    (_ONE_OF.pattern, _Reader._one_of),
    (_NO_STRING.pattern, _Reader._no_string),
    (_CONFLICT.pattern, _Reader._conflict),
    # `services.web: container name "shop" is already in use by service api"`
    (r'services\.(?P<service>[\w.-]+): container name "(?P<name>[^"]+)" is already in use', _Reader._name_twice),
    # `invalid hostPort: abc`
    (
        r"(?i)invalid (?:hostport|containerport|proto|start port|suffix|hostip|ip address)[^:]*: "
        r"'?(?P<value>[^'\n]+)'?",
        _Reader._wrong_value,
    ),
    # `service "web" depends on undefined service "dbb": invalid compose project`
    (
        r'service "(?P<user>[\w.-]+)" (?P<how>depends on undefined|declares unknown) service "(?P<name>[\w.-]+)"',
        _Reader._unknown_service,
    ),
    # `service "web" refers to undefined volume data: invalid compose project`
    (
        r'service "(?P<service>[^"]+)" refers to undefined (?P<where>build )?(?P<what>\w+) "?(?P<name>[\w.-]+)"?',
        _Reader._undefined,
    ),
    # `dependency cycle detected: api -> web -> api`
    (r"dependency cycle detected: (?P<first>\S+) -> (?P<second>\S+)(?P<others>.*)", _Reader._cycle),
    (r"healthcheck.test must start", _Reader._bare_test),
    # `services.web.ports[0]`, and a service: both also match in messages of other kinds, so they come last.
    (
        r"\b(?:services|volumes|networks)(?:\.[\w-]+|\[[\w-]+\])[\w.\-\[\]]*",
        lambda self, match: (self.source.place(*_keys(match[0])), ""),
    ),
    (
        r"^(?:validating .+?: )?(services|volumes|networks|secrets|configs) must be a ",
        lambda self, match: (self.source.place(match[1]), ""),
    ),
    (r'service "([\w.-]+)"', lambda self, match: (self.source.place("services", match[1]), "")),
)


def _keys(path: str) -> list[str | int]:
    """The keys of `services.web.ports.0` and `services[web].ports`."""
    words = path.replace("[", ".").replace("]", "").split(".")
    return [int(word) if word.isdigit() else word for word in words if word]
