"""The names under which a registry keeps images."""

from pathlib import Path

import pytest

from layerstack.engine.images import _REFERENCE
from layerstack.errors import UsageError
from layerstack.project.project import Project
from layerstack.project.settings import ProjectSettings
from layerstack.registry.team import TeamRegistry, find_team, require_team

TEAM = TeamRegistry("registry.example.com:5000/team")
DIGEST = "sha256:" + "0" * 64


def test_a_base_is_named_by_what_it_is_made_of() -> None:
    reference = TEAM.inputs_reference("Base_Node-", DIGEST)
    assert reference == f"{TEAM.address}/base_node:inputs-{'0' * 64}"
    assert len(reference.rpartition(":")[2]) <= 128  # the longest tag that a registry takes
    assert TEAM.host == "registry.example.com:5000"


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("node:18-alpine", "system-node:18-alpine"),
        ("docker.io/library/node", "system-node:latest"),
        ("stand-in/node:18", "system-stand-in-node:18"),
        ("ghcr.io/a/b:1", "system-ghcr.io-a-b:1"),
        ("host:5000/a", "system-host-5000-a:latest"),
    ],
)
def test_a_system_image_keeps_its_name_and_tag_on_one_level(reference: str, name: str) -> None:
    assert TEAM.system_reference(reference) == f"{TEAM.address}/{name}"
    assert _REFERENCE.fullmatch(TEAM.system_reference(reference))
    repository = name.rpartition(":")[0]
    for pinned in (reference, f"{reference}@{DIGEST}"):
        assert TEAM.system_content_reference(pinned, DIGEST) == f"{TEAM.address}/{repository}:content-{'0' * 64}"


def test_what_is_named_by_its_digest_is_not_kept_under_another_name() -> None:
    assert TEAM.system_reference(f"node@{DIGEST}") == ""


def test_a_registry_has_to_be_named(tmp_path: Path) -> None:
    project = Project(tmp_path, "p", "cpu", (tmp_path / "compose.yml",), (), {}, {})
    assert find_team(project) is None
    with pytest.raises(UsageError, match="No registry") as caught:
        require_team(project)
    assert "LAYERSTACK_REGISTRY" in caught.value.advice
    named = Project(tmp_path, "p", "cpu", (), (), {}, {}, settings=ProjectSettings("h:1/x"))
    assert require_team(named) == TeamRegistry("h:1/x")
