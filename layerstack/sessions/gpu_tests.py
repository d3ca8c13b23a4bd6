"""pytest inside a GPU image on a leased card; skipped with its reason, never passed, where there is no GPU."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from layerstack.build import history
from layerstack.engine import images
from layerstack.errors import GpuMissing, StackError
from layerstack.gpu import container_tests, decision, gpu_services, lease
from layerstack.gpu.container_tests import ContainerTests
from layerstack.gpu.decision import Decision
from layerstack.project.project import find_root
from layerstack.sessions.image import built, project_with
from layerstack.wording import duration, gibibytes

if TYPE_CHECKING:
    import nox


def run_gpu_tests(session: "nox.Session", image: str) -> None:
    """Run the image's pytest on a card.

    The session's own options are `--require-gpu --gpu-memory 6g --wait 60`; all others go to pytest. A missing GPU
    skips the session; with `--require-gpu` it ends nox with exit code 6. A base image that was never built counts as
    missing, too: one for GPUs may take an hour.
    """
    options, words = _options(session)
    decided = _decide(session, options.require_gpu)
    session.log(decided.why)
    # Before the build, which would otherwise begin with the base.
    _require_bases(session, image, options.require_gpu)
    run = _run_on_card(session, options, built(session, image, "gpu"), words)
    _log(session, run, decided)
    if run.ending == "gpu-missing":
        _leave(session, options.require_gpu, f"GPU missing: {run.detail}")
    if not run.is_ok:
        session.error(f"{run.ending.replace('-', ' ')}: {run.detail}")


def _options(session: "nox.Session") -> tuple[argparse.Namespace, list[str]]:
    # Unknown words go to pytest: neither its `-h` nor an option that begins like one of these may be taken here.
    parser = argparse.ArgumentParser(prog=f"nox -s {session.name} --", add_help=False, allow_abbrev=False)
    parser.add_argument("--require-gpu", action="store_true")
    parser.add_argument("--gpu-memory", default="")
    parser.add_argument("--wait", type=float, default=lease.TIMEOUT_SECONDS)
    return parser.parse_known_args(session.posargs)


def _decide(session: "nox.Session", is_required: bool) -> Decision:
    try:
        return decision.decide("gpu")
    except StackError as error:
        _leave(session, is_required, str(error))


def _require_bases(session: "nox.Session", image: str, is_required: bool) -> None:
    loaded = project_with(session, image, "gpu")
    below = loaded.with_parents([image])[:-1]
    bases = {base.name for base in loaded.base_images}
    lacking = [base.tag for base in below if base.name in bases and base.tags and not images.find(base.tag)]
    if lacking:
        _leave(session, is_required, f"{', '.join(lacking)} is not built; `invoke build-bases --device gpu` builds it")


def _run_on_card(session: "nox.Session", options: argparse.Namespace, tag: str, words: list[str]) -> ContainerTests:
    """Hold a whole card, or as much as was asked for, while the tests run; others wait as long."""
    try:
        wanted = lease.Wanted(session.name, gpu_services.parse_size("--gpu-memory", options.gpu_memory))
        with lease.hold(wanted, options.wait, session.log) as held:
            session.log(f"leased {wanted.words} of {held.card.name} ({held.card.uuid})")
            run = container_tests.run_tests(tag, held, _print_line, words)
    except StackError as error:
        if options.require_gpu and isinstance(error, GpuMissing):
            _leave(session, True, str(error))
        session.error(str(error))
    history.append(find_root(Path.cwd()), session.name, run.to_json())
    return run


def _print_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _log(session: "nox.Session", run: ContainerTests, decided: Decision) -> None:
    driver = decided.host.driver if decided.host else "unknown"
    ending = f"{run.ending.replace('-', ' ')}, peak {gibibytes(run.peak_bytes)}, {duration(run.seconds)}"
    session.log(f"{run.card}, driver {driver}: {ending}")
    for file in run.files:
        counts = f"{file.passed} passed, {file.failed} failed, {file.skipped} skipped"
        session.log(f"  {file.file}: {counts}, {duration(file.seconds)}, peak {gibibytes(file.peak_bytes)}")


def _leave(session: "nox.Session", is_required: bool, reason: str) -> NoReturn:
    """Skip with the reason; when a GPU is demanded, end nox with exit code 6 instead."""
    if is_required:
        session.warn(reason)
        raise SystemExit(GpuMissing.exit_code)
    # Nox adds a full stop.
    session.skip(reason.rstrip("."))
