"""A tasks.py beside the Compose file: its tasks are found and listed with those of layerstack."""

import ast
import sys
from contextlib import redirect_stdout
from pathlib import Path

from invoke.collection import Collection
from invoke.config import Config
from invoke.loader import FilesystemLoader

from layerstack.report import say
from layerstack.tasks import EVERY_TASK, namespace
from layerstack.tasks.request import root

MARKS = ("invoke", "layerstack")


def with_own_tasks(config: Config) -> Collection:
    """The tasks of layerstack and those of the project's tasks.py.

    A tasks.py that includes tasks of layerstack may replace others of them. In any other one, a task with such a name
    can be called only through `invoke`: what `layerstack clean` removes must not depend on the folder. A tasks.py that
    does not import Invoke (Celery uses the same file name) is not run; one that cannot be imported is a warning.
    """
    path = _find()
    if path is None:
        return namespace
    try:
        # What it prints must not become part of a JSON document, or a candidate of the shell's completion.
        with redirect_stdout(sys.stderr):
            module, parent = FilesystemLoader(config=config, start=str(path.parent)).load("tasks")
        config.set_project_location(parent)
        config.load_project()
        own = Collection.from_module(module, loaded_from=parent)
    # Importing it runs foreign code, which may raise anything; the tasks of layerstack have to stay usable.
    except (Exception, SystemExit) as error:
        say(f"{path}: its tasks are left out: {type(error).__name__}: {error}")
        return namespace
    is_ours = any(task in EVERY_TASK for task in own.tasks.values())
    return _merged(own, namespace) if is_ours else _merged(namespace, own)


def _merged(first: Collection, second: Collection) -> Collection:
    """Both collections; for a name that both have, the first one counts."""
    both = Collection(*first.tasks.values(), *first.collections.values())
    for name, task in second.tasks.items():
        if name not in both.tasks:
            both.add_task(task, name)
    for name, group in second.collections.items():
        if name not in both.tasks and name not in both.collections:
            both.add_collection(group, name)
    return both


def _find() -> Path | None:
    try:
        path = root() / "tasks.py"
        words = ast.walk(ast.parse(path.read_bytes()))
    except Exception:  # no project, no such file, or no Python: there are no tasks to find
        return None
    # Parsed and not imported: what is not meant for Invoke is never run.
    for node in words:
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if any(name.split(".")[0] in MARKS for name in names):
            return path
    return None
