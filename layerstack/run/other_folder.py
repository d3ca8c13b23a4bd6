"""A project that runs from another folder: Compose would silently take over its containers and data."""

from pathlib import Path

from layerstack.engine.client import EngineClient
from layerstack.engine.container import FOLDER_LABEL, read_all
from layerstack.engine.place import find_place
from layerstack.errors import StartFailed
from layerstack.presence import is_present
from layerstack.project.project import Project
from layerstack.project.worktree import find_worktree
from layerstack.report import Say


def require_own_folder(client: EngineClient, project: Project, say: Say) -> None:
    """Raises StartFailed when containers of this name were started from another folder that is still there.

    `say` hears of a folder that is gone: the project was moved, and its containers are taken over.
    """
    found = [one for containers in read_all(client, project.name).values() for one in containers]
    folders = dict.fromkeys((one.labels or {}).get(FOLDER_LABEL, "") for one in found)
    others = [folder for folder in folders if folder and not is_same_folder(folder, project.root)]
    if not others:
        return
    # A folder that is not here may be one of another machine that uses the same engine.
    here = [folder for folder in others if find_place().is_remote or is_present(folder) is not False]
    if here:
        raise _taken(project, here[0])
    say(f"{project.name} was started from {others[0]}, which is gone: its containers are taken over")


def is_same_folder(folder: str, root: Path) -> bool:
    """Whether two paths are one folder, links and other mounts of it included."""
    try:
        return Path(folder).samefile(root)
    except OSError:
        return Path(folder).resolve() == root.resolve()


def _taken(project: Project, folder: str) -> StartFailed:
    msg = f"{project.name} runs from another folder: its containers and data belong to {folder}."
    if find_worktree(project.root):
        own = "`invoke setup` gives this worktree a name and ports of its own"
    else:
        own = f"give this folder a name of its own, COMPOSE_PROJECT_NAME={project.name}-2 in .env"
    return StartFailed(msg, f"{own}; `invoke down --stack {project.name}` ends that one, its data stays.")
