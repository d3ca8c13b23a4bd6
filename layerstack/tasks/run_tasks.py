"""Tasks for the running stack: start, check, read logs, stop."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from invoke.context import Context

from layerstack.errors import CheckFailed
from layerstack.report import say
from layerstack.tasks.junit_report import JUNIT, junit_report
from layerstack.tasks.request import (
    DEVICE,
    JSON,
    SERVICES,
    YES,
    confirm,
    project_to_read,
    project_to_run,
    requested,
    require_not_negative,
    root,
    show,
    show_document,
)
from layerstack.tasks.task import task

# rich takes 0.05 s to load.
TABLES = ("rich.console", "rich.table", "rich.text")

if TYPE_CHECKING:
    from layerstack.project.project import Project
    from layerstack.run.startup import UpResult
    from layerstack.verify.verify import VerifyReport


@task(
    positional=["services"],
    iterable=["services"],
    help={"services": SERVICES, "device": DEVICE, "timeout": "seconds to wait for health", "json": JSON},
)
def up(c: Context, services: Sequence[str], device: str = "auto", timeout: int = 300, json: bool = False) -> None:
    """Start the stack and wait until every service is healthy."""
    from layerstack.run.text import print_start

    require_not_negative("timeout", timeout, "seconds")
    show(_up(project_to_run(device, True, services), services, timeout), json, print_start)


@task(
    help={
        "wait": "seconds to keep checking while something is still starting",
        "all": "show every check with its answer, not a line a service",
        "json": JSON,
        "junit": JUNIT,
    }
)
def verify(c: Context, wait: int = 0, all: bool = False, json: bool = False, junit: str = "") -> None:
    """Ask every service whether it really works, and name the first broken link with its repair."""
    require_not_negative("wait", wait, "seconds")
    project = project_to_read()
    # Compose takes 0.2 s to resolve the environment of the services, while the modules below load.
    project.read_ahead()
    _import_ahead("requests", *TABLES)
    from layerstack.deploy.swarm import is_deployed
    from layerstack.engine import engine
    from layerstack.verify import verify as verification
    from layerstack.verify.junit import cases_of
    from layerstack.verify.verify_text import print_verify, wait_observer

    if is_deployed(engine.client_later(), project):
        _verify_stack(project, wait, all, json, junit)
        return
    with junit_report("verify", junit) as cases:
        outcome = verification.verify(project, float(wait), wait_observer())
        cases += cases_of(outcome)
    show(outcome, json, lambda found: print_verify(found, all))
    if not outcome.is_ok:
        raise _not_working("verify", outcome)


@task(help={"device": DEVICE, "json": JSON})
def start(c: Context, device: str = "auto", json: bool = False) -> None:
    """Everything: check the machine, build, start, verify, and print the addresses."""
    from layerstack.engine import engine
    from layerstack.wait import beside

    asked, folder = requested(device), root()
    # `docker info` takes as long as loading all that is needed here.
    facts = beside(engine.read_facts)
    from layerstack.build import build as builder
    from layerstack.build.progress import observer_for_terminal
    from layerstack.build.text import print_build
    from layerstack.project.project import load
    from layerstack.run.address import addresses, tunnel
    from layerstack.run.other_folder import require_own_folder
    from layerstack.run.text import print_addresses, print_start, say_tunnel
    from layerstack.setup import machine
    from layerstack.verify.verify_text import print_verify

    _import_ahead("docker", *TABLES)
    ready = machine.prepare(folder, asked, installs_engine=False, pulls=False, say=say, read_facts=facts.result)
    project = load(folder, ready.decision.device)
    project.read_ahead()
    # Before the build: a project that runs from another folder is refused by `up` in any case.
    require_own_folder(engine.client(), project, say)
    built = builder.build(project, [image.name for image in project.service_images], observer_for_terminal())
    started, outcome = _up_and_verify(project)
    reached = addresses(project)
    if json:
        parts = {"build": built.to_json(), "up": started.to_json(), "verify": outcome.to_json(), "addresses": reached}
        show_document({"ok": outcome.is_ok, **parts})
    else:
        print_build(built)
        print_start(started)
        print_verify(outcome)
        print_addresses(reached)
        say_tunnel(tunnel(project))
    if not outcome.is_ok:
        raise _not_working("start", outcome)


@task(help={"device": DEVICE})
def dev(c: Context, device: str = "auto") -> None:
    """Start, then follow the logs of the services that are built here; Ctrl-C leaves the stack running."""
    follow(device, {})


def follow(device: str, variables: Mapping[str, str]) -> None:
    """Start with these additional variables, print what reloads after a save, and follow the logs."""
    from layerstack.engine import engine
    from layerstack.run import stack
    from layerstack.run.address import addresses, tunnel
    from layerstack.run.dev_settings import remember, variables_of_dev
    from layerstack.run.start_failure import require_images
    from layerstack.run.text import print_addresses, print_start, say_tunnel
    from layerstack.run.unmounted import require_mounts
    from layerstack.status.reloading import forecast

    with variables_of_dev(variables):
        project = project_to_run(device, is_started=True)
        require_images(engine.client(), project, list(project.services))
        # Where the engine does not have this folder, saved files would not reach the containers.
        require_mounts(engine.client(), project)
        print_start(_up(project))
        # `status` compares with these variables: without them it would call containers of `dev` outdated.
        remember(engine.client(), project, variables)
        print_addresses(addresses(project))
        say_tunnel(tunnel(project))
        for text in forecast(engine.client(), project):
            say(text)
        say("Ctrl-C stops following the logs; the stack stays up")
        built = [service.name for service in project.services.values() if service.is_built]
        stack.logs(project, built, 5, follows=True)


@task(
    help={
        "volumes": "remove the data volumes too",
        "stack": "another stack of this engine by its name, from any folder; `stacks` lists them",
        "yes": YES,
        "json": JSON,
    }
)
def down(c: Context, volumes: bool = False, stack: str = "", yes: bool = False, json: bool = False) -> None:
    """Stop and remove the containers; with --volumes the data too."""
    from layerstack.run.stack import down as end
    from layerstack.run.stack import down_stack, volumes_of
    from layerstack.run.text import volume_text
    from layerstack.stacks.stacks import require_stack

    # A typo would otherwise end with 0 and "nothing was running".
    if stack:
        require_stack(stack)
    project = None if stack else project_to_read()
    lost = volumes_of(project.name if project else stack) if volumes else ()
    confirm([f"volume {volume_text(volume)}" for volume in lost], yes)
    removed = end(project, removes_volumes=volumes) if project else down_stack(stack, removes_volumes=volumes)
    if json:
        show_document({"removed": list(removed), "volumes": [volume.name for volume in lost]})
    else:
        name = project.name if project else stack
        say(f"removed: {', '.join(removed)}" if removed else f"nothing of {name} was running")


@task(positional=["services"], iterable=["services"], help={"services": SERVICES, "json": JSON})
def restart(c: Context, services: Sequence[str], json: bool = False) -> None:
    """Restart services in place and wait for their health."""
    from layerstack.run import stack
    from layerstack.run.text import print_start, start_observer
    from layerstack.verify.trouble import diagnosis_of

    project = project_to_read(services=services)
    result = stack.restart(project, start_observer(project.root), services, diagnose=diagnosis_of(project))
    show(result, json, print_start)


@task(
    positional=["services"],
    iterable=["services"],
    help={"services": SERVICES, "tail": "lines per service", "follow": "keep following; Ctrl-C ends it"},
)
def logs(c: Context, services: Sequence[str], tail: int = 100, follow: bool = False) -> None:
    """Show the logs of the services."""
    from layerstack.run import stack

    require_not_negative("tail", tail, "a number of lines")
    stack.logs(project_to_read(services=services), services, tail, follow)


@task(help={"check": "end with exit code 1 unless every service runs your code", "json": JSON})
def status(c: Context, check: bool = False, json: bool = False) -> None:
    """What is running, whether it runs your current code, and the command that updates it."""
    from layerstack.deploy.swarm import is_deployed
    from layerstack.engine import engine
    from layerstack.report import say
    from layerstack.run.address import tunnel
    from layerstack.run.text import say_tunnel
    from layerstack.status import status as running
    from layerstack.status.status_text import print_status

    project = project_to_read()
    read = running.read_status(project)
    document = running.document(read)
    show_document(document) if json else print_status(read)
    say_tunnel(tunnel(project))
    # Asked only now: where all is well, the answer is not needed.
    if not document["ok"] and is_deployed(engine.client(), project):
        say(f"{project.name} runs as a stack on this swarm; `invoke verify` asks it.")
    if check and not document["ok"]:
        raise CheckFailed(f"status: {document['summary']}.", f"`{document['repair']}`")


@task(help={"json": JSON})
def stacks(c: Context, json: bool = False) -> None:
    """Every stack of this engine: folder, branch, ports, since when, disk, GPU; `down --stack NAME` ends one."""
    from layerstack.stacks.stacks import read_stacks
    from layerstack.stacks.text import print_stacks

    found = read_stacks()
    show_document({"stacks": [one.to_json() for one in found]}) if json else print_stacks(found)


def _verify_stack(project: "Project", wait: int, shows_all: bool, json: bool, junit: str) -> None:
    """Verify a project that runs as a stack on a swarm, and not under Compose on this engine."""
    from layerstack.deploy.deployed import verify_stack
    from layerstack.deploy.text import print_stack
    from layerstack.engine import engine
    from layerstack.junit import Case, Outcome

    with junit_report("verify", junit) as cases:
        found = verify_stack(engine.client(), project, float(wait))
        for one in found.services:
            outcome: Outcome = "failure" if one.is_fault else "passed"
            cases += [Case(one.service, "replicas", found.seconds, outcome, one.cause, one.state)]
    show(found, json, lambda done: print_stack(done, shows_all))
    if worst := found.worst:
        name = f"{found.stack}_{worst.service}"
        raise CheckFailed(f"verify: {worst.service} is {worst.state}.", f"`docker service ps --no-trunc {name}`")


def _import_ahead(*names: str) -> None:
    """Load modules in a thread, in this order, while the task waits for another program: `requests` takes 0.1 s."""
    from layerstack.wait import beside

    # A module that cannot be loaded is reported where it is used.
    beside(lambda: [import_module(name) for name in names])


def _not_working(task_name: str, outcome: "VerifyReport") -> CheckFailed:
    """The diagnosis once more, as the last line and as an annotation in CI."""
    found = outcome.diagnosis
    if found is None:
        return CheckFailed(f"{task_name}: not everything works.")
    # A full disk is exit code 7 in every task.
    is_disk_full = found.kind == "disk-full"
    return CheckFailed(f"{task_name}: {found.service}: {found.cause}", found.way_out, is_disk_full)


def _up_and_verify(project: "Project") -> "tuple[UpResult, VerifyReport]":
    from layerstack.verify import verify as verification

    looks: list[VerifyReport] = []
    started = _up(project, tell=looks.append)
    # Where everything was running, the start has just verified all of it: a second look would find the same.
    is_seen = started.was_running and looks and looks[-1].says_all_of(project)
    return started, looks[-1] if is_seen else verification.verify(project)


def _up(
    project: "Project",
    services: Sequence[str] = (),
    timeout_seconds: float = 300.0,
    tell: Callable[["VerifyReport"], object] = lambda _: None,
) -> "UpResult":
    from layerstack.deploy.swarm import require_not_deployed
    from layerstack.engine import engine
    from layerstack.gpu import gpu_services
    from layerstack.run import stack
    from layerstack.run.text import start_observer
    from layerstack.run.usual_seconds import remember_start
    from layerstack.verify.trouble import diagnosis_of

    project.read_ahead()
    require_not_deployed(engine.client(), project)
    observer, diagnose = start_observer(project.root), diagnosis_of(project, tell)
    with gpu_services.ready(project, services, float(timeout_seconds), say):
        result = stack.up(project, observer, services, float(timeout_seconds), diagnose)
    remember_start(project.root, result)
    return result
