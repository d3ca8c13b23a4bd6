"""This project's tasks: `invoke --list`. Most are defined in layerstack/tasks, for any Compose project."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit

from layerstack import tasks
from layerstack.errors import UsageError
from layerstack.tasks.image_tasks import AUDIT_HELP, run_audit
from layerstack.tasks.request import DEVICE, JSON, project_to_read
from layerstack.tasks.run_tasks import follow

if TYPE_CHECKING:
    from layerstack.audit.weight_checks import LicensedModel


@tasks.task(help={"device": DEVICE})
def dev(c: Context, device: str = "auto") -> None:
    """Start with hot reload of all three services and follow their logs."""
    follow(device, {"POSE_GUNICORN_ARGS": "--reload"})


@tasks.task(
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
    project = project_to_read()
    exit_code = run_program(project, find_program(project, "weights"), [*words, *(["--json"] if json else [])], files)
    if exit_code:
        raise Exit(code=exit_code)


@tasks.task(help=AUDIT_HELP)
def audit(c: Context, image: str, cards: str = "", ignore: str = "", json: bool = False) -> None:
    """Inspect an image without starting it: CUDA code, package conflicts, weights, SMPL models, size."""
    run_audit(image, cards, ignore, json, licensed=[smpl()])


def smpl() -> "LicensedModel":
    """How to recognise the body models that nobody may hand on."""
    from layerstack.audit.weight_checks import LicensedModel

    return LicensedModel(
        what="an SMPL body model",
        suffixes=(".pkl", ".npz"),
        name=re.compile(r"(SMPL|SMPLX|SMPLH|MANO|basicmodel)_?(neutral|male|female|left|right)", re.IGNORECASE),
        marks=(b"v_template", b"shapedirs", b"posedirs", b"J_regressor"),
        # It cannot be smaller: 6,890 vertices with 10 shapes are 1.6 MB as 64-bit numbers.
        least_bytes=10**6,
        most_bytes=2 * 10**9,
    )


namespace = Collection(
    # What build-and-start.sh did, step by step, and all of it but the last in one.
    tasks.build_bases,
    tasks.build,
    tasks.up,
    tasks.verify,
    tasks.time_rebuild,
    tasks.start,
    # The machine before, the stack afterwards.
    *(tasks.setup, tasks.doctor, tasks.gpu),
    *(dev, tasks.status, tasks.stacks, tasks.logs, tasks.restart, tasks.down, tasks.backup, tasks.restore),
    tasks.deploy,
    # What was built, why, and what is kept of it.
    *(tasks.why, tasks.impact, tasks.timeline, tasks.images, tasks.cache, tasks.clean, tasks.share, audit),
    # The pose service on a GPU.
    weights,
)
