"""Backups and restores as text."""

from layerstack.backup.backup import Backup
from layerstack.report import say
from layerstack.wording import duration, megabytes


def print_backup(made: Backup) -> None:
    say(f"{made.path}: {_services(made)}, written in {duration(made.seconds)}")


def print_restored(done: Backup) -> None:
    say(f"restored from {done.path} in {duration(done.seconds)}: {_services(done)}")


def _services(done: Backup) -> str:
    return ", ".join(f"{dump.service} ({megabytes(dump.size_bytes)})" for dump in done.dumps)
