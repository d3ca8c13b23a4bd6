"""Which ports a variable moves, and which lines would be the same in two folders."""

from pathlib import Path

import compose_project
import pytest

from layerstack.project.compose_source import ComposeSource
from layerstack.project.fixed_lines import fixed_lines, read_ports


def source(root: Path, text: str) -> ComposeSource:
    return compose_project.write(root, text)


@pytest.mark.parametrize(
    ("entry", "variable", "number"),
    [
        ('"8000:80"', "", 8000),
        ('"127.0.0.1:${API:-8000}:80"', "API", 8000),
        ('"${IP:-127.0.0.1}:${API:-8000}:80/tcp"', "API", 8000),
        ('"[::1]:$API:80"', "API", 7000),
        ('"${API:?choose one}:80/udp"', "API", 7000),
        ('"8${LAST:-1}:80"', "", 81),
        ('"8000-8002:80-82"', "", 8000),
        ('{target: 80, published: "${API-8000}"}', "API", 7000),
        ("{target: 80, published: 8000}", "", 8000),
    ],
)
def test_a_published_port(tmp_path: Path, entry: str, variable: str, number: int) -> None:
    variables = {} if "8000" in entry and "-8000}:" in entry else {"API": "7000"}
    (port,) = read_ports(source(tmp_path, f"services: {{web: {{ports: [{entry}]}}}}"), variables)
    assert (port.service, port.variable, port.number, port.place) == ("web", variable, number, "compose.yaml:1")


@pytest.mark.parametrize("entry", ['"80"', "80", '"${UNSET}:80"', '"0:80"', "{target: 80}"])
def test_a_port_that_docker_chooses_is_none(tmp_path: Path, entry: str) -> None:
    assert read_ports(source(tmp_path, f"services: {{web: {{ports: [{entry}]}}}}"), {}) == []


SHARED = """
services:
  web-app:
    image: shop:latest
    build: .
    container_name: shop
    ports: ["8000:80"]
  db:
    image: postgres:16
    container_name: ${COMPOSE_PROJECT_NAME}-db
    ports: ["${DB_PORT:-5432}:5432"]
volumes:
  data: {name: shop-data}
  theirs: {name: theirs, external: true}
  own:
"""


def test_each_line_that_two_stacks_would_share_is_named_with_what_to_write(tmp_path: Path) -> None:
    lines = {line.place: line.instead for line in fixed_lines(source(tmp_path, SHARED), {})}
    assert lines == {
        "compose.yaml:4": "image: ${COMPOSE_PROJECT_NAME}-shop:latest",
        "compose.yaml:6": "container_name: ${COMPOSE_PROJECT_NAME}-shop",
        "compose.yaml:7": "${WEB_APP_PORT:-8000}",
        "compose.yaml:13": "name: ${COMPOSE_PROJECT_NAME}-shop-data",
    }
