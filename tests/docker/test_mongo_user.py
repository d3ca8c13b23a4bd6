"""The API's own user of MongoDB: made on new and on old data, with its one database and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from layerstack.project import project
from layerstack.project.project import Project
from layerstack.run import stack
from layerstack.run.rehearsal import rehearsal
from layerstack.run.startup import Silent

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[2]
END_SECONDS = 120
OTHER_PASSWORD = "another-one"
# What the user tries, and whether the server lets it. In a loop: mongosh waits for no answer inside a callback.
TRIES = """
const tries = {
  write: d => d.getSiblingDB('snowboarding').kept.insertOne({}).acknowledged,
  read: d => d.getSiblingDB('snowboarding').kept.countDocuments() > 0,
  readOther: d => d.getSiblingDB('other').things.findOne(),
  writeOther: d => d.getSiblingDB('other').things.insertOne({}),
  readUsers: d => d.getSiblingDB('admin').getUsers(),
  dropDatabase: d => d.getSiblingDB('snowboarding').runCommand({ dropDatabase: 1 }).ok === 1,
};
const allowed = [];
for (const [name, act] of Object.entries(tries)) {
  try { if (act(db)) allowed.push(name) } catch (error) { if (error.codeName !== 'Unauthorized') throw error }
}
print(JSON.stringify(allowed));
"""


@pytest.fixture(scope="module")
def copy(engine_client: Any) -> Iterator[Project]:
    with rehearsal(project.load(ROOT, "cpu"), "mongo-user") as started:
        make_user(engine_client, started)
        yield started


def make_user(client: Any, copy: Project) -> None:
    """What every start does before it starts the API."""
    stack.up(copy, Silent(), ("mongo-user",))
    # Nobody here depends on its end, so that `up` does not wait for it.
    ended = client.containers.get(f"{copy.name}-mongo-user-1").wait(timeout=END_SECONDS)
    assert ended["StatusCode"] == 0


def mongosh(client: Any, copy: Project, user: str, password: str, program: str) -> tuple[int, str]:
    words = ["mongosh", "--quiet", "--norc", "-u", user, "-p", password, "--eval", program, "admin"]
    code, output = client.containers.get(f"{copy.name}-mongodb-1").exec_run(words)
    return code, output.decode()


def users(copy: Project) -> tuple[tuple[str, str], tuple[str, str]]:
    """Names and passwords of the root user and of the API's."""
    given = copy.services["mongo-user"].definition["environment"]
    return (given["ROOT_USER"], given["ROOT_PASSWORD"]), (given["API_USER"], given["API_PASSWORD"])


def test_it_can_read_and_write_one_database_and_nothing_else(copy: Project, engine_client: Any) -> None:
    _, api = users(copy)
    code, output = mongosh(engine_client, copy, *api, TRIES)
    assert code == 0, output
    assert json.loads(output.splitlines()[-1]) == ["write", "read"]


def test_on_data_without_it_a_start_makes_it_and_keeps_the_data(copy: Project, engine_client: Any) -> None:
    root, api = users(copy)
    count = "print(db.getSiblingDB('snowboarding').kept.countDocuments())"
    assert mongosh(engine_client, copy, *root, f"db.dropUser('{api[0]}')")[0] == 0
    assert mongosh(engine_client, copy, *api, "1")[0] != 0
    before = mongosh(engine_client, copy, *root, count)
    make_user(engine_client, copy)
    assert mongosh(engine_client, copy, *api, count) == before


def test_a_changed_password_is_that_of_the_next_start(copy: Project, engine_client: Any) -> None:
    root, api = users(copy)
    assert mongosh(engine_client, copy, *root, f"db.changeUserPassword('{api[0]}', '{OTHER_PASSWORD}')")[0] == 0
    assert mongosh(engine_client, copy, *api, "1")[0] != 0
    make_user(engine_client, copy)
    assert mongosh(engine_client, copy, *api, "1")[0] == 0
    assert mongosh(engine_client, copy, api[0], OTHER_PASSWORD, "1")[0] != 0
