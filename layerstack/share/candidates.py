"""The images to share: system images and bases, services on request, and what prevents each."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from layerstack.build.plan import Plan, PlannedImage, make_plan
from layerstack.build.state import StateStore
from layerstack.dockerfile.references import familiar
from layerstack.engine import images
from layerstack.errors import UsageError
from layerstack.project.image_name import full_name
from layerstack.project.project import Project
from layerstack.project.system_references import system_references
from layerstack.registry.team import TeamRegistry


@dataclass(frozen=True)
class Candidate:
    """An image and its reference in the registry; `obstacle` says why it cannot be shared, "" for none.

    `planned` is None for a system image.
    """

    image: str
    image_id: str
    reference: str
    obstacle: str = ""
    planned: PlannedImage | None = None


def find_candidates(project: Project, team: TeamRegistry, names: Sequence[str], has_all: bool) -> list[Candidate]:
    """The named images, or all system images and bases, and with `has_all` the services. Raises UsageError."""
    plan = make_plan(project, list(project.images), StateStore(project.root))
    system = _system_references(project, plan)
    bases = {image.name for image in project.base_images}
    is_wanted = _chooser(project, names, system)
    found = [_system_image(reference, team) for reference in system if is_wanted(reference)]
    built = [one for one in plan.images if one.name in bases or has_all or names]
    return [*found, *(_built(one, team) for one in built if is_wanted(one.name))]


def _system_references(project: Project, plan: Plan) -> list[str]:
    """External images that the project runs or builds on."""
    # ONBUILD of an image may name another one, which no Dockerfile of the project has.
    parents = [name for one in plan.images for name in one.externals]
    # By the full name, as `node:18` and `docker.io/library/node:18` are one image.
    by_name = {full_name(reference): familiar(reference) for reference in (*system_references(project), *parents)}
    return sorted(by_name.values())


def _chooser(project: Project, names: Sequence[str], system: Collection[str]) -> Callable[[str], bool]:
    """A test whether an image was requested. Raises UsageError for an unknown name."""
    if not names:
        return lambda _: True
    known = {full_name(reference): reference for reference in system}
    chosen = {known.get(full_name(name)) or _own(project, name, system) for name in names}
    return chosen.__contains__


def _own(project: Project, name: str, system: Collection[str]) -> str:
    try:
        return project.image(name).name
    except UsageError as error:
        raise UsageError(str(error.args[0]), f"There are: {', '.join([*project.images, *system])}.") from error


def _system_image(reference: str, team: TeamRegistry) -> Candidate:
    stored, shared_as = images.find(reference), team.system_reference(reference)
    obstacle = "" if shared_as else "is named by its digest: it comes from its own registry"
    if stored is None:
        obstacle = "is not here → `invoke setup`"
    return Candidate(reference, stored.id if stored else "", shared_as, obstacle)


def _built(planned: PlannedImage, team: TeamRegistry) -> Candidate:
    reference = team.inputs_reference(planned.name, planned.manifest.digest)
    return Candidate(planned.name, planned.stored.id if planned.stored else "", reference, _obstacle(planned), planned)


def _obstacle(planned: PlannedImage) -> str:
    """Why the stored image may differ from what others would build."""
    if planned.stored is None:
        return f"is not here → `invoke build {planned.name}`"
    # If the digest left something out, others would pull an image that differs from what they would build.
    if doubts := (*planned.manifest.unknown, *planned.manifest.volatile):
        return f"has no digest that says all of it: {doubts[0]}"
    return "" if planned.is_fresh else f"is not fresh, {planned.reason} → `invoke build {planned.name}`"
