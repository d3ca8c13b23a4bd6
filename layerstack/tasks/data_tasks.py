"""Tasks for the data of the running stack: back up and restore."""

from pathlib import Path

from invoke.context import Context

from layerstack.errors import UsageError
from layerstack.report import say
from layerstack.tasks.request import JSON, YES, ask, project_to_read, show
from layerstack.tasks.task import task


@task(help={"file": "where the backup goes", "force": "replace an existing file", "json": JSON})
def backup(c: Context, file: str, force: bool = False, json: bool = False) -> None:
    """Write the data of the running stack into one file."""
    from layerstack.backup.backup import back_up
    from layerstack.backup.text import print_backup

    path = Path(file)
    if path.exists() and not force:
        raise UsageError(f"{path} already exists.", "Choose another name, or add --force to replace it.")
    show(back_up(project_to_read(), path, say), json, print_backup)


@task(help={"file": "a file that `backup` wrote", "yes": YES, "json": JSON})
def restore(c: Context, file: str, yes: bool = False, json: bool = False) -> None:
    """Replace the data of the running stack with that of a backup."""
    from layerstack.backup import backup as backups
    from layerstack.backup.text import print_restored

    project, path = project_to_read(), Path(file)
    # The whole backup is checked first: nobody is asked about one that cannot be restored.
    ask(backups.read_losses(project, path), "Restore? [y/N]", "Nothing was changed", yes)
    show(backups.restore(project, path, say), json, print_restored)
