"""A team's registry: under which names it keeps bases and system images."""

from dataclasses import dataclass

from layerstack.dockerfile.references import familiar
from layerstack.errors import UsageError
from layerstack.project.project import Project
from layerstack.project.settings import REGISTRY_VARIABLE

INPUTS_PREFIX, CONTENT_PREFIX = "inputs-", "content-"
# One level below the path: Docker Hub knows no deeper names.
SYSTEM_PREFIX = "system-"


@dataclass(frozen=True)
class TeamRegistry:
    """`address` is HOST/PATH, as it begins the name of every image there."""

    address: str

    @property
    def host(self) -> str:
        return self.address.partition("/")[0]

    def inputs_reference(self, image: str, digest: str) -> str:
        """Where an image of the project that is made of these inputs (`sha256:…`) is kept."""
        return f"{self._repository(image)}:{INPUTS_PREFIX}{digest.removeprefix('sha256:')}"

    def content_reference(self, image: str, digest: str) -> str:
        """Where an image is kept by what is in it: no such name is ever given to another image."""
        return f"{self._repository(image)}:{CONTENT_PREFIX}{digest.removeprefix('sha256:')}"

    def system_reference(self, reference: str) -> str:
        """Where a system image is kept; empty for one that is named by its digest: that is to come from elsewhere."""
        if "@" in reference:
            return ""
        name, _, tag = familiar(reference).rpartition(":")
        if not name or "/" in tag:  # no tag, or the colon of a port
            name, tag = familiar(reference), "latest"
        return f"{self._repository(SYSTEM_PREFIX + name)}:{tag}"

    def _repository(self, image: str) -> str:
        name = image.lower().replace("/", "-").replace(":", "-").strip("-_.")
        return f"{self.address}/{name}"


def find_team(project: Project) -> TeamRegistry | None:
    """The registry that the project or the environment names."""
    return TeamRegistry(project.settings.registry) if project.settings.registry else None


def require_team(project: Project) -> TeamRegistry:
    """Raises UsageError without one."""
    if team := find_team(project):
        return team
    raise UsageError(
        "No registry is named: there is nowhere to share images.",
        f"`x-layerstack: {{registry: HOST/PATH}}` in {project.compose_files[0].name}, or {REGISTRY_VARIABLE} in .env.",
    )
