"""Known issues: each row only for its versions, and only where it is met."""

from pathlib import Path
from typing import Any

import pytest
from compose_project import load

from layerstack.doctor.known_issues import KNOWN_ISSUES, Circumstances, _command_texts, issues_of, read_circumstances

ALL = Circumstances(**dict.fromkeys(Circumstances.__dataclass_fields__, True))


@pytest.mark.parametrize(
    ("part", "version", "when"),
    [
        ("Docker Engine", "24.0.7", "has_start_intervals"),
        ("Docker Engine", "23.0.1", "has_start_intervals"),
        ("Docker Engine", "27.5.1", "wants_gpu"),
        ("Docker Engine", "29.6.0", "has_cache_mounts"),
        ("Docker Buildx", "v0.37.2", "has_outside_contexts"),
        ("Docker Buildx", "0.29.1", "uses_bake_check"),
        ("Docker Compose", "2.33.0", "has_profiled_bases"),
        ("Docker Compose", "5.4.0", "has_profiled_bases"),
        ("Docker Compose", "2.37.0", "has_nested_bases"),
        ("Docker Compose", "v5.0.0", "sets_progress"),
    ],
)
def test_an_issue_is_met_under_its_circumstance_only(part: str, version: str, when: str) -> None:
    assert len(issues_of(part, version, Circumstances(**{when: True}))) == 1
    assert issues_of(part, version, Circumstances()) == []


@pytest.mark.parametrize(
    ("part", "version"),
    [
        ("Docker Engine", "28.5.2+dfsg4"),
        ("Docker Compose", "5.5.0"),
        ("Docker Engine", "unknown"),
    ],
)
def test_good_versions_have_none_whatever_the_project(part: str, version: str) -> None:
    assert issues_of(part, version, ALL) == []


def test_every_circumstance_is_used_by_an_issue() -> None:
    for name in Circumstances.__dataclass_fields__:
        assert any(one.when(Circumstances(**{name: True})) for one in KNOWN_ISSUES), name


PLAIN = "services:\n  web: { image: x }\n"


def circumstances(root: Path, text: str = PLAIN) -> set[str]:
    project, source = load(root, text)
    found = read_circumstances(root, source, project)
    return {name for name in Circumstances.__dataclass_fields__ if getattr(found, name)}


@pytest.fixture(autouse=True)
def plain_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BUILDKIT_PROGRESS", "COMPOSE_PROFILES"):
        monkeypatch.delenv(name, raising=False)


def test_a_plain_project_meets_nothing(tmp_path: Path) -> None:
    assert circumstances(tmp_path) == set()


LENT = """\
services:
  app: { build: { context: ., additional_contexts: { base: "service:base" } } }
  base: { build: { context: . } }
"""


def test_what_the_compose_file_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert "has_profiled_bases" not in circumstances(tmp_path, LENT)
    profiled = LENT.replace("base: { build: { context: . } }", "base: { profiles: [b], build: { context: . } }")
    assert "has_profiled_bases" in circumstances(tmp_path, profiled)
    monkeypatch.setenv("COMPOSE_PROFILES", "b")
    assert "has_profiled_bases" not in circumstances(tmp_path, profiled)
    nested = LENT.replace("base: {", "lowest: { build: { context: . } }\n  base: {", 1)
    nested = nested.replace(
        "base: { build: { context: . } }", "base: { build: { context: ., additional_contexts: ['l=service:lowest'] } }"
    )
    assert "has_nested_bases" in circumstances(tmp_path, nested)
    assert "has_nested_bases" not in circumstances(tmp_path, LENT)
    started = "services: { web: { image: x, healthcheck: { test: 'true', start_interval: 1s } } }"
    assert "has_start_intervals" in circumstances(tmp_path, started)


def test_what_the_files_tell(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nRUN --mount=type=cache,target=/c true\n")
    (tmp_path / "Makefile").write_text("lint:\n\tdocker buildx bake app --check\n")
    assert {"has_cache_mounts", "uses_bake_check"} <= circumstances(tmp_path, "services: { web: { build: . } }")
    assert "has_outside_contexts" in circumstances(tmp_path, "services: { web: { build: ../elsewhere } }")


def test_what_the_shell_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUILDKIT_PROGRESS", "plain")
    assert circumstances(tmp_path) == {"sets_progress"}


def test_a_closed_script_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, **_: Any) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    (tmp_path / "closed.sh").write_text("docker buildx bake --check\n")
    assert "uses_bake_check" in circumstances(tmp_path, "services: {}")
    monkeypatch.setattr(Path, "open", refuse)
    assert list(_command_texts(tmp_path)) == [""]
