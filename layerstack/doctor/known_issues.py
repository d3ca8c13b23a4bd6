"""Known issues of versions, as data, and what of a project and a shell can meet one.

`since` is the first bad version, `below` the first good one.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from layerstack.dockerfile import copy_sources
from layerstack.doctor.dockerfiles import instruction_texts
from layerstack.engine.engine import parse_version
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
    """How the project is written, and what the shell sets."""

    has_profiled_bases: bool = False
    has_nested_bases: bool = False
    has_outside_contexts: bool = False
    has_cache_mounts: bool = False
    has_start_intervals: bool = False
    wants_gpu: bool = False
    uses_bake_check: bool = False
    sets_progress: bool = False


@dataclass(frozen=True)
class KnownIssue:
    """A range of versions of one part, the symptom, and when a project meets it."""

    part: str
    symptom: str
    remedy: str
    when: Callable[[Circumstances], bool]
    since: tuple[int, ...] = ()
    below: tuple[int, ...] = ()

    def applies_to(self, version: str, circumstances: Circumstances) -> bool:
        """Whether the version is in the range and the circumstance holds; never for an unreadable version."""
        numbers = parse_version(version)
        is_in_range = bool(numbers) and numbers >= self.since and (not self.below or numbers < self.below)
        return is_in_range and self.when(circumstances)


_NEW_ENGINE = "Update the engine: https://docs.docker.com/engine/install"
_NEW_COMPOSE = "Update the package docker-compose-plugin (or docker-compose)."

# None of versions below `OLDEST_USABLE`, which are refused anyway.
KNOWN_ISSUES = (
    KnownIssue(
        "Docker Engine",
        "health checks have no start_interval: starts take longer",
        _NEW_ENGINE,
        below=(25,),
        when=lambda met: met.has_start_intervals,
    ),
    KnownIssue(
        "Docker Engine",
        "`docker info` does not name GPUs that it provides through CDI",
        _NEW_ENGINE,
        below=(28, 2),
        when=lambda met: met.wants_gpu,
    ),
    KnownIssue(
        "Docker Engine",
        "cache mounts that were not used for 48 h are deleted: package steps download again",
        'Raise "builder": {"gc": {"defaultReservedSpace": …}} in daemon.json; `invoke cache` has the lines.',
        since=(29, 6),
        when=lambda met: met.has_cache_mounts,
    ),
    KnownIssue(
        "Docker Buildx",
        "plain `docker buildx bake` refuses build contexts outside the project's folder",
        "docker buildx bake --allow=fs.read=FOLDER (the tasks do)",
        since=(0, 37, 2),
        when=lambda met: met.has_outside_contexts,
    ),
    KnownIssue(
        "Docker Buildx",
        "`bake --check` replaces the tags of this project by empty images, and fails on `target:` contexts",
        "docker buildx build --call=check, for each image",
        # No good version is known. (Seen with Buildx 0.29; `target:` contexts: buildx #3343.)
        when=lambda met: met.uses_bake_check,
    ),
    KnownIssue(
        "Docker Compose",
        "a base service in an inactive profile is not found: `declares unknown service … as additional contexts`",
        "Declare base images in docker-bake.hcl, or take them out of the profile.",
        since=(2, 33),
        below=(5, 5),
        when=lambda met: met.has_profiled_bases,
    ),
    KnownIssue(
        "Docker Compose",
        "services built on nested base services fail",
        _NEW_COMPOSE,
        below=(2, 37, 1),
        when=lambda met: met.has_nested_bases,
    ),
    KnownIssue(
        "Docker Compose",
        "ignores BUILDKIT_PROGRESS",
        _NEW_COMPOSE,
        since=(5, 0, 0),
        below=(5, 0, 1),
        when=lambda met: met.sets_progress,
    ),
)


def issues_of(part: str, version: str, circumstances: Circumstances) -> list[KnownIssue]:
    """The known issues of one part in one version, under these circumstances."""
    return [issue for issue in KNOWN_ISSUES if issue.part == part and issue.applies_to(version, circumstances)]


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
