"""Conditions under which a known issue applies: how the project is written, what the shell sets."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from layerstack.dockerfile import copy_sources
from layerstack.doctor.dockerfiles import instruction_texts
from layerstack.project.called import active_profiles
from layerstack.project.compose_source import ComposeSource
from layerstack.project.gpu_request import requests_of
from layerstack.project.project import Project

SERVICE_SCHEME = "service:"
# Files in which projects keep their commands.
COMMAND_FILES = ("Makefile", "justfile", "Taskfile.yml", "package.json", "*.sh", ".gitlab-ci.yml")
MOST_CHARACTERS = 10**6
WORKFLOWS = ".github/workflows/*.y*ml"
# `docker buildx bake app --check`
_BAKE_CHECK = re.compile(r"buildx\s+bake\b[^\n]*\s--(check|call[= ]check)\b")


@dataclass(frozen=True)
class Circumstances:
    """What of a project and a shell can meet a known issue."""

    has_profiled_bases: bool = False
    has_nested_bases: bool = False
    has_outside_contexts: bool = False
    has_cache_mounts: bool = False
    has_start_intervals: bool = False
    wants_gpu: bool = False
    uses_bake_check: bool = False
    sets_progress: bool = False


def read_circumstances(root: Path, source: ComposeSource, project: Project | None) -> Circumstances:
    """From the Compose files, and from the resolved project where that could be read."""
    services = project.services.values() if project else ()
    return Circumstances(
        has_profiled_bases=any(_is_profiled(root, source, base) for _, base in _lent(source)),
        # A base that is built on another base stands on both sides.
        has_nested_bases=bool({base for _, base in _lent(source)} & {user for user, _ in _lent(source)}),
        has_outside_contexts=bool(project and _reads_outside(project)),
        has_cache_mounts=any("type=cache" in text for text in (instruction_texts(project) if project else ())),
        has_start_intervals=any((one.definition.get("healthcheck") or {}).get("start_interval") for one in services),
        wants_gpu=any(requests_of(one.definition) for one in services),
        uses_bake_check=any(_BAKE_CHECK.search(text) for text in _command_texts(root)),
        sets_progress="BUILDKIT_PROGRESS" in os.environ,
    )


def _lent(source: ComposeSource) -> Iterator[tuple[str, str]]:
    """(service, the service whose image its build reads)"""
    for service in source.services():
        written = source.value("services", service, "build", "additional_contexts")
        values = written.values() if isinstance(written, Mapping) else written if isinstance(written, list) else ()
        for value in values:
            name = str(value).rpartition("=")[2]
            if name.startswith(SERVICE_SCHEME):
                yield service, name.removeprefix(SERVICE_SCHEME)


def _is_profiled(root: Path, source: ComposeSource, service: str) -> bool:
    """Whether it has profiles and none of them is active."""
    active = {name.strip() for name in active_profiles(root).split(",")}
    profiles = source.value("services", service, "profiles") or []
    # `COMPOSE_PROFILES=*` activates all.
    return bool(profiles) and not active & {str(one) for one in [*profiles, "*"]}


def _reads_outside(project: Project) -> bool:
    folders = [image.context for image in project.images.values() if not copy_sources.is_remote(image.context)]
    root = project.root.resolve()
    return not all((root / folder).resolve().is_relative_to(root) for folder in folders)


def _command_texts(root: Path) -> Iterator[str]:
    for pattern in (*COMMAND_FILES, WORKFLOWS):
        for path in root.glob(pattern):
            if path.is_file():
                yield _beginning(path)


def _beginning(path: Path) -> str:
    """ "" for a file that this user may not read; some scripts carry a whole program behind their commands."""
    with suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
        return file.read(MOST_CHARACTERS)
    return ""
