"""BuildKit's records that a measurement made, and only those."""

from collections.abc import Iterable, Mapping
from typing import Any

from layerstack import command
from layerstack.engine import engine

ROUNDS = 8


def remove_below(mark: str) -> None:
    """Remove the records whose step's text holds `mark`, and everything that was built on them.

    BuildKit keeps a record while another is built on it: it takes as many rounds as there are generations left.
    """
    for _ in range(ROUNDS):
        found = marked(engine.client().api.df().get("BuildCache") or (), mark)
        if not found:
            return
        expression = f"id=^({'|'.join(sorted(found))})$"
        command.run(("docker", "buildx", "prune", "--force", "--filter", expression))


def marked(records: Iterable[Mapping[str, Any]], mark: str) -> set[str]:
    """Ids of the records with the mark and of their descendants."""
    children: dict[str, list[str]] = {}
    waiting: list[str] = []
    for record in records:
        # Engine 28 writes the key with a blank in front.
        for parent in record.get("Parents") or record.get(" Parents") or ():
            children.setdefault(parent, []).append(record["ID"])
        if mark in (record.get("Description") or ""):
            waiting.append(record["ID"])
    found: set[str] = set()
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += children.get(one, [])
    return found
