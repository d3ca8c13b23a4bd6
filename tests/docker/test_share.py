"""A team's registry on real engines: what one machine built, another one pulls; whatever fails, the build goes on."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from own_registry import own_registry
from second_machine import SYSTEM_IMAGE, Team, make_system_image, team

from layerstack import command
from layerstack.build import build as builder
from layerstack.build.plan import make_plan
from layerstack.build.progress import BuildObserver
from layerstack.build.record import BuildRecord
from layerstack.build.state import StateStore
from layerstack.build.why import explain_image
from layerstack.engine import images
from layerstack.errors import CheckFailed
from layerstack.project import project
from layerstack.project.project import Project
from layerstack.registry.look_up import look_up
from layerstack.registry.origin import INPUTS_LABEL
from layerstack.registry.team import TeamRegistry
from layerstack.setup import system_images
from layerstack.share.share import SharedImages, share

pytestmark = [pytest.mark.docker, pytest.mark.long]
SOURCE = Path(__file__).parent / "projects" / "shared"
BASES = ("low", "high")


class Notes(BuildObserver):
    """What a person who waits would read."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


@dataclass
class Bench:
    """A copy of the project, on the machine that is in use, and what its last build said."""

    root: Path
    team: Team
    patch: pytest.MonkeyPatch
    notes: Notes

    def load(self) -> Project:
        return project.load(self.root, "cpu")

    def build(self) -> BuildRecord:
        self.notes = Notes()
        return builder.build(self.load(), ("app",), self.notes)

    def share(self, *names: str, again: bool = False) -> SharedImages:
        return share(self.load(), names, False, again, lambda _: None)

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def use(self, address: str) -> None:
        self.patch.setenv("LAYERSTACK_REGISTRY", address)

    def forget(self) -> None:
        """A machine that has nothing but the system image."""
        self.team.wipe()
        self.patch.setenv("XDG_STATE_HOME", str(self.root.parent / uuid.uuid4().hex))

    def reference(self, name: str) -> str:
        loaded = self.load()
        planned = make_plan(loaded, [name], StateStore(self.root)).of(name)
        return TeamRegistry(loaded.settings.registry).inputs_reference(name, planned.manifest.digest)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with team(tmp_path_factory.mktemp("team")) as found:
        yield found


@pytest.fixture
def bench(tmp_path: Path, two: Team, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """On the machine's own engine, with content that nobody else has."""
    root = tmp_path / "shared"
    shutil.copytree(SOURCE, root)
    tag = f"t{uuid.uuid4().hex[:10]}"
    names = {"TEST_TAG": tag, "COMPOSE_PROJECT_NAME": f"layerstack-test-{tag}", "SYSTEM_IMAGE": SYSTEM_IMAGE}
    for name, value in {**names, "LAYERSTACK_REGISTRY": two.registry.address}.items():
        monkeypatch.setenv(name, value)
    found = Bench(root, two, monkeypatch, Notes())
    found.write("low/salt", uuid.uuid4().hex)
    yield found
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    tags = [f"layerstack-test/{name}:{tag}" for name in (*BASES, "app")]
    command.run(["docker", "image", "rm", "--force", *tags])
    two.wipe()


@pytest.fixture
def second(bench: Bench, tmp_path: Path) -> Bench:
    """The same on the second engine, which has nothing but the system image."""
    bench.team.use_second(bench.patch, tmp_path / "state")
    make_system_image()
    return bench


def actions(result: BuildRecord) -> dict[str, str]:
    return {one.image: one.action for one in result.images}


def shared_actions(done: SharedImages) -> dict[str, str]:
    return {one.image: one.action for one in done.shares}


def label_of(bench: Bench, name: str) -> str:
    stored = images.find(bench.load().image(name).tag)
    return stored.labels[INPUTS_LABEL] if stored else ""


def test_a_second_machine_pulls_what_the_first_one_built(bench: Bench, tmp_path: Path) -> None:
    make_system_image()
    bench.build()
    labels = {name: label_of(bench, name) for name in BASES}
    assert shared_actions(bench.share()) == dict.fromkeys((SYSTEM_IMAGE, *BASES), "pushed")
    assert shared_actions(bench.share()) == dict.fromkeys((SYSTEM_IMAGE, *BASES), "there")

    bench.team.use_second(bench.patch, tmp_path / "state")
    (system,) = system_images.prepare(
        bench.root, False, "cpu", lambda _: None, TeamRegistry(bench.team.registry.address)
    )
    assert system.image_id
    assert actions(bench.build()) == {"low": "pulled", "high": "pulled", "app": "built"}
    assert {name: label_of(bench, name) for name in BASES} == labels
    assert actions(bench.build()) == {"low": "kept", "high": "kept", "app": "fresh"}
    told = explain_image(bench.load(), "low")
    assert told.action == "pulled"
    assert f"by {os.environ.get('USER', 'root')}@" in told.cause or "built on 20" in told.cause

    bench.write("high/list", "two\n")
    result = bench.build()
    assert actions(result) == {"low": "kept", "high": "built", "app": "built"}
    assert "list changed" in next(one.cause for one in result.images if one.image == "high")


def test_a_base_whose_step_begins_to_run_is_pulled(second: Bench) -> None:
    slow = "ARG SYSTEM_IMAGE\nFROM ${SYSTEM_IMAGE}\nCOPY salt /salt\nRUN --network=none sleep 6; cp /salt /low\n"
    before = (second.root / "low/Dockerfile").read_text()
    second.write("low/Dockerfile", slow)
    second.build()
    second.share()
    second.forget()
    second.write("low/Dockerfile", before)
    assert actions(second.build()) == dict.fromkeys((*BASES, "app"), "built")
    second.write("low/Dockerfile", slow)
    assert actions(second.build()) == {"low": "pulled", "high": "pulled", "app": "built"}
    assert actions(second.build()) == {"low": "kept", "high": "kept", "app": "fresh"}
    assert not [name for name in names_of_images() if name.startswith("127.0.0.1:")]


def names_of_images() -> list[str]:
    """Names with a tag or a digest, of all images of the engine that is in use."""
    listed = command.run(["docker", "images", "--digests", "--format", "{{.Repository}}@{{.Digest}}"]).require()
    return listed.stdout.split()


def edit(name: str, text: str) -> Callable[[Bench], None]:
    return lambda bench: bench.write(name, text)


def other_system_image(bench: Bench) -> None:
    command.run(["docker", "build", "-q", "-t", SYSTEM_IMAGE, "-"], stdin=f"FROM {SYSTEM_IMAGE}\nENV A=b\n").require()


MUTATIONS: dict[str, Callable[[Bench], None]] = {
    "content": edit("low/salt", "other"),
    "instruction": edit("low/Dockerfile", "ARG SYSTEM_IMAGE\nFROM ${SYSTEM_IMAGE}\nCOPY salt /salt\nRUN true\n"),
    "label": edit("low/Dockerfile", "ARG SYSTEM_IMAGE\nFROM ${SYSTEM_IMAGE}\nLABEL a=b\n"),
    "mode": lambda bench: (bench.root / "low/salt").chmod(0o755),
    "build argument": lambda bench: bench.patch.setenv("SYSTEM_IMAGE", "layerstack-test/shell:2"),
    "platform": lambda bench: bench.patch.setenv("DOCKER_DEFAULT_PLATFORM", "linux/arm64"),
    "system image": other_system_image,
}


def test_no_change_is_answered_with_an_image_of_other_inputs(second: Bench) -> None:
    second.build()
    second.share()
    shared = {name: second.reference(name) for name in BASES}
    assert all(answer.digest for answer in look_up(shared.values()).values())
    for name, mutate in MUTATIONS.items():
        with pytest.MonkeyPatch.context() as patch:
            copy = Bench(second.root.with_name(name.replace(" ", "-")), second.team, patch, Notes())
            shutil.copytree(second.root, copy.root)
            mutate(copy)
            wanted = {base: copy.reference(base) for base in BASES}
            assert not set(wanted.values()) & set(shared.values()), name
            assert not any(answer.digest for answer in look_up(wanted.values()).values()), name


def test_an_image_under_a_wrong_name_is_not_used(second: Bench) -> None:
    reference = second.reference("low")
    command.run(["docker", "tag", SYSTEM_IMAGE, reference]).require()
    command.run(["docker", "push", "--quiet", reference]).require()
    command.run(["docker", "image", "rm", reference]).require()
    assert actions(second.build())["low"] == "built"
    assert any("share --again low" in line for line in second.notes.lines)
    assert not [name for name in names_of_images() if name.startswith("127.0.0.1:")]
    assert shared_actions(second.share("low", again=True)) == {"low": "pushed"}
    second.forget()
    assert actions(second.build())["low"] == "pulled"


def test_a_registry_that_breaks_off_in_a_pull_does_not_stop_the_build(second: Bench) -> None:
    (second.root / "low/salt").write_bytes(os.urandom(4_000_000))
    second.build()
    second.share()
    second.forget()
    with second.team.relay(1_000_000) as address:
        second.use(address)
        assert actions(second.build()) == dict.fromkeys((*BASES, "app"), "built")
    assert any("low: the registry" in line and "Built here" in line for line in second.notes.lines)


def test_a_silent_registry_costs_two_seconds_and_a_line(second: Bench) -> None:
    with second.team.relay(0) as address:
        second.use(address)
        assert actions(second.build())["low"] == "built"
        (line,) = second.notes.lines
        assert "does not answer" in line
        with pytest.raises(CheckFailed, match="does not answer"):
            second.share()


# "secret", as `htpasswd -B` writes it.
HTPASSWD = "ann:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"


def test_a_registry_that_wants_a_login_or_only_reads_is_named(second: Bench, tmp_path: Path) -> None:
    passwords = tmp_path / "htpasswd"
    passwords.write_text(HTPASSWD)
    login = f"}}\nauth: {{htpasswd: {{realm: team, path: {passwords}}}"
    with own_registry(tmp_path / "closed", second.team.registry.port + 1, second.team.network, login) as closed:
        second.use(closed.address)
        assert actions(second.build())["low"] == "built"
        assert f"docker login 127.0.0.1:{closed.port}" in second.notes.lines[0]
        with pytest.raises(CheckFailed, match="login"):
            second.share()
    # The engine tries for 50 s to leave layers there: with those, only the rest is refused.
    second.use(second.team.registry.address)
    second.share()
    reads = ", maintenance: {readonly: {enabled: true}}"
    folder = second.team.registry.folder
    with own_registry(folder, second.team.registry.port + 1, second.team.network, reads) as reading:
        second.use(reading.address)
        done = second.share("low", again=True)
        assert not done.is_ok
        assert "is read-only" in done.shares[0].reason


def test_two_may_push_at_once_and_one_may_be_killed(second: Bench) -> None:
    second.build()
    argv = [sys.executable, "-m", "layerstack", "share", "--again"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    pushers = [subprocess.Popen(argv, cwd=second.root, env=environment) for _ in range(3)]
    pushers.pop().kill()
    assert [one.wait() for one in pushers] == [0, 0]
    second.forget()
    assert actions(second.build()) == {"low": "pulled", "high": "pulled", "app": "built"}
