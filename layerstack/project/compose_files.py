"""The Compose files, env files and project folder that `docker compose` uses when called in a folder.

The rules are Compose's own (compose-go, cli/options.go): COMPOSE_FILE from the environment or from `.env`, else the
first default name in the folder or above it, with the first override beside it. Only the `.cpu` variant is ours.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from layerstack.errors import UsageError
from layerstack.project import choices
from layerstack.project.env_file import read_env_file

Device = Literal["gpu", "cpu"]

# In the order in which Compose prefers them.
COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_NAMES = (
    *("compose.override.yml", "compose.override.yaml"),
    *("docker-compose.override.yml", "docker-compose.override.yaml"),
)
ENV_FILE = ".env"
# What Go's strconv.ParseBool takes for true.
TRUE = ("1", "t", "T", "true", "TRUE", "True")


@dataclass(frozen=True)
class ComposeFiles:
    """What `docker compose` would read; where env files set the same variable, the later one counts.

    `is_chosen`: the user named the files himself, so nothing is added to them.
    """

    root: Path
    files: tuple[Path, ...]
    env_files: tuple[Path, ...]
    is_chosen: bool = False

    def for_device(self, device: Device) -> tuple[Path, ...]:
        """The files with the `.cpu` variant of the first one, if it exists and the device is the CPU."""
        variant = _variant(self.files[0])
        is_added = device == "cpu" and not self.is_chosen and variant.is_file()
        return (*self.files, variant) if is_added else self.files

    def variables(self) -> dict[str, str]:
        """The variables that Compose uses: env files, overridden by the environment."""
        return {**_read_all(self.env_files, os.environ), **os.environ}


def _variant(base: Path) -> Path:
    return base.with_name(f"{base.stem}.cpu{base.suffix}")


def find_root(start: Path) -> Path:
    """The project folder of a `docker compose` call in `start`. Raises UsageError for none."""
    return _choose(start).root


def choose_files(root: Path) -> ComposeFiles:
    """The files of the project in `root`. Raises UsageError when there are none.

    A call from another folder of the project may choose others, as one of `docker compose` does.
    """
    try:
        here = _choose(Path.cwd())
    # The current folder may belong to no project, or may have been deleted.
    except (UsageError, OSError):
        here = None
    return here if here and here.root == root else _choose(root)


def find_compose_files(root: Path, device: Device) -> tuple[Path, ...]:
    """The Compose files of the project in `root`, in the order in which they are merged. Raises UsageError."""
    return choose_files(root).for_device(device)


def _choose(start: Path) -> ComposeFiles:
    named = _named_env_files(start)
    env_files = named if named is not None else _default_env_file(start)
    variables = {**_read_all(env_files, os.environ), **os.environ}
    written = variables.get("COMPOSE_FILE")
    is_chosen = written is not None and not _is_our_choice(start, written)
    if is_chosen:
        files = _split(str(written), variables, start)
        # As for Compose, the first file decides where the project is.
        root = files[0].parent
    else:
        root, files = _default_files(start)
    if named is None and root != start:
        # What is set where the call is made counts above what the project's own file sets.
        env_files = (*_default_env_file(root), *env_files)
    return ComposeFiles(root, files, env_files, is_chosen)


def _named_env_files(start: Path) -> tuple[Path, ...] | None:
    """The files of COMPOSE_ENV_FILES; () when even the default one is switched off; None when it is unset."""
    if names := [name for name in os.environ.get("COMPOSE_ENV_FILES", "").split(",") if name.strip()]:
        return tuple(_absolute(name, start) for name in names)
    return () if os.environ.get("COMPOSE_DISABLE_ENV_FILE") in TRUE else None


def _default_env_file(folder: Path) -> tuple[Path, ...]:
    path = folder / ENV_FILE
    return (path,) if path.is_file() else ()


def _read_all(env_files: tuple[Path, ...], environment: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in env_files:
        found |= read_env_file(path).resolved({**found, **environment})
    return found


def _is_our_choice(start: Path, written: str) -> bool:
    """Whether `setup` wrote this COMPOSE_FILE into `.env`: it depends on the device, which may have changed.

    What the user changed inside the block of `setup` is theirs.
    """
    if "COMPOSE_FILE" in os.environ or choices.chosen(start).get("COMPOSE_FILE") != written:
        return False
    try:
        _, files = _default_files(start)
    except UsageError:
        return False
    first, *rest = written.split(":")
    # An override that came later is not in it yet, and the variant may be gone.
    return (
        first == files[0].name
        and rest[-1:] == [_variant(files[0]).name]
        and set(rest[:-1]) <= {path.name for path in files[1:]}
    )


def _split(written: str, variables: Mapping[str, str], start: Path) -> tuple[Path, ...]:
    names = written.split(variables.get("COMPOSE_PATH_SEPARATOR") or os.pathsep)
    files = tuple(_absolute(name, start) for name in names)
    for name, path in zip(names, files, strict=True):
        if not path.is_file():
            shown = f"`{name}`, and there is no such file" if name else "no file"
            where = "the environment" if "COMPOSE_FILE" in os.environ else f"{start / ENV_FILE}"
            if name == "-":
                raise UsageError(f"COMPOSE_FILE names standard input ({where}).", "Save it as a file, and name that.")
            raise UsageError(f"COMPOSE_FILE names {shown} ({where}).", "Correct COMPOSE_FILE, or unset it.")
    return files


def _default_files(start: Path) -> tuple[Path, tuple[Path, ...]]:
    for folder in (start, *start.parents):
        if base := _first(folder, COMPOSE_NAMES):
            override = _first(folder, OVERRIDE_NAMES)
            return folder, (base, override) if override else (base,)
    raise UsageError(f"There is no Compose file in {start} or above it.", "Run this in your project's folder.")


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _absolute(name: str, start: Path) -> Path:
    """A path as the caller wrote it, relative to the current folder, else to the project."""
    here = Path(os.path.normpath(Path.cwd() / name))
    return here if here.exists() else Path(os.path.normpath(start / name))
