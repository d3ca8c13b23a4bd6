"""A command inside one of the project's images, as a Nox session runs it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from layerstack.build import build
from layerstack.build.progress import PlainLog
from layerstack.engine import engine
from layerstack.errors import StackError
from layerstack.gpu import lease
from layerstack.project import project
from layerstack.project.project import Device, Project

if TYPE_CHECKING:
    import nox


def require_engine(session: "nox.Session") -> None:
    """Without an engine a test of it cannot pass: that is a failure, not a skip."""
    try:
        engine.read_facts()
    except StackError as error:
        session.error(str(error))


def project_of(session: "nox.Session", device: Device = "cpu", *targets: str) -> Project:
    """The project of the noxfile's folder; `targets` adds images outside bake's default group. Fails the session."""
    try:
        return project.load(project.find_root(Path.cwd()), device, targets)
    except StackError as error:
        session.error(str(error))


def built(session: "nox.Session", image: str, device: Device = "cpu") -> str:
    """Build an image and what it is built on, unless it is fresh, and give its tag. Fails the session."""
    loaded = project_with(session, image, device)
    try:
        build.build(loaded, [image], PlainLog())
    except StackError as error:
        session.error(str(error))
    return loaded.image(image).tag


def project_with(session: "nox.Session", image: str, device: Device) -> Project:
    """The project including that image, even if it is in no group of bake."""
    loaded = project_of(session, device)
    # Test images often are in no group: bake then resolves them only when they are named.
    return loaded if image in loaded.images else project_of(session, device, image)


def run_in_image(
    session: "nox.Session", image: str, *words: str, options: Sequence[str] = (), with_gpu: bool = False
) -> None:
    """Run a command, or what the image runs by itself, in a container that is removed afterwards.

    `options` go to `docker run`. With a GPU a whole card is held meanwhile, and a missing one fails the session.
    """
    require_engine(session)
    tag = built(session, image, "gpu" if with_gpu else "cpu")
    argv = ("docker", "run", "--rm", "--init", *options)
    if not with_gpu:
        session.run(*argv, tag, *words, external=True)
        return
    try:
        with lease.hold(lease.Wanted(session.name), say=session.log) as held:
            session.run(*argv, "--gpus", f"device={held.card.docker_name}", tag, *words, external=True)
    except StackError as error:
        session.error(str(error))
