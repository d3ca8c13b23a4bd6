"""The images of a stack in the team's registry, by digest, so that every node pulls the same image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from layerstack.build import build as builder
from layerstack.build.progress import BuildObserver
from layerstack.dockerfile.references import familiar
from layerstack.engine import images
from layerstack.engine.images import StoredImage
from layerstack.errors import CheckFailed, StartFailed
from layerstack.project.project import Project
from layerstack.registry import transfer
from layerstack.registry.look_up import Answer, look_up
from layerstack.registry.team import TeamRegistry, require_team
from layerstack.registry.trouble import RegistryFailed
from layerstack.report import Say


@dataclass(frozen=True)
class WantedImage:
    """`reference` is the name in the registry, `stored` this engine's image, None when it has none."""

    image: str
    reference: str
    stored: StoredImage | None


def publish(project: Project, observer: BuildObserver | None, say: Say) -> dict[str, str]:
    """Build and push the images that the services run; service → reference by digest.

    Raises UsageError without a registry, BuildFailed, and as `push_missing`.
    """
    team, names = require_team(project), deployed_services(project)
    if built := [image.name for name in names if (image := project.image_of(project.services[name]))]:
        builder.build(project, list(dict.fromkeys(built)), observer)
    return push_missing(wanted_images(project, team, names), team, say)


def deployed_services(project: Project) -> tuple[str, ...]:
    """The services with at least one replica."""
    return tuple(name for name, service in project.services.items() if service.replicas)


def wanted_images(project: Project, team: TeamRegistry, services: Sequence[str]) -> dict[str, WantedImage]:
    """The image of each service as this engine would run it."""
    runs = {name: project.services[name].image for name in services}
    stored = images.find_all(familiar(image) for image in runs.values())
    found = {}
    for name, image in runs.items():
        own, here = project.image_of(project.services[name]), stored.get(familiar(image))
        # Not the id, which depends on the engine's image store: the same image would be pushed once more.
        content = here.identity if here else "missing"
        name_of = team.system_content_reference if own is None else team.content_reference
        found[name] = WantedImage(image, name_of(own.name if own else image, content), here)
    return found


def pin(wanted: Mapping[str, WantedImage]) -> dict[str, str]:
    """The references by digest, or by tag where the registry does not have the image yet."""
    answers = _ask(wanted)
    return {name: _name(one, answers) for name, one in wanted.items()}


def push_missing(wanted: Mapping[str, WantedImage], team: TeamRegistry, say: Say) -> dict[str, str]:
    """Push what the registry lacks; references by digest.

    Raises StartFailed for an image that is not here, CheckFailed when the registry refuses.
    """
    # Before anything is pushed: a stack with an image missing is not deployed at all.
    absent = {one.image: name for name, one in wanted.items() if one.stored is None}
    if absent:
        image, name = next(iter(absent.items()))
        raise StartFailed(
            f"Nothing is deployed: {', '.join(absent)} is not on this engine, and {name} runs {image}.",
            f"`docker pull {image}`, then run this again.",
        )
    answers = _ask(wanted)
    if trouble := next((answer.trouble for answer in answers.values() if answer.trouble), None):
        raise _refused(team, trouble.what, trouble.advice)
    pinned = {}
    for name, one in wanted.items():
        if not answers[one.reference].digest and one.stored:
            say(f"pushing {one.image} to {team.address}")
            # Remembered, as several services may run this image.
            answers[one.reference] = Answer(one.reference, _push(one.stored, one.reference, team, say))
        pinned[name] = _name(one, answers)
    return pinned


def _push(stored: StoredImage, reference: str, team: TeamRegistry, say: Say) -> str:
    try:
        return transfer.push(stored.id, reference, say)
    except RegistryFailed as failure:
        raise _refused(team, failure.trouble.what, failure.trouble.advice) from failure


def _refused(team: TeamRegistry, what: str, advice: str) -> CheckFailed:
    return CheckFailed(f"Nothing is deployed: the registry {team.host} {what}.", advice.format(host=team.host))


def _ask(wanted: Mapping[str, WantedImage]) -> dict[str, Answer]:
    return dict(look_up(one.reference for one in wanted.values() if one.stored))


def _name(wanted: WantedImage, answers: Mapping[str, Answer]) -> str:
    answer = answers.get(wanted.reference)
    return answer.pinned if answer and answer.digest else wanted.reference
