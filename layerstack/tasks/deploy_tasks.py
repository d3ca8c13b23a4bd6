"""The task that deploys the stack to a swarm, or writes manifests for Kubernetes."""

from pathlib import Path

from invoke.context import Context

from layerstack.errors import CheckFailed, UsageError
from layerstack.report import say
from layerstack.tasks.request import DEVICE, JSON, project_to_read, requested, require_not_negative, show, show_document
from layerstack.tasks.task import task

HELP = {
    "explain": "print the stack file and what Swarm does not support; builds, pushes and deploys nothing",
    "kubernetes": "write manifests into this folder instead (never run, only validated)",
    "timeout": "seconds to wait until all replicas run",
    "device": DEVICE,
    "json": JSON,
}


@task(help=HELP)
def deploy(
    c: Context,
    explain: bool = False,
    kubernetes: str = "",
    timeout: int = 300,
    device: str = "auto",
    json: bool = False,
) -> None:
    """Build, push and run the stack on a Docker swarm: replicas, rolling updates, rollback."""
    from layerstack.build.progress import observer_for_terminal
    from layerstack.deploy import deploy as deploying
    from layerstack.deploy.kubernetes import write_manifests
    from layerstack.deploy.text import print_changes, print_deployed, print_file

    if explain and kubernetes:
        raise UsageError("Only one of --explain and --kubernetes at a time.")
    require_not_negative("timeout", timeout, "seconds")
    requested(device)
    project = project_to_read(device)
    if kubernetes:
        written = write_manifests(project, Path(kubernetes), observer_for_terminal(), say)
        show_document({"files": [str(path) for path in written]}) if json else say(f"written: {len(written)} files")
        return
    if explain:
        found = deploying.explain(project)
        show_document({**found.to_json(), "file": found.file.text}) if json else print_file(found)
        return
    done = deploying.deploy(project, timeout, observer_for_terminal(), say)
    print_changes(done)
    show(done, json, print_deployed)
    if not done.is_ok:
        raise CheckFailed("deploy: not every replica is running.", f"`docker stack ps --no-trunc {done.stack}`")
