"""A team's registry, and the names of bases and system images in it."""

from dataclasses import dataclass

from layerstack.errors import UsageError
from layerstack.project.image_name import full_name, repository_of
from layerstack.project.project import Project
from layerstack.project.settings import REGISTRY_VARIABLE

INPUTS_PREFIX, CONTENT_PREFIX, BUILT_PREFIX = "inputs-", "content-", "built-"
# One level below the path: Docker Hub has no deeper names.
SYSTEM_PREFIX = "system-"


@dataclass(frozen=True)
class TeamRegistry:
    """`address` is HOST/PATH, with which the name of every image there begins."""

    address: str

    @property
    def host(self) -> str:
        return self.address.partition("/")[0]

    def inputs_reference(self, image: str, digest: str) -> str:
        """The name of an image that is made of these inputs (`sha256:…`)."""
        return f"{self._repository(image)}:{INPUTS_PREFIX}{digest.removeprefix('sha256:')}"

    def content_reference(self, image: str, digest: str) -> str:
        """The name of an image by its content: no other image ever gets it."""
        return f"{self._repository(image)}:{CONTENT_PREFIX}{digest.removeprefix('sha256:')}"

    def system_content_reference(self, reference: str, digest: str) -> str:
        """The name of a system image by its content."""
        return self.content_reference(SYSTEM_PREFIX + repository_of(reference), digest)

    def built_reference(self, image: str, project: str) -> str:
        """The name under which a builder elsewhere leaves an image for this engine."""
        return f"{self._repository(image)}:{BUILT_PREFIX}{project}"

    def system_reference(self, reference: str) -> str:
        """The name of a system image; "" for one named by its digest, which comes from its own registry."""
        if "@" in reference:
            return ""
        name, _, tag = full_name(reference).rpartition(":")
        return f"{self._repository(SYSTEM_PREFIX + name)}:{tag}"

    def _repository(self, image: str) -> str:
        # Repositories are in lower case, and registries such as Docker Hub allow one level only.
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
        "No registry is configured for images of this project.",
        f"`x-layerstack: {{registry: HOST/PATH}}` in {project.compose_files[0].name}, or {REGISTRY_VARIABLE} in .env.",
    )
