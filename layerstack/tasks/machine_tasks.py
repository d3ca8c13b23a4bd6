"""Tasks for this machine: prepare it, find problems, show its device."""

from collections.abc import Sequence

from invoke.context import Context

from layerstack.errors import CheckFailed
from layerstack.report import print_json, say
from layerstack.tasks.annotation import annotate_finding
from layerstack.tasks.junit_report import JUNIT, junit_report
from layerstack.tasks.request import DEVICE, JSON, requested, root, show
from layerstack.tasks.task import task


@task(
    help={
        "install-engine": "on Debian as root: install and start an engine when there is none",
        "pull": "ask the registry again for the system images and replace stand-ins",
        "device": DEVICE,
        "json": JSON,
    }
)
def setup(
    c: Context, install_engine: bool = False, pull: bool = False, device: str = "auto", json: bool = False
) -> None:
    """Make this machine ready: engine, Buildx, Compose, disk, system images."""
    from layerstack.setup import machine

    ready = machine.prepare(root(), requested(device), installs_engine=install_engine, pulls=pull, say=say)
    if json:
        facts, decision = ready.facts, ready.decision
        versions = {"engine": facts.server_version, "buildx": facts.buildx_version, "compose": facts.compose_version}
        images = [
            {"image": image.reference, "official": image.official, "is_stand_in": image.is_stand_in}
            for image in ready.images
        ]
        device_chosen = {"decision": decision.device, "why": decision.why}
        print_json({"ok": True, "versions": versions, "device": device_chosen, "system_images": images})


@task(
    iterable=["ignore"],
    help={
        "ignore": "a check to suppress; again for more, or separated by commas",
        "all": "show also what is fine, and what was suppressed",
        "junit": JUNIT,
        "json": JSON,
    },
)
def doctor(c: Context, ignore: Sequence[str], all: bool = False, json: bool = False, junit: str = "") -> None:
    """Check machine and project for problems before anything is built."""
    from layerstack.doctor import doctor as examination
    from layerstack.doctor.doctor_text import print_findings

    with junit_report("doctor", junit) as cases:
        findings = examination.examine(root(), ignore)
        cases += findings.cases()
    for finding in findings.findings:
        annotate_finding(finding)
    show(findings, json, lambda examined: print_findings(examined, all))
    if not findings.is_ok:
        raise CheckFailed("doctor: something blocks a build or a start.")


@task(help={"device": DEVICE, "json": JSON})
def gpu(c: Context, device: str = "auto", json: bool = False) -> None:
    """The GPUs of host, Docker and containers; which device the stack uses, and why."""
    from layerstack.gpu.gpu_survey import survey
    from layerstack.gpu.text import print_gpu

    show(survey(root(), requested(device)), json, print_gpu)
