"""System images: what is here stays, else a registry is asked, else stand-ins are built and remembered."""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from layerstack import command
from layerstack.engine import engine
from layerstack.engine.container import STAND_IN_LABEL
from layerstack.errors import BuildFailed, EngineError, UsageError
from layerstack.project import choices
from layerstack.registry.team import TeamRegistry
from layerstack.setup import registry, stand_ins, system_images
from layerstack.setup.apt import Mirror

OFFICIAL = {"NODE_IMAGE": "node:18-alpine", "MONGO_IMAGE": "mongo:7.0", "CUDA_DEVEL_IMAGE": "nvidia/cuda:12.1.1"}
STAND_INS = {"NODE_IMAGE": "stand-in/node:18", "MONGO_IMAGE": "stand-in/mongo:6"}
TEAM = TeamRegistry("h:1/team")
SILENT = "dial tcp: lookup registry: no such host"


class Machine:
    """A project folder, a docker command and the images behind both."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.local: dict[str, str] = {}
        self.at_registry: set[str] = set()
        self.refusal = ""
        self.at_team: dict[str, str] = {}
        self.commands: list[str] = []
        self.said: list[str] = []
        self.images = SimpleNamespace(get=self._get)

    def prepare(
        self, pull: bool = False, device: str = "cpu", team: TeamRegistry | None = None
    ) -> dict[str, system_images.SystemImage]:
        found = system_images.prepare(self.root, pull, device, self.said.append, team)
        return {image.variable: image for image in found}

    def fetch(self, team: TeamRegistry, groups: list[list[str]], say: Any) -> frozenset[str]:
        """The first name of each group that the team has."""
        assert team == TEAM
        found = [[name for name in names if name in self.at_team] for names in groups]
        for name in (names[0] for names in found if names):
            self.local[name] = self.at_team[name]
        return frozenset(names[0] for names in found if names)

    def has_stand_ins(self) -> None:
        for reference in STAND_INS.values():
            self.local[reference] = "node:18-alpine" if "node" in reference else "mongo:7.0"
        choices.remember(self.root, STAND_INS)

    def run(self, argv: list[str], **_: Any) -> command.CommandResult:
        assert "--list=type=variables,format=json" in argv
        remembered = {} if "--file" in argv else choices.read(self.root)
        chosen = {
            name: (os.environ.get(name) or remembered.get(name) or official) for name, official in OFFICIAL.items()
        }
        listed = [*({"name": name, "value": value} for name, value in chosen.items()), {"name": "DEVICE"}]
        return command.CommandResult(tuple(argv), 0, json.dumps(listed), "", 0.0)

    def pull(self, argv: list[str], *_: Any, **__: Any) -> command.CommandResult:
        self.commands.append(" ".join(argv))
        if argv[2] not in self.at_registry:
            return command.CommandResult(tuple(argv), 1, "", self.refusal or SILENT, 0.0)
        self.local[argv[2]] = ""
        return command.CommandResult(tuple(argv), 0, "", "", 0.0)

    def build(self, root: Path, chosen: list[stand_ins.StandIn], say: Any) -> None:
        for stand_in in chosen:
            self.commands.append(f"build {stand_in.target}")
            self.local[stand_in.tag] = OFFICIAL[stand_in.variable]

    def _get(self, reference: str) -> Any:
        from layerstack.engine.api import EngineRefused, ImageMissing

        if reference.isupper():
            raise EngineRefused("invalid reference format")
        if reference not in self.local:
            raise ImageMissing(reference)
        official = self.local[reference]
        return SimpleNamespace(id=f"sha256:{reference}", labels={STAND_IN_LABEL: official} if official else None)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    (tmp_path / "docker-bake.hcl").touch()
    declared = {
        name: stand_ins.StandIn(name, name.lower().replace("_", "-"), tag) for name, tag in sorted(STAND_INS.items())
    }
    monkeypatch.setattr(engine, "client", lambda: made)
    monkeypatch.setattr(command, "run", made.run)
    monkeypatch.setattr(command, "stream", made.pull)
    monkeypatch.setattr(system_images, "read_stand_ins", lambda root: declared)
    monkeypatch.setattr(system_images, "build_stand_ins", made.build)
    monkeypatch.setattr(system_images, "fetch", made.fetch)
    for name in OFFICIAL:
        monkeypatch.delenv(name, raising=False)
    return made


def test_bake_is_asked_again_when_its_files_have_changed(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def run(argv: list[str], **given: Any) -> command.CommandResult:
        asked.append(argv)
        return machine.run(argv, **given)

    monkeypatch.setattr(command, "run", run)
    machine.has_stand_ins()
    machine.prepare()
    assert {one.reference for one in machine.prepare().values()} == set(STAND_INS.values())
    assert len(asked) == 1
    choices.remember(machine.root, {"NODE_IMAGE": None})
    machine.local["node:18-alpine"] = ""
    assert machine.prepare()["NODE_IMAGE"].reference == "node:18-alpine"
    assert len(asked) == 2


def test_a_project_without_bake_files_has_none(machine: Machine) -> None:
    (machine.root / "docker-bake.hcl").unlink()
    assert machine.prepare() == {}


def test_images_that_are_here_are_neither_pulled_nor_built(machine: Machine) -> None:
    machine.local = dict.fromkeys(OFFICIAL.values(), "")
    found = machine.prepare(device="gpu")
    assert {name: image.reference for name, image in found.items()} == OFFICIAL
    assert all(image.image_id and not image.is_stand_in for image in found.values())
    assert (machine.commands, machine.said) == ([], [])


def test_remembered_stand_ins_that_are_here_stay_and_are_named(machine: Machine) -> None:
    machine.has_stand_ins()
    found = machine.prepare()
    assert {name: image.reference for name, image in found.items()} == STAND_INS
    assert {image.official for image in found.values()} == {"node:18-alpine", "mongo:7.0"}
    assert all(image.is_stand_in for image in found.values())
    assert machine.commands == []


def test_missing_images_are_pulled_when_a_registry_answers(machine: Machine) -> None:
    machine.at_registry = set(OFFICIAL.values())
    found = machine.prepare(device="gpu")
    assert sorted(machine.commands) == sorted(f"docker pull {official}" for official in OFFICIAL.values())
    assert all(image.image_id for image in found.values())
    assert choices.read(machine.root) == {}


def test_without_a_registry_stand_ins_are_built_announced_and_remembered(machine: Machine) -> None:
    found = machine.prepare()
    assert machine.commands == ["docker pull node:18-alpine", "build node-image", "build mongo-image"]
    assert choices.read(machine.root) == STAND_INS
    assert all(image.is_stand_in and image.image_id for image in found.values())
    text = "\n".join(machine.said)
    assert "no container registry responds" in text
    assert "they are not the official images" in text
    assert all(tag in text for tag in STAND_INS.values())


def test_gpu_images_are_left_out_with_a_note_when_they_cannot_be_had(machine: Machine) -> None:
    assert machine.prepare(device="gpu")["CUDA_DEVEL_IMAGE"].image_id == ""
    assert any("nvidia/cuda:12.1.1 is skipped" in line for line in machine.said)
    assert "CUDA_DEVEL_IMAGE" not in machine.prepare(device="cpu")


def test_stand_ins_that_are_here_are_used_in_a_fresh_checkout(machine: Machine) -> None:
    """Loaded, or built for another checkout: built again they would be other images, with all that stands on them."""
    machine.local[STAND_INS["NODE_IMAGE"]] = OFFICIAL["NODE_IMAGE"]
    found = machine.prepare()
    assert [name for name in machine.commands if name.startswith("build")] == ["build mongo-image"]
    assert {name: image.reference for name, image in found.items()} == STAND_INS
    assert choices.read(machine.root) == STAND_INS


def test_another_image_that_is_called_like_a_stand_in_is_none(machine: Machine) -> None:
    machine.local[STAND_INS["NODE_IMAGE"]] = ""
    machine.prepare()
    assert "build node-image" in machine.commands


def test_lost_stand_ins_are_looked_for_at_the_registry_by_their_official_name(machine: Machine) -> None:
    machine.has_stand_ins()
    machine.local.clear()
    machine.at_registry = set(OFFICIAL.values())
    found = machine.prepare()
    assert {image.reference for image in found.values()} == {"node:18-alpine", "mongo:7.0"}
    assert choices.read(machine.root) == {}


def test_pull_replaces_stand_ins_by_what_the_registry_has_and_keeps_the_rest(machine: Machine) -> None:
    machine.has_stand_ins()
    machine.at_registry = {"mongo:7.0"}
    machine.refusal = "manifest unknown"
    found = machine.prepare(pull=True)
    assert found["MONGO_IMAGE"].reference == "mongo:7.0"
    assert found["NODE_IMAGE"].reference == "stand-in/node:18"
    assert choices.read(machine.root) == {"NODE_IMAGE": "stand-in/node:18"}
    assert any("stays" in line or "still in use" in line for line in machine.said)


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        ("toomanyrequests: You have reached your pull rate limit", "limits requests"),
        ("manifest for node:18-alpine not found: manifest unknown", "no such tag"),
        ("pull access denied for node", "docker login"),
        ("write /var/lib/docker: no space left on device", "the disk is full"),
    ],
)
def test_a_registry_that_refuses_is_quoted_and_no_stand_in_is_slipped_in(
    machine: Machine, refusal: str, expected: str
) -> None:
    machine.refusal = refusal
    with pytest.raises(EngineError, match=expected) as raised:
        machine.prepare()
    assert refusal in str(raised.value)
    assert choices.read(machine.root) == {}


def test_a_login_is_asked_for_at_the_registry_of_the_image() -> None:
    said = registry._judge("ghcr.io/team/app:1", "unauthorized: authentication required").reason
    assert "`docker login ghcr.io`" in said
    assert "`docker login`" in registry._judge("node:18", "unauthorized: authentication required").reason


def test_an_image_without_stand_in_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_images, "read_stand_ins", lambda root: {})
    with pytest.raises(EngineError, match=r"node:18-alpine \(NODE_IMAGE\)(.|\n)*no such host"):
        machine.prepare()


def test_the_environment_wins_over_what_is_remembered(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.has_stand_ins()
    monkeypatch.setenv("NODE_IMAGE", "node:22")
    machine.local["node:22"] = ""
    assert machine.prepare()["NODE_IMAGE"].reference == "node:22"
    assert choices.read(machine.root) == STAND_INS


def test_a_name_that_is_no_image_name_is_wrong_usage(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_IMAGE", "NO:IMAGE")
    with pytest.raises(UsageError, match="NODE_IMAGE=NO:IMAGE"):
        machine.prepare()


def test_stand_ins_are_found_by_their_targets_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stand_ins.read_stand_ins(tmp_path) == {}
    (tmp_path / stand_ins.BAKE_FILE).parent.mkdir(parents=True)
    (tmp_path / stand_ins.BAKE_FILE).touch()
    targets = {"debian-trixie": {"context": "x"}, "mongo-express-image": {"tags": ["stand-in/me:1"]}}
    answer = command.CommandResult((), 0, json.dumps({"target": targets}), "", 0.0)
    monkeypatch.setattr(command, "run", lambda *_, **__: answer)
    found = stand_ins.read_stand_ins(tmp_path)
    assert found == {
        "MONGO_EXPRESS_IMAGE": stand_ins.StandIn("MONGO_EXPRESS_IMAGE", "mongo-express-image", "stand-in/me:1")
    }


def test_a_failed_build_of_stand_ins_shows_its_last_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = command.CommandResult((), 0, '{"target": {}}', "", 0.0)
    failed = command.CommandResult((), 1, "", "#1 ...\nE: no such package", 0.0)
    monkeypatch.setattr(command, "run", lambda *_, **__: answer)
    monkeypatch.setattr(command, "stream", lambda *_, **__: failed)
    monkeypatch.setenv("HOST_CA", str(tmp_path / "none"))
    with pytest.raises(BuildFailed, match="E: no such package"):
        stand_ins.build_stand_ins(tmp_path, [stand_ins.StandIn("A_IMAGE", "a-image", "t")], print)


def test_only_missing_roots_are_made_with_the_machines_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(argv: list[str], **_: Any) -> command.CommandResult:
        commands.append(argv)
        return command.CommandResult(tuple(argv), 0, "", "", 0.0)

    present = SimpleNamespace(images=SimpleNamespace(list=lambda name: ["x"] if "bullseye" in name else []))
    monkeypatch.setattr(stand_ins, "client", lambda: present)
    monkeypatch.setattr(stand_ins, "is_debian", lambda: True)
    monkeypatch.setattr(stand_ins, "missing_packages", lambda names: ())
    monkeypatch.setattr(stand_ins, "read_mirror", lambda: Mirror("bookworm", "http://m.test/d", "http://m.test/s"))
    monkeypatch.setattr(stand_ins, "download_settings", lambda: ('Acquire::http::Proxy "http://p.test";',))
    monkeypatch.setattr(command, "run", run)
    stand_ins.make_roots(["stand-in/debian:bookworm", "stand-in/debian:bullseye"], print)
    made, imported = commands
    assert made[0] == "mmdebstrap"
    assert '--aptopt=Acquire::http::Proxy "http://p.test";' in made
    assert [line.split("] ")[-1] for line in made[-2:]] == [
        "http://m.test/d bookworm main",
        "http://m.test/s bookworm-security main",
    ]
    assert imported[-1] == "stand-in/debian:bookworm"


def test_roots_need_mmdebstrap_and_root_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = SimpleNamespace(images=SimpleNamespace(list=lambda name: []))
    monkeypatch.setattr(stand_ins, "client", lambda: absent)
    monkeypatch.setattr(stand_ins, "is_debian", lambda: True)
    monkeypatch.setattr(stand_ins, "missing_packages", lambda names: ("mmdebstrap",))
    monkeypatch.setattr(stand_ins, "read_mirror", lambda: Mirror("bookworm", "http://m.test", None))
    monkeypatch.setattr(stand_ins, "download_settings", lambda: ())
    monkeypatch.setattr(stand_ins.os, "geteuid", lambda: 1000)
    with pytest.raises(EngineError, match="apt-get install mmdebstrap"):
        stand_ins.make_roots(["stand-in/debian:bookworm"], print)


def test_a_team_is_asked_before_the_official_registry(machine: Machine) -> None:
    machine.at_team, machine.at_registry = {"node:18-alpine": ""}, set(OFFICIAL.values())
    found = machine.prepare(team=TEAM)
    assert found["NODE_IMAGE"].image_id
    assert machine.commands == ["docker pull mongo:7.0"]


def test_the_stand_in_of_a_team_is_used_and_remembered_as_one(machine: Machine) -> None:
    machine.at_team = {"stand-in/node:18": "node:18-alpine", "mongo:7.0": ""}
    found = machine.prepare(team=TEAM)
    assert found["NODE_IMAGE"].is_stand_in
    assert not found["MONGO_IMAGE"].is_stand_in
    assert choices.read(machine.root) == {"NODE_IMAGE": "stand-in/node:18"}
    assert machine.commands == []


def test_a_team_is_not_asked_for_what_is_here_nor_for_newer_images(machine: Machine) -> None:
    machine.local = {"node:18-alpine": "", "mongo:7.0": ""}
    machine.at_team = dict.fromkeys(OFFICIAL.values(), "another")
    assert not any(image.is_stand_in for image in machine.prepare(team=TEAM).values())
    machine.prepare(pull=True, team=TEAM)
    assert machine.local == {"node:18-alpine": "", "mongo:7.0": ""}
