"""Tasks for builds: build, explain, predict, time."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from layerstack.errors import CheckFailed, UsageError
from layerstack.report import say
from layerstack.tasks.junit_report import JUNIT, junit_report
from layerstack.tasks.request import (
    DEVICE,
    JSON,
    SERVICES,
    project_to_read,
    project_to_run,
    root,
    show,
    show_document,
)
from layerstack.tasks.task import task

if TYPE_CHECKING:
    from layerstack.build.skip_proof import Audit
    from layerstack.junit import Case
    from layerstack.project.project import Project

BUILD_HELP = {
    "device": DEVICE,
    "force": "build again without the cache",
    "pull": "ask the registry for newer system images first",
    "verify-skip": "also build what is considered unchanged, under another tag, and compare the two",
    "cache-from": "read a cache from there too: type=registry,ref=…; {image} stands for the image's name",
    "cache-to": "write the cache there too, where the builder can",
    "explain": "print what each image's inputs digest is made of; builds nothing",
    "junit": JUNIT,
    "json": JSON,
}


@task(positional=[], iterable=["cache_from", "cache_to"], help=BUILD_HELP)
def build_bases(
    c: Context,
    cache_from: Sequence[str],
    cache_to: Sequence[str],
    device: str = "auto",
    force: bool = False,
    pull: bool = False,
    verify_skip: bool = False,
    explain: bool = False,
    json: bool = False,
    junit: str = "",
) -> None:
    """Build the base images: minutes the first time, then cached."""
    project = project_to_run(device, is_started=False)
    names = [image.name for image in project.base_images]
    with junit_report("build-bases", junit) as cases:
        cases += _build(project, names, _way(force, pull, verify_skip, explain), (cache_from, cache_to), json)


@task(
    positional=["services"],
    iterable=["services", "cache_from", "cache_to"],
    help={"services": SERVICES, **BUILD_HELP},
)
def build(
    c: Context,
    services: Sequence[str],
    cache_from: Sequence[str],
    cache_to: Sequence[str],
    device: str = "auto",
    force: bool = False,
    pull: bool = False,
    verify_skip: bool = False,
    explain: bool = False,
    json: bool = False,
    junit: str = "",
) -> None:
    """Build service images and the bases they need; unchanged steps come from the cache."""
    project = project_to_run(device, is_started=False, services=services)
    names = [project.image(name).name for name in services] or [image.name for image in project.service_images]
    with junit_report("build", junit) as cases:
        cases += _build(project, names, _way(force, pull, verify_skip, explain), (cache_from, cache_to), json)


@task(help={"image": "an image or service of this project", "device": DEVICE, "json": JSON})
def why(c: Context, image: str, device: str = "auto", json: bool = False) -> None:
    """Why each step of an image ran or was cached in its last build."""
    from layerstack.build.text import print_why
    from layerstack.build.why import explain_image

    show(explain_image(project_to_read(device, [image]), image), json, print_why)


@task(
    positional=["files"],
    iterable=["files"],
    help={
        "files": "files of the project, as words after the task; one may not exist yet",
        "device": DEVICE,
        "json": JSON,
    },
)
def impact(c: Context, files: Sequence[str], device: str = "auto", json: bool = False) -> None:
    """Which steps of which images a change of these files would rebuild, and how long that takes."""
    from layerstack.build.impact import document, find_impact
    from layerstack.build.text import print_impact

    impacts = find_impact(project_to_read(device), [Path.cwd() / file for file in files])
    show_document(document(impacts)) if json else print_impact(impacts)


@task(help={"last": "how many builds", "output": "draw a picture instead: FILE.svg or FILE.html", "json": JSON})
def timeline(c: Context, last: int = 1, output: str = "", json: bool = False) -> None:
    """When each step of the last builds ran, and which of them the build waited for."""
    from layerstack.timeline import picture
    from layerstack.timeline.text import print_timelines
    from layerstack.timeline.timeline import read_timelines, summary

    # Before the records are read: a wrong name is an error even where nothing was built.
    path = picture.picture_path(output) if output else None
    timelines = read_timelines(root(), last)
    if path and timelines:
        picture.write_picture(timelines, path)
        say(f"written: {path}")
    if json:
        show_document(summary(timelines))
    elif not timelines:
        say("nothing was built here yet: `invoke build`")
    elif not path:
        print_timelines(timelines)


@task(
    positional=["services"],
    iterable=["services"],
    help={
        "services": SERVICES,
        "runs": "rebuilds per service; the median counts",
        "until-served": "continue until a copy of the stack, recreated with the new image, responds",
        "edit-with": "a command that changes the file in the copy, instead of an appended comment",
        "device": DEVICE,
        "json": JSON,
        "junit": JUNIT,
    },
)
def time_rebuild(
    c: Context,
    services: Sequence[str],
    runs: int = 3,
    until_served: bool = False,
    edit_with: str = "",
    device: str = "auto",
    json: bool = False,
    junit: str = "",
) -> None:
    """Time the rebuild after a code change, in a copy; proves that dependency layers stayed CACHED."""
    from layerstack.rebuild import rebuild
    from layerstack.rebuild.text import print_rebuilds

    # A GPU is needed only where a copy of the stack is started.
    project = project_to_run(device, until_served, services)
    options = rebuild.RebuildOptions(runs, until_served, edit_with)
    with junit_report("time-rebuild", junit) as cases:
        rebuilds = rebuild.time_rebuilds(project, services, options, say)
        cases += [timed.case() for timed in rebuilds]
    show_document(rebuild.summary(rebuilds)) if json else print_rebuilds(rebuilds)
    if failed := [f"{timed.service}: {'; '.join(timed.failures)}" for timed in rebuilds if timed.failures]:
        raise CheckFailed(
            f"time-rebuild: {'. '.join(failed)}", f"`invoke why {failed[0].split(':')[0]}` lists the steps"
        )


def _way(force: bool, pull: bool, verify_skip: bool, explain: bool) -> str:
    """The one way to build that was asked for."""
    ways = {"force": force, "pull": pull, "verify-skip": verify_skip, "explain": explain}
    asked = [way for way, is_asked in ways.items() if is_asked]
    if len(asked) > 1:
        raise UsageError(f"Only one of {', '.join(f'--{way}' for way in asked)} at a time.")
    return asked[0] if asked else "stale"


def _build(
    project: "Project", names: Sequence[str], way: str, caches: tuple[Sequence[str], Sequence[str]], as_json: bool
) -> "list[Case]":
    from layerstack.build import build as builder
    from layerstack.build import text
    from layerstack.build.cache_place import CachePlaces
    from layerstack.build.progress import observer_for_terminal
    from layerstack.build.state import StateStore

    # Where all is in profiles, something may be to build: it is only not chosen.
    if not names and (project.inactive or not project.images):
        project.require_services()
    if not names and not as_json:
        say(text.nothing_to_build(project))
        return []
    if way == "explain":
        text.print_explanations(project, names, as_json)
        return []
    for warning in project.warnings:
        say(f"warning: {warning}")
    audits = _audited(project, names) if way == "verify-skip" else ()
    places = CachePlaces(*map(tuple, caches))
    options = builder.BuildOptions(is_forced=way == "force", pulls=way == "pull", caches=places)
    result = builder.build(project, names, observer_for_terminal(), options, StateStore(project.root))
    if as_json:
        proofs = {"audits": [audit.to_json() for audit in audits]} if audits else {}
        show_document({**result.to_json(), **proofs})
    else:
        text.print_build(result)
    return result.cases()


def _audited(project: "Project", names: Sequence[str]) -> "tuple[Audit, ...]":
    """Prove that the images considered unchanged are. Raises CheckFailed after printing all verdicts."""
    from layerstack.build.skip_proof import audit_skips, require_right
    from layerstack.build.state import StateStore

    audits = audit_skips(project, names, StateStore(project.root))
    for audit in audits:
        say(f"{audit.image} is considered unchanged: {audit.verdict}{f', {audit.detail}' if audit.detail else ''}")
    require_right(audits)
    return audits
