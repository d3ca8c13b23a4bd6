"""Which files `docker compose` takes, as tables: every row was tried with Compose 2.40."""

import os
from pathlib import Path

import pytest

from layerstack.errors import UsageError
from layerstack.project import choices
from layerstack.project.compose_files import choose_files, find_compose_files, find_root

VARIABLES = (
    *("COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR", "COMPOSE_ENV_FILES", "COMPOSE_DISABLE_ENV_FILE"),
    *("STAGE", "DEVICE"),
)


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def make(root: Path, *names: str, **texts: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    for name, text in texts.items():
        (root / name.replace("env", ".env")).write_text(text)


def names(root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in choose_files(root).files]


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        (["compose.yaml", "compose.yml", "docker-compose.yml"], ["compose.yaml"]),
        (["docker-compose.yaml", "docker-compose.yml"], ["docker-compose.yml"]),
        (["compose.yaml", "compose.override.yml"], ["compose.yaml", "compose.override.yml"]),
        (["compose.yaml", "docker-compose.override.yaml"], ["compose.yaml", "docker-compose.override.yaml"]),
        (
            ["docker-compose.yml", "docker-compose.override.yml", "compose.override.yaml"],
            ["docker-compose.yml", "compose.override.yaml"],
        ),
        (["compose.yml", "compose.override.yml", "compose.override.yaml"], ["compose.yml", "compose.override.yml"]),
    ],
)
def test_default_files(tmp_path: Path, there: list[str], taken: list[str]) -> None:
    make(tmp_path, *there)
    assert names(tmp_path) == taken


def test_a_folder_below_finds_the_files_above(tmp_path: Path) -> None:
    make(tmp_path, "compose.yaml", "compose.override.yaml", "a/b/x")
    assert find_root(tmp_path / "a" / "b") == tmp_path
    assert [path.name for path in choose_files(tmp_path / "a" / "b").files] == ["compose.yaml", "compose.override.yaml"]


@pytest.mark.parametrize(
    ("env", "variables", "taken"),
    [
        ("COMPOSE_FILE=a.yaml:b.yaml\n", {}, ["a.yaml", "b.yaml"]),
        ("COMPOSE_FILE='b.yaml'\n", {}, ["b.yaml"]),
        ("COMPOSE_FILE=b.yaml\n", {"COMPOSE_FILE": "a.yaml"}, ["a.yaml"]),
        ("COMPOSE_FILE=a.yaml,b.yaml\nCOMPOSE_PATH_SEPARATOR=,\n", {}, ["a.yaml", "b.yaml"]),
        ("STAGE=b\nCOMPOSE_FILE=a.yaml:${STAGE}.yaml\n", {}, ["a.yaml", "b.yaml"]),
        ("STAGE=b\nCOMPOSE_FILE=a.yaml:${STAGE}.yaml\n", {"STAGE": "compose"}, ["a.yaml", "compose.yaml"]),
        ("COMPOSE_FILE=a.yaml\n", {"COMPOSE_DISABLE_ENV_FILE": "1"}, ["compose.yaml", "compose.override.yaml"]),
        ("COMPOSE_FILE=a.yaml\n", {"COMPOSE_ENV_FILES": "other"}, ["b.yaml"]),
        ("", {"COMPOSE_FILE": "sub/compose.yaml:a.yaml"}, ["sub/compose.yaml", "a.yaml"]),
    ],
)
def test_compose_file_replaces_the_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env: str, variables: dict[str, str], taken: list[str]
) -> None:
    make(tmp_path, "compose.yaml", "compose.override.yaml", "a.yaml", "b.yaml", "sub/compose.yaml", env=env)
    (tmp_path / "other").write_text("COMPOSE_FILE=b.yaml\n")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert names(tmp_path) == taken


def test_the_project_is_where_the_first_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "deploy/compose.yaml", "deploy/.env", env="COMPOSE_FILE=deploy/compose.yaml\n")
    root = find_root(tmp_path)
    assert root == tmp_path / "deploy"
    found = choose_files(root)
    assert found.files == (root / "compose.yaml",)
    # The later one counts: what is set where the call is made.
    assert found.env_files == (root / ".env", tmp_path / ".env")


def test_a_relative_path_in_the_environment_starts_where_the_call_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a.yaml", "below/x")
    monkeypatch.chdir(tmp_path / "below")
    monkeypatch.setenv("COMPOSE_FILE", f"..{os.sep}a.yaml")
    assert find_root(tmp_path / "below") == tmp_path
    assert choose_files(tmp_path).files == (tmp_path / "a.yaml",)


@pytest.mark.parametrize("value", ["gone.yaml", "", "a.yaml:gone.yaml"])
def test_a_file_that_is_not_there_is_named_with_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    make(tmp_path, "compose.yaml", "a.yaml")
    monkeypatch.setenv("COMPOSE_FILE", value)
    with pytest.raises(UsageError, match="COMPOSE_FILE"):
        choose_files(tmp_path)


@pytest.mark.parametrize(("device", "added"), [("cpu", ["compose.cpu.yaml"]), ("gpu", [])])
def test_the_variant_of_the_device_is_added_to_default_files(tmp_path: Path, device: str, added: list[str]) -> None:
    make(tmp_path, "compose.yaml", "compose.override.yaml", "compose.cpu.yaml", "docker-compose.cpu.yml")
    found = [path.name for path in find_compose_files(tmp_path, device)]  # type: ignore[arg-type]
    assert found == ["compose.yaml", "compose.override.yaml", *added]


def test_nothing_is_added_to_what_the_user_chose(tmp_path: Path) -> None:
    make(tmp_path, "compose.yaml", "compose.cpu.yaml", env="COMPOSE_FILE=compose.yaml\n")
    assert [path.name for path in find_compose_files(tmp_path, "cpu")] == ["compose.yaml"]


def test_what_setup_wrote_is_no_choice_of_the_user(tmp_path: Path) -> None:
    make(tmp_path, "compose.yaml", "compose.cpu.yaml")
    choices.remember(tmp_path, {"COMPOSE_FILE": "compose.yaml:compose.cpu.yaml", "DEVICE": "cpu"})
    assert [path.name for path in find_compose_files(tmp_path, "gpu")] == ["compose.yaml"]
    assert [path.name for path in find_compose_files(tmp_path, "cpu")] == ["compose.yaml", "compose.cpu.yaml"]
    make(tmp_path, "compose.override.yaml")
    expected = ["compose.yaml", "compose.override.yaml", "compose.cpu.yaml"]
    assert [path.name for path in find_compose_files(tmp_path, "cpu")] == expected
    (tmp_path / "compose.cpu.yaml").unlink()
    assert [path.name for path in find_compose_files(tmp_path, "cpu")] == expected[:2]


@pytest.mark.parametrize("names", ["compose.yaml:compose.cpu.yaml:more.yaml", "compose.yaml:more.yaml", "compose.yaml"])
def test_what_was_changed_in_what_setup_wrote_is_a_choice_of_the_user(tmp_path: Path, names: str) -> None:
    make(tmp_path, "compose.yaml", "compose.override.yaml", "compose.cpu.yaml", "more.yaml")
    choices.remember(tmp_path, {"COMPOSE_FILE": names})
    for device in ("cpu", "gpu"):
        assert ":".join(path.name for path in find_compose_files(tmp_path, device)) == names
