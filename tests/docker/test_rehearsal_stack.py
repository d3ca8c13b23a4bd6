"""A rehearsal runs beside the user's own stack and leaves nothing behind."""

import signal
import subprocess
import sys
from typing import Any

import pytest
from conftest import LoadProject

from layerstack.project.project import Project
from layerstack.run import stack
from layerstack.run.rehearsal import find_leftovers, rehearsal, remove_all
from layerstack.run.startup import Silent
from layerstack.verify.verify import verify

pytestmark = pytest.mark.docker

KILLED = """
import os, signal, sys
from pathlib import Path
from layerstack.project import project
from layerstack.run import stack
from layerstack.run.rehearsal import rehearsal
from layerstack.run.startup import Silent
with rehearsal(project.load(Path(sys.argv[1]), "gpu"), "trial") as copy:
    stack.up(copy, Silent())
    print(copy.name, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def left_of(client: Any, name: str) -> list[Any]:
    """Containers, networks and volumes of a Compose project."""
    filters = {"label": f"com.docker.compose.project={name}"}
    kinds = (client.containers.list(all=True, filters=filters), client.networks.list(filters=filters))
    return [*kinds[0], *kinds[1], *client.volumes.list(filters=filters)]


def container_ids(client: Any, project: Project) -> set[str]:
    filters = {"label": f"com.docker.compose.project={project.name}"}
    return {one.id for one in client.containers.list(filters=filters)}


def test_a_copy_runs_beside_the_own_stack_which_stays_as_it_is(load_project: LoadProject, engine_client: Any) -> None:
    own = load_project("healthy")
    stack.up(own, Silent())
    before = container_ids(engine_client, own)
    with rehearsal(own, "trial") as copy:
        stack.up(copy, Silent())
        assert verify(copy).is_ok
        assert {port for one in copy.services.values() for port in one.ports}.isdisjoint(
            {port for one in own.services.values() for port in one.ports}
        )
        assert container_ids(engine_client, copy).isdisjoint(before)
        name = copy.name
    assert left_of(engine_client, name) == []
    assert container_ids(engine_client, own) == before


def test_volumes_of_a_copy_are_its_own_and_go_with_it(load_project: LoadProject, engine_client: Any) -> None:
    own = load_project("volume")
    stack.up(own, Silent())
    volumes = {volume.name for volume in stack.volumes_of(own.name)}
    assert volumes
    with rehearsal(own, "trial") as copy:
        stack.up(copy, Silent())
        assert volumes.isdisjoint({volume.name for volume in stack.volumes_of(copy.name)})
        name = copy.name
    assert left_of(engine_client, name) == []
    assert {volume.name for volume in stack.volumes_of(own.name)} == volumes


def test_a_failure_inside_leaves_nothing(load_project: LoadProject, engine_client: Any) -> None:
    own = load_project("volume")
    names = []

    def rehearse() -> None:
        with rehearsal(own, "trial") as copy:
            names.append(copy.name)
            stack.up(copy, Silent())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rehearse()
    assert left_of(engine_client, names[0]) == []


def test_what_a_killed_rehearsal_left_is_removed_by_the_next_clean_up(
    load_project: LoadProject, engine_client: Any
) -> None:
    own = load_project("volume")
    stack.up(own, Silent())
    before = container_ids(engine_client, own)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(own.root)], stdout=subprocess.PIPE, text=True, check=False
    )
    name = killed.stdout.strip()
    assert killed.returncode == -signal.SIGKILL
    assert left_of(engine_client, name)
    assert find_leftovers(own) == (name,)
    remove_all(name)
    assert left_of(engine_client, name) == []
    assert container_ids(engine_client, own) == before
    assert stack.volumes_of(own.name)
