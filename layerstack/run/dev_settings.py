"""Variables that only `dev` sets: later tasks on the stack need the same ones."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container, read_all
from layerstack.project.project import Project
from layerstack.state_folder import read_text, state_folder, write_atomically

FILE = "dev.json"
HASH_LABEL = "com.docker.compose.config-hash"


@contextmanager
def variables_of_dev(values: Mapping[str, str]) -> Iterator[None]:
    """The variables in the environment of this process, and what it had before afterwards."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def remember(client: EngineClient, project: Project, values: Mapping[str, str]) -> None:
    """Remember them, with the definitions of the containers that `dev` started."""
    hashes = sorted(hash_of(one) for containers in read_all(client, project.name).values() for one in containers)
    write_atomically(state_folder(project.root) / FILE, json.dumps({"variables": dict(values), "hashes": hashes}))


def recall(
    root: Path, found: Mapping[str, Sequence[Container]], read_hashes: Callable[[], Mapping[str, str]]
) -> dict[str, str]:
    """Those that the project's containers were started with, none where another task has replaced them since.

    `read_hashes` gives the digests of the definitions without the variables: a container of one of them says nothing.
    """
    try:
        kept = json.loads(read_text(state_folder(root) / FILE) or "{}")
        values = {str(key): str(value) for key, value in kept["variables"].items()}
        hashes = set(kept["hashes"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    running = {hash_of(one) for containers in found.values() for one in containers}
    return values if values and (hashes & running) - set(read_hashes().values()) else {}


def hash_of(container: Container) -> str:
    """Compose's digest of a container's definition; "" when Compose did not create it."""
    return (container.labels or {}).get(HASH_LABEL, "")
