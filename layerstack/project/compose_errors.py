"""Why Compose or bake cannot read a project: the wrong line, and the edit or command that repairs it."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from layerstack.command import CommandResult, printable
from layerstack.errors import EngineError, StackError, UsageError, quoted_end
from layerstack.project.compose_source import ComposeSource, find_yaml_error, read_source
from layerstack.project.env_example import find_example
from layerstack.project.env_file import read_env_file
from layerstack.project.refusals import read_refusal
from layerstack.wording import did_you_mean, nearest, path_below

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
# `services.web additional properties 'prots' not allowed`
_EXTRA_KEY = re.compile(r"(?P<path>[\w.\-\[\]]+):? additional properties '(?P<key>[^']+)'")
# Compose warns of a variable that is not set, for example: a warning is never the reason why it fails.
_IS_ASIDE = re.compile(r"^#|^time=\S+ level=(?:warning|info|debug) ")
# `unable to resolve docker endpoint: context "off": context not found`
_NO_CONTEXT = re.compile(r"context \"(?P<name>[^\"]*)\": context not found")
# `env file /shop/api.env not found: stat /shop/api.env: no such file or directory`
_ENV_FILE = re.compile(r"(?:env file|find env file:) (?P<path>.+?)(?: not found|$)", re.MULTILINE)
# `failed to read /shop/.env: line 3: key cannot contain a space`
_ENV_LINE = re.compile(r"failed to read (?P<path>.+?): line (?P<line>\d+)")
# `required variable TAG is missing a value: set it in .env`
_DEMANDED = re.compile(r"required variable (?P<name>\w+) is missing a value(?:: (?P<why>.*))?")
# `invalid hostPort: abc`
_VALUE = re.compile(
    r"(?i)invalid (?:hostport|containerport|proto|start port|suffix|hostip)[^:]*: '?(?P<value>[^'\n]+)'?"
)
# `service "web" depends on undefined service "dbb": invalid compose project`
_UNKNOWN_SERVICE = re.compile(
    r'service "(?P<user>[\w.-]+)" (?P<how>depends on undefined|declares unknown) service "(?P<name>[\w.-]+)"'
)
_SERVICE = re.compile(r'service "([\w.-]+)"')
# `service "web" refers to undefined volume data: invalid compose project`
_UNDEFINED = re.compile(
    r'service "(?P<service>[^"]+)" refers to undefined (?P<where>build )?(?P<what>\w+) "?(?P<name>[\w.-]+)"?'
)
# `dependency cycle detected: api -> web -> api`
_CYCLE = re.compile(r"dependency cycle detected: (?P<first>\S+) -> (?P<second>\S+)(?P<others>.*)")
# `services.web.ports[0]`
_PATH = re.compile(r"\b(?:services|volumes|networks)(?:\.[\w-]+|\[[\w-]+\])[\w.\-\[\]]*")


def unreadable(
    what: str, result: CommandResult, root: Path, files: Sequence[Path], variables: Mapping[str, str]
) -> StackError:
    """The error for a failed call; `files` are those that it read, `variables` their values."""
    if "unknown command" in result.stderr or "is not a docker command" in result.stderr:
        return EngineError("Docker's buildx or compose plugin is missing.", "`invoke setup` shows what is missing.")
    if match := _NO_CONTEXT.search(result.stderr):
        advice = "`docker context ls` lists them; `unset DOCKER_CONTEXT` or `docker context use default` leaves it."
        return EngineError(f"There is no docker context {match['name']}.", advice)
    lines = [line for line in result.stderr.splitlines() if line.strip() and not _IS_ASIDE.search(line)]
    said = "\n".join(lines)
    detail = quoted_end(lines)
    if broken := find_yaml_error(files):
        return UsageError(f"{what} cannot be read: {broken}:\n{detail}", f"Correct {broken.partition(': ')[0]}.")
    place, advice = _Reader(root, tuple(files), variables).diagnose(said)
    return UsageError(
        f"{what} cannot be read{f': {place}' if place else ''}:\n{detail}",
        advice or (f"Correct {place}." if place else f"The same by hand: {printable(result.argv)}"),
    )


@dataclass(frozen=True)
class _Reader:
    """Each of its readings gives (place, advice); both are "" where the message itself says all that is known."""

    root: Path
    files: tuple[Path, ...]
    variables: Mapping[str, str]

    def diagnose(self, said: str) -> tuple[str, str]:
        # The first pattern that is found counts. The last two also match in messages of other kinds.
        readings = (
            (_ENV_FILE, self._missing_env_file),
            (_ENV_LINE, self._bad_env_line),
            (_DEMANDED, self._unset),
            (_EXTRA_KEY, self._extra_key),
            (_VALUE, self._wrong_value),
            (_UNKNOWN_SERVICE, self._unknown_service),
            (_UNDEFINED, self._undefined),
            (_CYCLE, self._cycle),
            (_PATH, lambda match: (self._source.place(*_keys(match[0])), "")),
            (_SERVICE, lambda match: (self._source.place("services", match[1]), "")),
        )
        try:
            if refusal := read_refusal(said, self._source, self.root, self.files):
                return refusal
            found = next((read(match) for pattern, read in readings if (match := pattern.search(said))), ("", ""))
            # A missing env file is the reason why its variables are not set: copying it is the repair.
            return found if _ENV_FILE.search(said) else self._filled_in(*found)
        # The Compose files themselves cannot be read, so that no place is known.
        except UsageError:
            return "", ""

    @cached_property
    def _source(self) -> ComposeSource:
        return read_source(self.root, [path for path in self.files if path.suffix in (".yml", ".yaml")])

    def _missing_env_file(self, match: re.Match[str]) -> tuple[str, str]:
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
        for name in self._source.services():
            written = self._source.value("services", name, "env_file")
            for entry in written if isinstance(written, list) else [written]:
                known = entry if isinstance(entry, dict) else {"path": entry}
                if known.get("required", True) and "$" not in str(known.get("path") or "$"):
                    yield self.root / str(known["path"])

    def _filled_in(self, location: str, advice: str) -> tuple[str, str]:
        """The interpretation that an unset variable left nothing at that place, or somewhere."""
        empty = [one for one in self._source.variables() if one.is_needed and one.name not in self.variables]
        here = [one for one in empty if not location or one.place == location]
        for one in here:
            if copy := self._copy_that_sets(one.name):
                return location or one.place, copy
        if here and location and not advice:
            return location, f"{here[0].name} is not set: `echo {here[0].name}=VALUE >> .env`"
        return location, advice

    def _bad_env_line(self, match: re.Match[str]) -> tuple[str, str]:
        shown = path_below(Path(match["path"]), self.root)
        return f"{shown}:{match['line']}", f"Correct line {match['line']} of {shown}."

    def _unset(self, match: re.Match[str]) -> tuple[str, str]:
        place = next((one.place for one in self._source.variables() if one.name == match["name"]), "")
        why = f" ({match['why'].strip()})" if match["why"] else ""
        return place, self._copy_that_sets(match["name"]) or f"Set it: `echo {match['name']}=VALUE >> .env`{why}"

    def _copy_that_sets(self, name: str) -> str:
        example = find_example(self.root / ".env")
        if example is None or name not in read_env_file(example).values:
            return ""
        return f"`cp {shlex.quote(example.name)} .env`, which sets {name}"

    def _extra_key(self, match: re.Match[str]) -> tuple[str, str]:
        keys, key = _keys(match["path"]), match["key"]
        known = {2: SERVICE_KEYS, 3: BUILD_KEYS}.get(len(keys), ()) if keys[2:] in ([], ["build"]) else ()
        return self._source.place(*keys, key), did_you_mean(key, known, f"Remove `{key}`, or write `x-{key}`.")

    def _unknown_service(self, match: re.Match[str]) -> tuple[str, str]:
        """A service that another one names and Compose does not know: misspelt, or in an inactive profile."""
        name, is_needed = match["name"], match["how"].startswith("depends")
        keys = ("depends_on",) if is_needed else ("build", "additional_contexts")
        if profiles := self._source.value("services", name, "profiles"):
            advice = f"`export COMPOSE_PROFILES={profiles[0]}`, or take `profiles` away from {name}: it is not active."
        else:
            advice = did_you_mean(name, self._source.services(), f"There is no service {name}.")
        return self._source.place("services", match["user"], *keys), advice

    def _undefined(self, match: re.Match[str]) -> tuple[str, str]:
        """A volume, network or the like that is not declared: misspelt, or its declaration is missing."""
        name, key = match["name"], f"{match['what']}s"
        user = ("services", match["service"], *(["build"] if match["where"] else []))
        near = nearest(name, map(str, self._source.value(key) or ()))
        entries = ((str(entry), place) for entry, place in self._source.entries(*user, key))
        written = (place for text, place in entries if name in text.split(":"))
        place = next(written, self._source.place(*user, key, name))
        if near:
            return place, f"Write {near} for {name} in {place}."
        return place, f"Declare `{name}:` below a `{key}:` of the file's first column, or correct {place}."

    def _cycle(self, match: re.Match[str]) -> tuple[str, str]:
        # One line of the circle: only a person knows which of them is too much.
        names = [match["first"], match["second"], *re.findall(r"-> (\S+)", match["others"])]
        links = pairwise(names)
        places = [self._source.place("services", one, "depends_on", other) for one, other in links]
        known = list(dict.fromkeys(filter(None, places)))
        words = f"{' waits for '.join(names)}{f' ({known[0]})' if known else ''}"
        return words, f"Take one of these out of `depends_on`: {', '.join(known)}." if known else ""

    def _wrong_value(self, match: re.Match[str]) -> tuple[str, str]:
        """The source of an invalid value: a variable, with the place that sets it, or a line."""
        value = match["value"].strip()
        used = [one for one in self._source.variables() if value in self.variables.get(one.name, "")]
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
        place = next((found for text, found in self._source.texts() if value in text), "")
        return place, f"Correct `{value}` there." if place else ""


def _keys(path: str) -> list[str | int]:
    """The keys of `services.web.ports.0` and `services[web].ports`."""
    words = path.replace("[", ".").replace("]", "").split(".")
    return [int(word) if word.isdigit() else word for word in words if word]
