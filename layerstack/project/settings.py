"""The settings of `x-layerstack` in a Compose file, of the project and of a service."""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from layerstack.errors import UsageError
from layerstack.wording import did_you_mean

KEY = "x-layerstack"
# What one entry of `verify:` may hold.
CHECK_KEYS = frozenset(
    {"check", "http", "exec", "method", "port", "upload", "auth", "status", "contains", "expect", "timeout_seconds"}
)
# Wins over `registry:`; empty, it switches the registry off.
BUILDER_VARIABLE = "BUILDX_BUILDER"
REGISTRY_VARIABLE = "LAYERSTACK_REGISTRY"
# As in names of images: a first part without a dot, a port or `localhost` would be a folder of Docker Hub.
_HOST = r"(?:localhost|[\w-]+(?:\.[\w-]+)+|[\w.-]+(?=:\d))(?::\d+)?"
_REGISTRY = re.compile(rf"{_HOST}(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
# The place of a path of keys below `x-layerstack`, as `FILE:LINE`.
Place = Callable[..., str]


@dataclass(frozen=True)
class DoctorSettings:
    """`ignore`: checks whose findings are suppressed. `sizes`: how large an image will be, as `12GB`, by its name."""

    ignore: tuple[str, ...] = ()
    sizes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BackupSettings:
    """Two command lines, run in the service's container: `dump` writes to stdout what `restore` reads from stdin."""

    dump: tuple[str, ...] = ()
    restore: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServiceSettings:
    """What a service says to layerstack; `verify` holds one mapping a check, with keys of CHECK_KEYS."""

    budget_seconds: float | None = None
    edit: str = ""
    gpu_memory: str = ""
    verify: tuple[Any, ...] = ()
    programs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    doctor: DoctorSettings = field(default_factory=DoctorSettings)
    backup: BackupSettings = field(default_factory=BackupSettings)


@dataclass(frozen=True)
class ProjectSettings:
    """What the project says as a whole: `registry` is the team's `HOST/PATH`, `builder` a remote Buildx builder."""

    registry: str = ""
    builder: str = ""
    doctor: DoctorSettings = field(default_factory=DoctorSettings)


def read_service_settings(written: Any, place_of: Place) -> ServiceSettings:
    """The settings of a service. Raises UsageError with file and line for an unknown key or a wrong type."""
    known = _mapping(written, ServiceSettings.__dataclass_fields__, place_of)
    return ServiceSettings(
        budget_seconds=_seconds(known.get("budget_seconds"), place_of),
        edit=_text(known, "edit"),
        gpu_memory=_text(known, "gpu_memory"),
        verify=_checks(known.get("verify"), place_of),
        programs={
            str(name): _command(words, place_of, "programs", name)
            for name, words in _mapping(known.get("programs"), None, place_of, "programs").items()
        },
        doctor=_doctor(known.get("doctor"), place_of),
        backup=_backup(known.get("backup"), place_of),
    )


def read_project_settings(written: Any, place_of: Place, variables: Mapping[str, str] | None = None) -> ProjectSettings:
    """`variables` are those of the environment and of env files. Raises UsageError as `read_service_settings` does."""
    known = _mapping(written, ProjectSettings.__dataclass_fields__, place_of)
    named = (variables or {}).get(REGISTRY_VARIABLE)
    registry = _text(known, "registry") if named is None else named
    # Called for an error only: the place needs the Compose files parsed.
    where = (lambda: place_of("registry")) if named is None else (lambda: REGISTRY_VARIABLE)
    return ProjectSettings(_registry(registry, where), _text(known, "builder"), _doctor(known.get("doctor"), place_of))


def _registry(text: str, where: Callable[[], str]) -> str:
    """`HOST/PATH` as image names begin with it; "" for none."""
    address = text.strip().rstrip("/")
    if address and not _REGISTRY.fullmatch(address):
        msg = f"{where()}: `{text}` is no HOST/PATH of a registry."
        raise UsageError(msg, "Write it as it begins an image's name, such as registry.example.com:5000/team.")
    return address


def _doctor(written: Any, place_of: Place) -> DoctorSettings:
    known = _mapping(written, DoctorSettings.__dataclass_fields__, place_of, "doctor")
    sizes = _mapping(known.get("sizes"), None, place_of, "doctor", "sizes")
    ignore = _words(known.get("ignore"), place_of, "doctor", "ignore")
    return DoctorSettings(ignore, {str(name): str(size) for name, size in sizes.items()})


def _backup(written: Any, place_of: Place) -> BackupSettings:
    known = _mapping(written, BackupSettings.__dataclass_fields__, place_of, "backup")
    return BackupSettings(*(_command(known.get(name), place_of, "backup", name) for name in ("dump", "restore")))


def _checks(written: Any, place_of: Place) -> tuple[Any, ...]:
    if written is None:
        return ()
    if not isinstance(written, list):
        raise UsageError(f"{place_of('verify')}: verify is a list of checks.", "Begin each check with `- check: NAME`.")
    for number, check in enumerate(written):
        if isinstance(check, Mapping):
            _mapping(check, CHECK_KEYS, place_of, "verify", number)
    return tuple(written)


def _mapping(written: Any, keys: Iterable[str] | None, place_of: Place, *path: str | int) -> Mapping[str, Any]:
    """A mapping that has only these `keys`; None allows any."""
    if written is None:
        return {}
    name = ".".join(map(str, (KEY, *path)))
    if not isinstance(written, Mapping):
        raise UsageError(f"{place_of(*path)}: {name} holds no keys.", f"Write `KEY: VALUE` lines below {name}.")
    known = None if keys is None else sorted(keys)
    for key in written:
        if known is not None and key not in known:
            advice = did_you_mean(str(key), known, f"There are: {', '.join(known)}.")
            raise UsageError(f"{place_of(*path, key)}: {name} has no key `{key}`.", advice)
    return written


def _words(written: Any, place_of: Place, *path: str | int) -> tuple[str, ...]:
    """A list of words; a single word needs no list."""
    if written is None:
        return ()
    if isinstance(written, str):
        return (written,)
    if isinstance(written, list):
        return tuple(map(str, written))
    raise UsageError(f"{place_of(*path)}: {'.'.join(map(str, path))} is a list of words.", "Write it as [WORD, WORD].")


def _command(written: Any, place_of: Place, *path: str | int) -> tuple[str, ...]:
    """A command line as in `command:` of a service: a text is split as a shell would, and no shell runs it."""
    try:
        return _words(shlex.split(written) if isinstance(written, str) else written, place_of, *path)
    except ValueError as error:
        raise UsageError(f"{place_of(*path)}: `{written}`: {error}.", "Close the quote.") from error


def _text(known: Mapping[str, Any], key: str) -> str:
    value = known.get(key)
    return "" if value is None else str(value)


def _seconds(value: Any, place_of: Place) -> float | None:
    # In Python a bool is an int, too.
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    msg = f"{place_of('budget_seconds')}: budget_seconds is a number of seconds, not `{value}`."
    raise UsageError(msg, "Write it as `budget_seconds: 10`.")
