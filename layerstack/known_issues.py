"""Versions that are known to misbehave, as data; `below` is the first good version, `since` the first bad one."""

from dataclasses import dataclass

from layerstack.engine import parse_version


@dataclass(frozen=True)
class KnownIssue:
    """One range of versions of one part, and what a person sees."""

    part: str
    symptom: str
    remedy: str
    since: tuple[int, ...] = ()
    below: tuple[int, ...] = ()

    def applies_to(self, version: str) -> bool:
        """Is this version in the range? A version that cannot be read is not."""
        numbers = parse_version(version)
        return bool(numbers) and numbers >= self.since and (not self.below or numbers < self.below)


KNOWN_ISSUES = (
    KnownIssue("Docker Engine", "health checks have no start_interval: starts take longer", "Update it.", (23,), (25,)),
    KnownIssue("Docker Engine", "cache mounts older than 48 h are deleted", "Expect slower package steps.", (29, 6)),
    KnownIssue(
        "Docker Buildx", "prints its build log in a form that cannot be read by line", "Update it.", (), (0, 17)
    ),
    KnownIssue("Docker Compose", "services built on nested base images fail", "Update it.", (), (2, 37, 1)),
    KnownIssue("Docker Compose", "ignores BUILDKIT_PROGRESS", "Update it.", (5, 0, 0), (5, 0, 1)),
    KnownIssue("docker SDK", "fails with `Not supported URL scheme http+docker`", "pip install -U docker", (), (7, 1)),
    KnownIssue("docker SDK", "ignores `docker context use`", "pip install -U docker", (7, 1), (7, 2)),
)


def issues_of(part: str, version: str) -> list[KnownIssue]:
    """The known issues of one part in one version."""
    return [issue for issue in KNOWN_ISSUES if issue.part == part and issue.applies_to(version)]
