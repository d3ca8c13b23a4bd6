"""Times rebuilds after a code change, in a copy of the build context: the working tree is never written."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from layerstack.build import build, history
from layerstack.build.elsewhere import require_own_builder
from layerstack.dockerfile.image import Image
from layerstack.engine import images
from layerstack.errors import UsageError
from layerstack.project.project import Project, Service
from layerstack.rebuild.context_copy import change, copied_context, words_of
from layerstack.rebuild.edited_file import choose_edited_file, edited_file
from layerstack.rebuild.leftovers import find_leftovers, remove_leftovers
from layerstack.rebuild.rebuilder import Rebuilder, temporary_tag
from layerstack.rebuild.regression import find_regression
from layerstack.rebuild.served import ServedCopy
from layerstack.rebuild.timed import Rebuild, Run
from layerstack.report import Say
from layerstack.run import rehearsal


@dataclass(frozen=True)
class RebuildOptions:
    """`edit_command` changes the file in the copy, instead of an appended comment."""

    run_count: int = 3
    is_until_served: bool = False
    edit_command: str = ""


def time_rebuilds(project: Project, names: Sequence[str], options: RebuildOptions, say: Say) -> list[Rebuild]:
    """Time the named services one after the other; by default all that are built and have a file to edit.

    Raises as `time_rebuild` does.
    """
    if options.run_count < 1:
        raise UsageError(f"--runs is 1 or more, not {options.run_count}.")
    words_of(options.edit_command)
    require_own_builder(project, "time-rebuild")
    wanted = [project.service(name).name for name in names] or _editable(project, say)
    if not wanted:
        raise UsageError(
            "No service of this project has a file that a rebuild could change.",
            "Name one below its build context: `x-layerstack: { edit: src/main.py }` in the Compose file.",
        )
    return [time_rebuild(project, name, options, say) for name in wanted]


def summary(rebuilds: Sequence[Rebuild]) -> dict[str, Any]:
    """The JSON document of the task."""
    return {"ok": not any(one.failures for one in rebuilds), "rebuilds": [one.to_json() for one in rebuilds]}


def time_rebuild(project: Project, service_name: str, options: RebuildOptions, say: Say) -> Rebuild:
    """Time rebuilds of one service, each after a change in a copy of its context.

    Raises UsageError when the service is not built here or the file to edit cannot be changed; BuildFailed.
    """
    service, image = project.service(service_name), project.image(service_name)
    choice = edited_file(project, service, image, bool(options.edit_command))
    edited = choice.path
    if choice.reason:
        say(f"{service.name}: no `x-layerstack.edit`, so {edited} is changed, {choice.reason}")
    # A rebuild that was killed leaves images and containers behind; the next one removes them.
    remove_leftovers(find_leftovers(project))
    bases = _current_bases(project, image)
    with ExitStack() as stack:
        copy, tag = stack.enter_context(copied_context(project, image)), stack.enter_context(temporary_tag(image))
        _require_sent(copy, edited, service)
        rebuild = Rebuilder(project, image, copy, tag)
        # BuildKit has not received this context before: the first build would time its transfer.
        say(f"{service.name}: a first build of the copy, not timed")
        rebuild.build()
        before = images.find(tag)
        served = stack.enter_context(_served(project, service, tag, say)) if options.is_until_served else None
        runs = _runs(rebuild, served, copy / edited, options, say)
        ids = [before.id if before else "", *(run.image_id for run in runs)]
        result = Rebuild(
            service=service.name,
            edited=edited,
            runs=runs,
            budget_seconds=service.settings.budget_seconds,
            is_base_unchanged=bases == _ids(project, image),
            # An image may get another id although no step ran: BuildKit can hold a cached step twice.
            is_image_changed=len(set(ids)) == len(ids) and all(run.executed for run in runs),
            regression=find_regression(
                project.root, service.name, median(run.seconds for run in runs), runs[-1].executed
            ),
            edited_reason=choice.reason,
        )
    history.append(project.root, "rebuild", result.to_json())
    return result


def _current_bases(project: Project, image: Image) -> Sequence[str]:
    """Ids of the images it is built on, brought up to date: the copy is built on them as they are stored."""
    if image.parents:
        build.build(project, image.parents)
    return _ids(project, image)


def _runs(
    rebuild: Rebuilder, served: ServedCopy | None, edited: Path, options: RebuildOptions, say: Say
) -> tuple[Run, ...]:
    """One build after each change of the edited file."""
    runs = []
    for number in range(1, options.run_count + 1):
        say(f"{rebuild.image.name}: rebuild {number} of {options.run_count} after a change in {edited.name}")
        change(edited, options.edit_command)
        runs.append(rebuild.run(served))
    return tuple(runs)


def _editable(project: Project, say: Say) -> list[str]:
    """Services that are built and have a file to change; others are reported and skipped."""
    found = []
    for service in project.services.values():
        if not service.declares_build:
            continue
        try:
            if not service.settings.edit:
                choose_edited_file(project, project.image(service.name))
            found.append(service.name)
        except UsageError as error:
            say(f"{service.name} is skipped: {error.args[0]}")
    return found


@contextmanager
def _served(project: Project, service: Service, tag: str, say: Say) -> Iterator[ServedCopy]:
    """The service and its dependencies, running from the temporary image as a separate project."""
    with rehearsal.rehearsal(project, "rebuild", {service.name: rehearsal.from_image(service, tag)}) as copy:
        say(f"{service.name}: starting a copy of the stack as {copy.name}, not timed")
        yield ServedCopy.start(copy, service.name)


def _require_sent(copy: Path, edited: str, service: Service) -> None:
    if not (copy / edited).is_file():
        raise UsageError(
            f"The file that a rebuild of {service.name} should change is not in the build context: {edited}.",
            "Name one in `x-layerstack.edit` that .dockerignore does not exclude.",
        )


def _ids(project: Project, image: Image) -> Sequence[str]:
    """Ids of the images this one is built on."""
    tags = [parent.tag for parent in project.with_parents(image.parents)]
    found = images.find_all(tags)
    return [found[tag].id if tag in found else "" for tag in tags]
