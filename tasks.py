"""Invoke tasks: `invoke --list`. Each is a few typed options and one call into `layerstack`.

They replace build-and-start.sh: build the bases, build and start the services, verify their health, time a rebuild.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from invoke.context import Context
from invoke.exceptions import Exit

from invocation import task
from layerstack.errors import CheckFailed, UsageError
from layerstack.project.project import Project

if TYPE_CHECKING:
    from layerstack.build.skip_proof import Audit
    from layerstack.gpu.decision import Request

JSON = "print one JSON document on stdout, everything else on stderr"
DEVICE = "auto, gpu or cpu; auto takes a GPU when both the host and Docker have one"
YES = "remove without asking"
BUILD_HELP = {
    "force": "build again without the cache",
    "pull": "ask the registry for newer system images first",
    "verify-skip": "build what would be skipped too and compare the layers",
    "explain": "print what each image's inputs digest is made of; builds nothing",
    "json": JSON,
}
SERVICES = "services, as words after the task; default all"


@task(
    help={
        "install-engine": "on Debian as root: install and start an engine when there is none",
        "pull": "ask the registry again for the system images and replace stand-ins",
        "device": DEVICE,
    }
)
def setup(c: Context, install_engine: bool = False, pull: bool = False, device: str = "auto") -> None:
    """Make this machine ready: engine, Buildx, Compose, disk, system images."""
    from layerstack.report import say
    from layerstack.setup import machine

    machine.prepare(_root(), _request(device), installs_engine=install_engine, pulls=pull, say=say)


@task(help={"device": DEVICE, **BUILD_HELP})
def build_bases(
    c: Context,
    device: str = "auto",
    force: bool = False,
    pull: bool = False,
    verify_skip: bool = False,
    explain: bool = False,
    json: bool = False,
) -> None:
    """Build the base images: minutes the first time, then cached."""
    project = _project(device, is_announced=True)
    names = [image.name for image in project.base_images]
    _build(project, names, _how(force, pull, verify_skip, explain), json)


@task(positional=["services"], iterable=["services"], help={"services": SERVICES, "device": DEVICE, **BUILD_HELP})
def build(
    c: Context,
    services: Sequence[str],
    device: str = "auto",
    force: bool = False,
    pull: bool = False,
    verify_skip: bool = False,
    explain: bool = False,
    json: bool = False,
) -> None:
    """Build service images, and the bases they need, in one solve; what did not change is skipped."""
    project = _project(device, is_announced=True)
    names = [project.image(name).name for name in services] or [image.name for image in project.service_images]
    _build(project, names, _how(force, pull, verify_skip, explain), json)


@task(help={"image": "an image or service of this project", "device": DEVICE, "json": JSON})
def why(c: Context, image: str, device: str = "auto", json: bool = False) -> None:
    """Why each step of an image ran or was cached in its last build."""
    from layerstack import report
    from layerstack.build import text as build_text
    from layerstack.build.why import explain_image

    found = explain_image(_project(device), image)
    report.print_json(found.to_json()) if json else build_text.print_why(found)


@task(
    positional=["files"],
    iterable=["files"],
    help={
        "files": "files of the project, as words after the task; one may not be there yet",
        "device": DEVICE,
        "json": JSON,
    },
)
def impact(c: Context, files: Sequence[str], device: str = "auto", json: bool = False) -> None:
    """Which steps of which images a change of these files would rebuild, and about how long."""
    from layerstack import report
    from layerstack.build import text as build_text
    from layerstack.build.impact import document, find_impact

    found = find_impact(_project(device), [Path.cwd() / file for file in files])
    report.print_json(document(found)) if json else build_text.print_impact(found)


@task(help={"last": "how many builds", "output": "draw a picture instead: FILE.svg or FILE.html", "json": JSON})
def timeline(c: Context, last: int = 1, output: str = "", json: bool = False) -> None:
    """When each step of the last builds ran, and what the end waited for."""
    from layerstack import report
    from layerstack.timeline import picture as timeline_picture
    from layerstack.timeline import text as timeline_text
    from layerstack.timeline.timeline import read_timelines, summary

    path = timeline_picture.picture_path(output) if output else None
    found = read_timelines(_root(), last)
    if path and found:
        timeline_picture.write_picture(found, path)
        report.say(f"drawn: {path}")
    if json:
        report.print_json(summary(found))
    elif not found:
        report.say("no build yet: `invoke build`")
    elif not path:
        timeline_text.print_timelines(found)


@task(help={"device": DEVICE, "json": JSON})
def gpu(c: Context, device: str = "auto", json: bool = False) -> None:
    """What GPU the host, Docker and the running containers have, which device the stack takes, and why."""
    from layerstack import report
    from layerstack.gpu import gpu_text
    from layerstack.gpu.gpu_survey import survey

    found = survey(_root(), _request(device))
    report.print_json(found.to_json()) if json else gpu_text.print_gpu(found)


@task(
    positional=["services"],
    iterable=["services"],
    help={"services": SERVICES, "device": DEVICE, "timeout": "seconds to wait for health"},
)
def up(c: Context, services: Sequence[str], device: str = "auto", timeout: int = 300) -> None:
    """Start the stack and wait until every service is healthy."""
    from layerstack import report
    from layerstack.gpu import gpu_services
    from layerstack.run import stack
    from layerstack.run import text as run_text

    project = _project(device, is_announced=True, is_started=True)
    with gpu_services.ready(project, services, float(timeout), report.say):
        result = stack.up(project, run_text.start_observer(), services, float(timeout))
    run_text.print_start(result)


@task(
    help={
        "wait": "seconds to go on asking while something is still on its way up",
        "junit": "write the result to this file as well, for CI",
        "json": JSON,
    }
)
def verify(c: Context, wait: int = 0, junit: str = "", json: bool = False) -> None:
    """Ask every service whether it really works, and name the first broken link with its repair."""
    from layerstack import report
    from layerstack.verify import verify as verification
    from layerstack.verify import verify_text

    if wait < 0:
        raise UsageError(f"--wait takes seconds, not {wait}.")
    outcome = verification.verify(_project(), float(wait), verify_text.wait_observer())
    if junit:
        from layerstack.verify.junit import write_junit

        write_junit(outcome, Path(junit))
    report.print_json(outcome.to_json()) if json else verify_text.print_verify(outcome)
    if not outcome.is_ok:
        raise CheckFailed("verify: not everything works.", outcome.diagnosis.way_out if outcome.diagnosis else "")


@task(
    positional=["services"],
    iterable=["services"],
    help={
        "services": SERVICES,
        "runs": "rebuilds per service; the median counts",
        "until-served": "go on until a copy of the stack, recreated with the new image, answers",
        "edit-with": "a command that changes the file in the copy, instead of an appended comment",
        "device": DEVICE,
        "json": JSON,
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
) -> None:
    """Time the rebuild after a code change, in a copy; proves that dependency layers stayed CACHED."""
    from layerstack import report
    from layerstack.rebuild import rebuild
    from layerstack.rebuild import text as rebuild_text

    project = _project(device, is_announced=True, is_started=until_served)
    rebuilds = rebuild.time_rebuilds(
        project, services, rebuild.RebuildOptions(runs, until_served, edit_with), report.say
    )
    report.print_json(rebuild.summary(rebuilds)) if json else rebuild_text.print_rebuilds(rebuilds)
    if any(one.failures for one in rebuilds):
        raise CheckFailed("time-rebuild: a rebuild is slower or does more than it should.")


@task(help={"device": DEVICE, "json": JSON})
def start(c: Context, device: str = "auto", json: bool = False) -> None:
    """Everything: check the machine, build, start, verify, and print the addresses."""
    from layerstack import report
    from layerstack.build import build as builder
    from layerstack.build import text as build_text
    from layerstack.build.progress import observer_for_terminal
    from layerstack.gpu import gpu_services
    from layerstack.run import stack
    from layerstack.run import text as run_text
    from layerstack.setup import machine
    from layerstack.verify import verify as verification
    from layerstack.verify import verify_text

    ready = machine.prepare(_root(), _request(device), installs_engine=False, pulls=False, say=report.say)
    project = _project(ready.decision.device)
    built = builder.build(project, list(project.images), observer_for_terminal())
    with gpu_services.ready(project, (), stack.START_TIMEOUT_SECONDS, report.say):
        started = stack.up(project, run_text.start_observer())
    outcome = verification.verify(project)
    addresses = stack.addresses(project)
    if json:
        parts = {"build": built.to_json(), "up": started.to_json(), "verify": outcome.to_json(), "addresses": addresses}
        report.print_json({"ok": outcome.is_ok, **parts})
    else:
        build_text.print_build(built)
        run_text.print_start(started)
        verify_text.print_verify(outcome)
        run_text.print_addresses(addresses)
    if not outcome.is_ok:
        raise CheckFailed("start: the stack is up, but not everything works.")


@task(help={"volumes": "remove the data volumes too", "yes": YES})
def down(c: Context, volumes: bool = False, yes: bool = False) -> None:
    """Stop and remove the containers; with --volumes the data too."""
    from layerstack import report
    from layerstack.run import stack
    from layerstack.run import text as run_text

    project = _project()
    if volumes:
        _confirm([f"volume {run_text.volume_text(volume)}" for volume in stack.volumes_of(project)], yes)
    removed = stack.down(project, removes_volumes=volumes)
    report.say(f"removed: {', '.join(removed)}" if removed else "nothing of this project was running")


@task(positional=["services"], iterable=["services"], help={"services": SERVICES})
def restart(c: Context, services: Sequence[str]) -> None:
    """Restart services in place and wait for their health."""
    from layerstack.run import stack
    from layerstack.run import text as run_text

    run_text.print_start(stack.restart(_project(), run_text.start_observer(), services))


@task(
    positional=["services"],
    iterable=["services"],
    help={"services": SERVICES, "tail": "lines per service", "follow": "keep following; Ctrl-C ends it"},
)
def logs(c: Context, services: Sequence[str], tail: int = 100, follow: bool = False) -> None:
    """Show what the services wrote."""
    from layerstack.run import stack

    stack.logs(_project(), services, tail, follow)


@task(help={"json": JSON})
def status(c: Context, json: bool = False) -> None:
    """What runs now, and whether it runs your code: what is stale, and the command that brings it up to date."""
    from layerstack import report
    from layerstack.status import status as running
    from layerstack.status import status_text

    found = running.read_status(_project())
    report.print_json(running.document(found)) if json else status_text.print_status(found)


@task(help={"device": DEVICE, "json": JSON})
def images(c: Context, device: str = "auto", json: bool = False) -> None:
    """This project's images: size, age, and what is built on what."""
    from layerstack import report
    from layerstack.engine import text as engine_text
    from layerstack.engine.images import read_layers

    stored = read_layers(_project(device))
    report.print_json({"images": [one.to_json() for one in stored]}) if json else engine_text.print_images(stored)


@task(help={"device": DEVICE, "json": JSON})
def cache(c: Context, device: str = "auto", json: bool = False) -> None:
    """What BuildKit's cache holds of each image, and whether it survives the next clean-up of the engine."""
    from layerstack import report
    from layerstack.cache import cache_report
    from layerstack.cache import text as cache_text

    found = cache_report.read_report(_project(device), report.say)
    report.print_json(found.to_json()) if json else cache_text.print_cache(found)


@task(help={"all": "this project's images and the engine's whole build cache", "yes": YES})
def clean(c: Context, all: bool = False, yes: bool = False) -> None:
    """Remove old images and unused build cache; --all for a corrupted cache."""
    from layerstack import report
    from layerstack.cache import clean_up

    project = _project()
    plan = clean_up.plan_clean(project, removes_all=all)
    if plan.is_empty:
        report.say("nothing to clean")
        return
    _confirm(plan.sentences(), yes)
    report.say(clean_up.clean(project, plan))


@task(
    help={
        "image": "an image or service of this project, any other image, or a file that `docker save` wrote",
        "cards": "compute capabilities to judge for, such as sm_75,sm_89; default: this machine's cards",
        "ignore": "names of checks to leave out, separated by commas",
        "json": JSON,
    }
)
def audit(c: Context, image: str, cards: str = "", ignore: str = "", json: bool = False) -> None:
    """What is inside an image, without starting it: is its CUDA real, do its packages fit, what does it weigh."""
    from layerstack import report
    from layerstack.audit import image_audit
    from layerstack.audit.image_audit_text import print_audit

    wanted = image_audit.parse_cards(cards) if cards else image_audit.host_cards()
    ignored = [name.strip() for name in ignore.split(",") if name.strip()]
    found = image_audit.audit_image(image_audit.reference_of(Path.cwd(), image), wanted, ignored)
    report.print_json(found.to_json()) if json else print_audit(found)
    if not found.is_ok:
        raise CheckFailed(f"audit: {image} has errors.")


@task(
    help={
        "fetch": "fetch what anybody may fetch, and go on where it broke off",
        "smpl": "convert the SMPL file that you registered for, and keep it in the volume",
        "force": "with --smpl: replace the one that is there",
        "json": JSON,
    }
)
def weights(c: Context, fetch: bool = False, smpl: str = "", force: bool = False, json: bool = False) -> None:
    """Which model files are there, what needs the missing ones, and how to get them."""
    from layerstack.run.service_program import find_program, run_program

    if fetch and smpl:
        raise UsageError("weights does one thing at a time: --fetch or --smpl FILE.")
    if smpl and not Path(smpl).is_file():
        raise UsageError(f"There is no file {smpl}.", "Name the SMPL file that you downloaded: --smpl FILE")
    files = {"/tmp/smpl.pkl": Path(smpl)} if smpl else {}
    words = ["smpl", *files, *(["--force"] if force else [])] if smpl else ["fetch" if fetch else "list"]
    project = _project()
    exit_code = run_program(project, find_program(project, "weights"), [*words, *(["--json"] if json else [])], files)
    if exit_code:
        raise Exit(code=exit_code)


@task(
    iterable=["ignore"],
    help={
        "ignore": "a check that shall keep silent; again for more, or with commas",
        "all": "show also what is fine, and what was silenced",
        "json": JSON,
    },
)
def doctor(c: Context, ignore: Sequence[str], all: bool = False, json: bool = False) -> None:
    """What this machine and this project lack, before anything is built."""
    from layerstack import report
    from layerstack.doctor import doctor as examination
    from layerstack.doctor.doctor_text import print_findings

    found = examination.examine(_root(), ignore)
    report.print_json(found.to_json()) if json else print_findings(found, all)
    if not found.is_ok:
        raise CheckFailed("doctor: something stands in the way of a build or a start.")


@task(help={"device": DEVICE})
def dev(c: Context, device: str = "auto") -> None:
    """Start with hot reload of all three services and follow their logs."""
    from layerstack import report
    from layerstack.gpu import gpu_services
    from layerstack.run import stack
    from layerstack.run import text as run_text

    os.environ["POSE_GUNICORN_ARGS"] = "--reload"
    project = _project(device, is_announced=True, is_started=True)
    with gpu_services.ready(project, (), stack.START_TIMEOUT_SECONDS, report.say):
        run_text.print_start(stack.up(project, run_text.start_observer()))
    run_text.print_addresses(stack.addresses(project))
    report.say("edit a source file and watch it reload; Ctrl-C ends the watching, the stack stays up")
    stack.logs(project, [service.name for service in project.services.values() if service.is_built], 5, follows=True)


def _root() -> Path:
    from layerstack.project.project import find_root

    return find_root(Path.cwd())


def _request(device: str) -> "Request":
    if device not in ("auto", "gpu", "cpu"):
        raise UsageError(f"--device is auto, gpu or cpu, not `{device}`.")
    return cast("Request", device)


def _project(device: str = "auto", is_announced: bool = False, is_started: bool = False) -> Project:
    """The project of this folder. Only what is started needs the GPU that was asked for: any machine builds for one."""
    from layerstack import report
    from layerstack.gpu import gpu_text
    from layerstack.gpu.device import choose
    from layerstack.project.project import load

    if _request(device) == "gpu" and not is_started:
        return load(_root(), "gpu")
    # What is announced costs time: Docker is asked again, also when it could give a GPU before.
    decision = choose(_root(), _request(device), is_fresh=is_announced)
    if is_announced:
        report.say(gpu_text.sentence(decision))
    return load(_root(), decision.device)


def _how(force: bool, pull: bool, verify_skip: bool, explain: bool) -> str:
    """The one way to build that was asked for."""
    ways = {"force": force, "pull": pull, "verify-skip": verify_skip, "explain": explain}
    asked = [way for way, is_asked in ways.items() if is_asked]
    if len(asked) > 1:
        raise UsageError(f"Only one of {', '.join(f'--{way}' for way in asked)} at a time.")
    return asked[0] if asked else "stale"


def _build(project: Project, names: Sequence[str], how: str, as_json: bool = False) -> None:
    from layerstack import report
    from layerstack.build import build as builder
    from layerstack.build import text as build_text
    from layerstack.build.progress import observer_for_terminal
    from layerstack.build.state import StateStore

    if how == "explain":
        build_text.print_explanations(project, names, as_json)
        return
    audits = _audited(project, names) if how == "verify-skip" else ()
    options = builder.BuildOptions(is_forced=how == "force", pulls=how == "pull")
    store = StateStore(project.root, warn=report.say)
    result = builder.build(project, names, observer_for_terminal(), options, store)
    if as_json:
        report.print_json({**result.to_json(), **({"audits": [one.to_json() for one in audits]} if audits else {})})
    else:
        build_text.print_build(result)


def _audited(project: Project, names: Sequence[str]) -> "tuple[Audit, ...]":
    """Prove that what will be skipped may be skipped. Raises CheckFailed, after all verdicts are told."""
    from layerstack.build.skip_proof import audit_skips, require_right
    from layerstack.build.state import StateStore
    from layerstack.report import say

    audits = audit_skips(project, names, StateStore(project.root, warn=say))
    for one in audits:
        say(f"skip of {one.image}: {one.verdict}{f', {one.detail}' if one.detail else ''}")
    require_right(audits)
    return audits


def _confirm(losses: Sequence[str], is_agreed: bool) -> None:
    """Name what will be lost and ask. Raises UsageError when nobody can answer or the answer is no."""
    from layerstack.report import say

    for loss in losses:
        say(f"will be removed: {loss}")
    if is_agreed or not losses:
        return
    if not sys.stdin.isatty():
        raise UsageError("Nothing was removed: there is no terminal to ask on.", "Add --yes to agree beforehand.")
    say("Remove? [y/N]")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("Nothing was removed.")
