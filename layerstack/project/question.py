"""The calls of Compose and bake for one project and device, and the form of their answers.

Light on purpose: a build with nothing to do finds its answer kept and needs no more than this.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from layerstack.project.compose_files import ComposeFiles

BAKE = ("docker", "buildx", "bake")


@dataclass(frozen=True)
class Answer:
    """`targets` are definitions as bake printed them: `${` and `%{` are escaped. `fallback` says what was not asked.

    `secret_variables` are the variables that build secrets are taken from.
    """

    name: str
    services: Mapping[str, Any]
    targets: Mapping[str, Mapping[str, Any]]
    settings: Any = None
    inactive: Mapping[str, Sequence[str]] = field(default_factory=dict)
    secret_variables: tuple[str, ...] = ()
    fallback: str = ""


@dataclass(frozen=True)
class Question:
    """One project, one device: which files are given to Compose, and which besides to bake."""

    root: Path
    files: ComposeFiles
    compose_files: tuple[Path, ...]
    bake_files: tuple[Path, ...]
    environment: Mapping[str, str]
    targets: tuple[str, ...] = ()

    @cached_property
    def variables(self) -> dict[str, str]:
        return {**self.files.variables(), **self.environment}

    @property
    def calls(self) -> tuple[tuple[str, ...], ...]:
        """The calls, for the key of a kept answer."""
        bake = (*BAKE, *map(str, self.bake_files), *self.targets)
        return self.compose("config"), self.compose("build", "--print"), bake

    def compose(self, *words: str) -> tuple[str, ...]:
        return (*compose_arguments(self.root, self.compose_files, self.files.env_files), *words)


def compose_arguments(root: Path, files: Sequence[Path], env_files: Sequence[Path] = ()) -> tuple[str, ...]:
    """`docker compose` with its files; env files are named where they are not the one that Compose takes anyway."""
    # COMPOSE_ENV_FILES may hold paths relative to the folder of the call, while Compose is run in the project's folder.
    is_default = tuple(env_files) in ((), (root / ".env",)) and not os.environ.get("COMPOSE_ENV_FILES")
    named = () if is_default else env_files
    options = [part for path in named for part in ("--env-file", str(path))]
    options += [part for path in files for part in ("--file", str(path))]
    return ("docker", "compose", "--project-directory", str(root), *options)


def escaped(value: Any) -> Any:
    """With HCL's escapes in every text: bake expands `${…}` and `%{…}` in JSON, too."""
    return mapped(value, lambda text: text.replace("${", "$${").replace("%{", "%%{"))


def unescaped(value: Any) -> Any:
    """What bake makes of a definition that it printed."""
    return mapped(value, lambda text: text.replace("$${", "${").replace("%%{", "%{"))


def target_name(service: str) -> str:
    """The bake target of a service: Buildx takes no dots."""
    return service.replace(".", "_")


def mapped(value: Any, change: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: mapped(below, change) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [mapped(below, change) for below in value]
    return change(value) if isinstance(value, str) else value
