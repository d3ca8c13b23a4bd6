"""Known issues of versions, as data; `since` is the first bad version, `below` the first good one."""

from collections.abc import Callable
from dataclasses import dataclass

from layerstack.doctor.circumstances import Circumstances
from layerstack.engine.engine import parse_version


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
