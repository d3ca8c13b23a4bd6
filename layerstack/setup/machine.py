"""Prepares a machine for the project: engine, plugins, disk, device, system images."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from layerstack.build.plan import absent_parents
from layerstack.engine import engine
from layerstack.engine.engine import EngineFacts
from layerstack.errors import EngineError, UsageError
from layerstack.gpu import decision as gpu
from layerstack.gpu.decision import Decision
from layerstack.gpu.device import choose
from layerstack.project import choices
from layerstack.project.device_memory import remember_device, remembered_device
from layerstack.project.project import BAKE_NAMES, Device, Project, find_compose_files, load
from layerstack.registry.system_images import fetch
from layerstack.registry.team import find_team
from layerstack.report import Say
from layerstack.setup import system_images
from layerstack.setup.system_images import SystemImage
from layerstack.setup.worktree_settings import settle_worktree
from layerstack.wording import duration


@dataclass(frozen=True)
class Readiness:
    """What `prepare` found or made."""

    facts: EngineFacts
    decision: Decision
    images: tuple[SystemImage, ...]


def prepare(
    root: Path,
    device: gpu.Request,
    *,
    installs_engine: bool,
    pulls: bool,
    say: Say,
    read_facts: Callable[[], EngineFacts] | None = None,
) -> Readiness:
    """Check everything in the order in which it is needed, and add what is missing; changes nothing that exists.

    `read_facts` gives what was asked of the engine before. Raises EngineError (no engine, too old, disk full, a system
    image that is unobtainable), GpuMissing.
    """
    began = time.monotonic()
    facts = _engine(installs_engine, say, read_facts or engine.read_facts)
    engine.require_ready(facts)
    say(f"engine {facts.server_version}, Buildx {facts.buildx_version}, Compose {facts.compose_version}{_disk(facts)}")
    # A new decision, as a card or its driver may have come or gone since the last setup.
    decision = choose(root, device)
    if gpu.is_news(decision, remembered_device(root), device):
        say(f"device {decision.device}: {decision.why}")
    _remember_device(root, decision, say)
    # Before the project is read: its name and ports come from here.
    settle_worktree(root, decision.device, say)
    project = _project(root, decision.device)
    team = find_team(project) if project else None
    images = tuple(system_images.prepare(root, pulls, decision.device, say, team))
    # Images that a FROM names directly are in no variable. With `pulls` the official registry is wanted.
    if project and team and not pulls:
        fetch(team, [[name] for name in absent_parents(project)], say)
    for image in images:
        note = f"a stand-in for {image.official}" if image.is_stand_in else "official"
        say(f"system image {image.reference} ({note})")
    say(f"this machine is ready ({duration(time.monotonic() - began)})")
    return Readiness(facts, decision, images)


def _project(root: Path, device: Device) -> Project | None:
    """None where its files cannot be read: the tasks that need them report why."""
    try:
        return load(root, device)
    except UsageError:
        return None


def _engine(installs_engine: bool, say: Say, read_facts: Callable[[], EngineFacts]) -> EngineFacts:
    try:
        return read_facts()
    except EngineError:
        if not installs_engine:
            raise
    from layerstack.setup import debian_engine

    return debian_engine.install_engine(say)


def _disk(facts: EngineFacts) -> str:
    return f", {facts.disk_free_bytes / 1e9:.0f} GB free" if facts.disk_free_bytes is not None else ""


def _remember_device(root: Path, decision: Decision, say: Say) -> None:
    """Write the choice to where plain `docker compose` and `docker buildx bake` read it."""
    remember_device(root, decision.device)
    with_cpu, without = (find_compose_files(root, device) for device in ("cpu", "gpu"))
    if with_cpu == without and not any((root / name).is_file() for name in BAKE_NAMES):
        return  # the project is the same on both devices
    files = ":".join(path.name for path in with_cpu)
    is_variant = decision.device == "cpu" and with_cpu != without
    wanted = {"DEVICE": decision.device, "COMPOSE_FILE": files if is_variant else None}
    for name, value in choices.remember(root, wanted).items():
        say(f".env sets {name}={value}: your line is kept; setup would have written {wanted[name]}")
