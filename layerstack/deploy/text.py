"""What was deployed, or would be, in words."""

import sys

from layerstack.deploy.deploy import Deployment
from layerstack.report import mark, print_table, say, shown


def print_changes(done: Deployment) -> None:
    """On stderr: stdout may hold the file."""
    for change in done.file.changes:
        is_all = len(change.services) == len(done.file.document["services"]) > 1
        say(f"{change.key}: {change.reason} ({'all services' if is_all else ', '.join(change.services)})")


def print_file(done: Deployment) -> None:
    """The file alone on stdout, so that it can be kept; it holds the values of .env."""
    print_changes(done)
    sys.stdout.write(shown(done.file.text))
    if missing := [name for name, one in done.file.document["services"].items() if "@sha256:" not in one["image"]]:
        say(f"not in the registry yet: {', '.join(missing)}; deploy pushes them and names them by digest")


def print_deployed(done: Deployment) -> None:
    """A row per service."""
    rows = [
        (
            mark(one.state == "fine"),
            one.service,
            f"{one.running} of {one.asked}",
            "" if one.state == "fine" else one.state,
        )
        for one in done.replicas
    ]
    print_table(("", "service", "running", ""), rows)
