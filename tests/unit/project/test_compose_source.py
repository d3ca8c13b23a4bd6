"""Where things stand in Compose files, and which variables they use."""

from pathlib import Path

import pytest
from compose_project import write

from layerstack.errors import UsageError
from layerstack.project import compose_source

TEXT = """\
x-common: &common
  restart: always
services:
  web:
    <<: *common
    image: ${IMAGE:-web}
    ports:
      - "${PORT}:80"
    volumes:
      - ./src:/src
      - type: volume
        target: /data
    command: echo $$HOME $PLAIN ${NEEDED:?say it}
"""


def test_a_key_has_its_line_and_what_is_missing_that_of_its_parent(tmp_path: Path) -> None:
    source = write(tmp_path, TEXT)
    assert source.place("services", "web", "image") == "compose.yaml:6"
    assert source.place("services", "web", "volumes", 1) == "compose.yaml:11"
    assert source.place("services", "web", "healthcheck", "test") == "compose.yaml:4"
    assert source.place("services", "web", "restart") == "compose.yaml:2"


def test_the_last_file_that_writes_a_key_counts(tmp_path: Path) -> None:
    write(tmp_path, TEXT)
    other = tmp_path / "compose.override.yaml"
    other.write_text("services:\n  web:\n    image: other\n    deploy: !reset null\n")
    source = compose_source.read_source(tmp_path, [tmp_path / "compose.yaml", other])
    assert source.place("services", "web", "image") == "compose.override.yaml:3"
    assert source.place("services", "web", "ports") == "compose.yaml:7"
    assert source.value("services", "web", "image") == "other"


def test_tags_of_compose_take_the_place_of_earlier_files(tmp_path: Path) -> None:
    write(tmp_path, "services: {web: {profiles: [now], ports: ['1:1'], volumes: ['a:/a'], user: me, scale: 3}}\n")
    other = tmp_path / "other.yaml"
    mine = "profiles: !override [later], ports: !reset ['2:2'], volumes: !override ['b:/b']"
    other.write_text(f"services: {{web: {{{mine}, user: !reset null, scale: !x 2}}}}\n")
    source = compose_source.read_source(tmp_path, [tmp_path / "compose.yaml", other])
    found = {key: source.value("services", "web", key) for key in ("profiles", "ports", "volumes", "user", "scale")}
    assert found == {"profiles": ["later"], "ports": None, "volumes": ["b:/b"], "user": None, "scale": "2"}
    assert list(source.entries("services", "web", "ports")) == []
    assert list(source.entries("services", "web", "volumes")) == [("b:/b", "other.yaml:1")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2222:22", "2222:22"),
        ("2026-13-45", "2026-13-45"),
        ("no", "no"),
        ("1:20.5", "1:20.5"),
        ("=", "="),
        ("<<", "<<"),
        ("0899", 899),
        ("8080", 8080),
        ("0x10", 16),
        ("1.5", 1.5),
        ("true", True),
        ("~", None),
        ("'8080'", "8080"),
    ],
)
def test_a_value_is_what_compose_reads(tmp_path: Path, text: str, value: object) -> None:
    assert write(tmp_path, f"services: {{web: {{ports: [{text}]}}}}\n").value("services", "web", "ports") == [value]


def test_entries_of_a_list_keep_their_places(tmp_path: Path) -> None:
    found = list(write(tmp_path, TEXT).entries("services", "web", "volumes"))
    assert found == [
        ("./src:/src", "compose.yaml:10"),
        ({"type": "volume", "target": "/data"}, "compose.yaml:11"),
    ]


def test_variables_have_operator_and_place(tmp_path: Path) -> None:
    found = {one.name: one for one in write(tmp_path, TEXT).variables()}
    assert set(found) == {"IMAGE", "PORT", "PLAIN", "NEEDED"}
    assert (found["PORT"].is_needed, found["PORT"].place) == (True, "compose.yaml:8")
    assert "ports" in found["PORT"].keys
    assert not found["IMAGE"].is_needed
    assert found["NEEDED"].is_demanded


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("services:\n  web:\n    ports: [1,\n  db: {}\n", "compose.yaml:5: "),
        ("services:\n  web:\n    image: nginx\n   ports: [80\n", "compose.yaml:4: "),
        ("a: [\n", "compose.yaml:2: "),
        ("a: b: c\n", "compose.yaml:1: "),
        ("a: \x00\n", "compose.yaml cannot be read: "),
    ],
)
def test_a_file_that_is_not_yaml_is_refused_with_its_line(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(UsageError) as caught:
        write(tmp_path, text)
    assert str(caught.value.args[0]).startswith(place)


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^gone\.yml "):
        compose_source.read_source(tmp_path, [tmp_path / "gone.yml"])
