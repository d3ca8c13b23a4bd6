"""The file and the line at which YAML ends."""

from pathlib import Path

import pytest

from layerstack.project.compose_source import find_yaml_error


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services:\n  web:\n    image: nginx\n   ports: [80\n", "second.yml:4: "),
        ("a: [\n", "second.yml:2: "),
        ("a: b: c\n", "second.yml:1: "),
        ("a: \x00\n", "second.yml: "),
        ("services: {web: {ports: !override [1]}}\n", ""),
    ],
)
def test_the_first_bad_place_is_told(tmp_path: Path, text: str, said: str) -> None:
    first, second = tmp_path / "first.yml", tmp_path / "second.yml"
    first.write_text("services: {}\n")
    second.write_text(text)
    (tmp_path / "docker-bake.hcl").write_text("not [ YAML")
    found = find_yaml_error([tmp_path / "docker-bake.hcl", first, second])
    assert found.startswith(said)
    assert bool(found) == bool(said)


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    assert find_yaml_error([tmp_path / "gone.yml"]).startswith("gone.yml: ")
