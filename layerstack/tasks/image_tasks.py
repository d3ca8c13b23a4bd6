"""Tasks for the disk: images, build cache, image content, cleaning up."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from layerstack.errors import CheckFailed, UsageError
from layerstack.report import say
from layerstack.tasks.request import DEVICE, JSON, YES, confirm, project_to_read, show, show_document
from layerstack.tasks.task import task

if TYPE_CHECKING:
    from layerstack.audit.weight_checks import LicensedModel
    from layerstack.project.project import Project


@task(help={"device": DEVICE, "json": JSON})
def images(c: Context, device: str = "auto", json: bool = False) -> None:
    """This project's images: size, age, and what is built on what."""
    from layerstack.engine.images import read_layers
    from layerstack.engine.text import print_images
    from layerstack.registry.origin import with_origin

    stored = [with_origin(layer) for layer in read_layers(project_to_read(device))]
    show_document({"images": [image.to_json() for image in stored]}) if json else print_images(stored)


@task(help={"device": DEVICE, "json": JSON})
def cache(c: Context, device: str = "auto", json: bool = False) -> None:
    """The build cache of each image, and whether it survives BuildKit's next clean-up."""
    from layerstack.cache.cache_report import read_report
    from layerstack.cache.text import print_cache

    show(read_report(project_to_read(device)), json, print_cache)


CLEAN_HELP = {
    "all": "this project's images and the engine's whole build cache",
    "need": "how much of the disk must be free, such as 20GB; what is cheapest to build again is removed first",
    "yes": YES,
    "json": JSON,
}


@task(help=CLEAN_HELP)
def clean(c: Context, all: bool = False, need: str = "", yes: bool = False, json: bool = False) -> None:
    """Remove old images and unused build cache; --all for a corrupted cache."""
    from layerstack.cache import clean_up

    if all and need:
        raise UsageError("Only one of --all and --need at a time.")
    project = project_to_read()
    if need:
        _make_room(project, need, yes, json)
        return
    plan = clean_up.plan_clean(project, removes_all=all)
    if not plan.is_empty:
        confirm(plan.sentences(), yes)
    outcome = "; ".join(("nothing to clean", *plan.kept)) if plan.is_empty else clean_up.clean(plan)
    if json:
        names = [tag for image in plan.images for tag in (image.tags or (image.id,))]
        left = list(plan.leftovers.names)
        show_document({"images": names, "cache_bytes": plan.cache_bytes, "leftovers": left, "outcome": outcome})
    else:
        say(outcome)


def _make_room(project: "Project", need: str, is_agreed: bool, as_json: bool) -> None:
    """List the cheapest bytes with their cost, ask, and remove them. Raises NoRoom when they are not enough."""
    from layerstack.cache.room import make_room, parse_size, plan_room
    from layerstack.wording import megabytes

    plan = plan_room(project, parse_size(need))
    # Before the question, so that nobody gives up cache for a goal that cannot be reached.
    if plan.lacking_bytes:
        say(f"{megabytes(plan.lacking_bytes)} will still be missing: stacks use everything else")
    confirm(plan.sentences(), is_agreed)
    outcome = make_room(plan)
    if as_json:
        show_document({**plan.to_json(), "outcome": outcome})
    else:
        say(outcome)


@task(
    positional=["images"],
    iterable=["images"],
    help={
        "images": "images as words after the task; default the system images and the bases",
        "all": "the services, too",
        "again": "push again what the registry already has, and replace it",
        "device": DEVICE,
        "json": JSON,
    },
)
def share(
    c: Context, images: Sequence[str], all: bool = False, again: bool = False, device: str = "auto", json: bool = False
) -> None:
    """Push images to the team's registry, where others find them instead of building them."""
    from layerstack.share.share import share as share_images
    from layerstack.share.text import print_shared

    done = share_images(project_to_read(device), images, all, again, say)
    show(done, json, print_shared)
    if not done.is_ok:
        raise CheckFailed("share: not every image is in the registry.")


AUDIT_HELP = {
    "image": "an image or service of this project, any other image, or a file that `docker save` wrote",
    "cards": "compute capabilities to judge for, such as sm_75,sm_89; default: this machine's cards",
    "ignore": "names of checks to leave out, separated by commas",
    "json": JSON,
}


@task(help=AUDIT_HELP)
def audit(c: Context, image: str, cards: str = "", ignore: str = "", json: bool = False) -> None:
    """Inspect an image without starting it: CUDA code, package conflicts, model weights, size."""
    run_audit(image, cards, ignore, json)


def run_audit(image: str, cards: str, ignore: str, as_json: bool, licensed: "Sequence[LicensedModel]" = ()) -> None:
    """Audit an image; `licensed` describes the models that no image of this project may hold."""
    from layerstack.audit import image_audit
    from layerstack.audit.text import print_audit

    wanted = image_audit.parse_cards(cards) if cards else image_audit.host_cards()
    ignored = [name.strip() for name in ignore.split(",") if name.strip()]
    audited = image_audit.audit_image(image_audit.reference_of(Path.cwd(), image), wanted, ignored, licensed)
    show(audited, as_json, print_audit)
    if not audited.is_ok:
        raise CheckFailed(f"audit: {image} has errors.")
