"""A backup of the real MongoDB, restored: the same documents, byte for byte, and nobody writes meanwhile."""

import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from layerstack import command
from layerstack.backup.backup import back_up, read_losses, restore
from layerstack.errors import CommandFailed, StartFailed, UsageError
from layerstack.project import project
from layerstack.project.project import Project
from layerstack.run import rehearsal, stack
from layerstack.run.startup import Silent

pytestmark = pytest.mark.docker
ROOT = Path(__file__).parents[2]
FILL = """
const files = db.getSiblingDB('snowboarding');
files.dropDatabase();
files.analyses.insertMany([{ _id: ObjectId('64b000000000000000000001'), made: new Date(5),
  big: Long('9007199254740993'), real: Double(1), small: Int32(1), text: 'é\\u0000x' }]);
files.analyses.createIndex({ made: 1 }, { name: 'by-time', expireAfterSeconds: 99999999 });
for (let n = 0; n < 40; n++) files.getCollection('media.chunks').insertOne({ n, data: BinData(0, 'A'.repeat(400000)) });
"""
READ = """
const files = db.getSiblingDB('snowboarding');
const seen = {};
for (const name of files.getCollectionNames().sort())
  seen[name] = { documents: files.getCollection(name).find().sort({ _id: 1 }).toArray(),
                 indexes: files.getCollection(name).getIndexes() };
print(EJSON.stringify(seen, { relaxed: false }));
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Project]:
    """MongoDB of the stack, under a project name and with a volume of its own."""
    with rehearsal.rehearsal(project.load(ROOT, "cpu"), "backup") as copy:
        stack.up(copy, Silent(), ("mongodb",))
        yield copy


def evaluate(copy: Project, script: str) -> str:
    login = "db.auth(process.env.MONGO_INITDB_ROOT_USERNAME, process.env.MONGO_INITDB_ROOT_PASSWORD);"
    words = ("mongosh", "--quiet", "--norc", "admin", "--eval", login + script)
    argv = copy.compose("exec", "--no-TTY", "mongodb", *words)
    return command.run(argv, cwd=copy.root, env=copy.environment).require().stdout


def contents(copy: Project) -> str:
    return hashlib.sha256(evaluate(copy, READ).encode()).hexdigest()


def test_a_restored_database_is_the_same(running: Project, tmp_path: Path) -> None:
    evaluate(running, FILL)
    before, path = contents(running), tmp_path / "stack.backup"
    made = back_up(running, path, lambda text: None)
    assert [dump.service for dump in made.dumps] == ["mongodb"]
    assert made.dumps[0].size_bytes > 10_000_000
    evaluate(
        running, "db.getSiblingDB('snowboarding').analyses.deleteMany({}); db.getSiblingDB('other').x.insertOne({});"
    )
    assert contents(running) != before
    [loss] = read_losses(running, path)
    assert "mongodb" in loss
    restore(running, path, lambda text: None)
    assert contents(running) == before
    names = evaluate(running, "print(db.adminCommand({ listDatabases: 1 }).databases.map(found => found.name).join())")
    assert "other" not in names.strip().split(",")


def test_a_damaged_backup_changes_nothing(running: Project, tmp_path: Path) -> None:
    evaluate(running, FILL)
    before, path = contents(running), tmp_path / "stack.backup"
    back_up(running, path, lambda text: None)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UsageError, match=r"stack\.backup"):
        restore(running, path, lambda text: None)
    assert contents(running) == before


def test_a_dump_that_fails_leaves_no_file(running: Project, tmp_path: Path) -> None:
    service = running.service("mongodb")
    failing = {"dump": ["sh", "-c", "echo half; echo why >&2; exit 3"]}
    definition = {**service.definition, "x-layerstack": {"backup": failing}}
    services = {**running.services, "mongodb": replace(service, definition=definition)}
    with pytest.raises(CommandFailed, match="why"):
        back_up(replace(running, services=services), tmp_path / "stack.backup", lambda text: None)
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_run_is_named(tmp_path: Path) -> None:
    real = project.load(ROOT, "cpu")
    with pytest.raises(StartFailed, match="mongodb"):
        back_up(replace(real, name="layerstack-test-nothing-runs"), tmp_path / "x", lambda text: None)
    assert not zipfile.is_zipfile(tmp_path / "x")
