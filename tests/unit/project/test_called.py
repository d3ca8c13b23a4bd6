"""Services that are named although their profiles are not active."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from layerstack.project import called, project
from layerstack.project.project import Project, Service


def of(services: tuple[str, ...]) -> Project:
    known = {name: Service(name, "", (), {}) for name in services}
    return Project(Path("/p"), "p", "gpu", (Path("/p/c.yml"),), (), {}, known)


@pytest.mark.parametrize(
    ("kept", "asked", "active"),
    [
        ("", ["web"], None),
        ("", ["tool", "web"], "debug"),
        ("COMPOSE_PROFILES=mail\n", ["tool"], "mail,debug"),
        ("COMPOSE_PROFILES=debug\n", ["tool"], "debug"),
        ("P=mail\nCOMPOSE_PROFILES=$P\n", ["tool"], "mail,debug"),
        ("", ["nobody"], None),
    ],
)
def test_a_named_service_brings_its_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str, asked: list[str], active: str | None
) -> None:
    (tmp_path / "compose.yaml").touch()
    (tmp_path / ".env").write_text(kept)
    monkeypatch.delenv("COMPOSE_PROFILES", raising=False)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    found = replace(of(services=("web", "tool")), inactive={"tool": ["debug", "more"]})
    monkeypatch.setattr(project, "load", lambda root, device: found)
    called.load_with(tmp_path, "cpu", asked)
    assert os.environ.get("COMPOSE_PROFILES") == active


def test_profiles_are_those_of_the_env_files_that_compose_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "compose.yaml").touch()
    (tmp_path / ".env").write_text("COMPOSE_PROFILES=default\n")
    (tmp_path / "other.env").write_text("COMPOSE_PROFILES=other\n")
    monkeypatch.delenv("COMPOSE_PROFILES", raising=False)
    assert called.active_profiles(tmp_path) == "default"
    monkeypatch.setenv("COMPOSE_ENV_FILES", str(tmp_path / "other.env"))
    assert called.active_profiles(tmp_path) == "other"


def test_of_a_profile_only_what_is_named_comes_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "compose.yaml").touch()
    monkeypatch.setattr(os, "environ", dict(os.environ))
    profiles = {name: ["debug"] for name in ("tool", "below", "other")}

    def load(*_arguments: object) -> Project:
        if not os.environ.get("COMPOSE_PROFILES"):
            return replace(of(services=("web",)), inactive=profiles)
        found = of(services=("web", "other", "tool", "below"))
        tool = Service("tool", "", (), {"depends_on": {"below": {}}})
        return replace(found, services={**found.services, "tool": tool})

    monkeypatch.delenv("COMPOSE_PROFILES", raising=False)
    monkeypatch.setattr(project, "load", load)
    found = called.load_with(tmp_path, "cpu", ["tool"])
    assert (list(found.services), found.inactive) == (["web", "tool", "below"], {"other": ["debug"]})
    assert called.with_called(found, ["web"]) is found
