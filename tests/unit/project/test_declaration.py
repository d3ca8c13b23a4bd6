"""Where a person changes a value."""

from pathlib import Path

import pytest
from verify_parts import make_project

from layerstack.project.declaration import find_declaration, find_text, how_to_change
from layerstack.project.project import Project

COMPOSE = """\
x-all: &all
  mem_limit: ${LIMIT:-1g}
services:
  web:
    <<: *all
    environment:
      URL: http://${HOST}:${PORT:-80}
    volumes: !override
      - ./a:/data/a
  job:
    environment:
      - TOKEN=a$$b
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "compose.yml").write_text(COMPOSE)
    return make_project({"web": {}, "job": {}}, tmp_path)


@pytest.mark.parametrize(
    ("keys", "place", "variables", "bare"),
    [
        (("web", "environment", "URL"), "compose.yml:7", ("HOST", "PORT"), ("HOST",)),
        (("web", "mem_limit"), "compose.yml:2", ("LIMIT",), ()),
        (("job", "environment", "TOKEN"), "compose.yml:12", (), ()),
    ],
)
def test_a_value_is_found_with_its_line_and_its_variables(
    project: Project, keys: tuple[str, ...], place: str, variables: tuple[str, ...], bare: tuple[str, ...]
) -> None:
    found = find_declaration(project, *keys)
    assert found is not None
    assert (found.place, found.variables, found.bare_variables) == (place, variables, bare)


def test_the_last_file_that_declares_it_counts(project: Project, tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text("services:\n  web:\n    environment: {URL: x}\n")
    more = make_project({"web": {}}, tmp_path)
    both = type(project)(**{**vars(project), "compose_files": (*project.compose_files, tmp_path / "more.yml")})
    found = find_declaration(both, "web", "environment", "URL")
    assert found is not None
    assert found.place == "more.yml:3"
    assert more.compose_files


def test_a_word_below_a_key(project: Project) -> None:
    found = find_text(project, "web", "volumes", "/data/a")
    assert found is not None
    assert found.place == "compose.yml:9"
    assert find_text(project, "web", "volumes", "/data/b") is None


def test_what_nobody_declares_and_what_cannot_be_read(project: Project, tmp_path: Path) -> None:
    assert find_declaration(project, "web", "environment", "GONE") is None
    assert find_declaration(project, "nobody", "image") is None
    (tmp_path / "compose.yml").write_text("services: [")
    assert find_declaration(project, "web", "mem_limit") is None


def test_how_to_change_names_the_variable_of_env_before_the_line(project: Project) -> None:
    limit = find_declaration(project, "web", "mem_limit")
    token = find_declaration(project, "job", "environment", "TOKEN")
    assert how_to_change("mem_limit", limit) == "LIMIT in .env (compose.yml:2)"
    assert how_to_change("TOKEN", token) == "TOKEN in compose.yml:12"
    assert how_to_change("TOKEN", None) == "TOKEN"
