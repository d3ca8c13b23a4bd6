"""Which file is the example of a `.env` that is not there."""

from pathlib import Path

import pytest

from layerstack.project.env_example import copy_that_sets, find_example


@pytest.mark.parametrize(
    ("wanted", "there", "found"),
    [
        (".env", [".env.example"], ".env.example"),
        (".env", ["env.example", "README.md"], "env.example"),
        (".env", [".env.template", "example.env"], "example.env"),
        (".env", [".env.local.example", "env"], None),
        (".env", [".env", ".env.example"], None),
        (".env.local", [".env.local.sample", ".env.example"], ".env.local.sample"),
        ("web.env", ["web.env-dist", ".env.example"], "web.env-dist"),
        ("gone/.env", [".env.example"], None),
    ],
)
def test_an_example_has_the_name_and_a_mark(tmp_path: Path, wanted: str, there: list[str], found: str | None) -> None:
    for name in there:
        (tmp_path / name).touch()
    assert find_example(tmp_path / wanted) == (tmp_path / found if found else None)


def test_a_copy_is_advised_only_of_an_example_that_sets_the_variable(tmp_path: Path) -> None:
    assert copy_that_sets(tmp_path, "A") == ""
    (tmp_path / ".env.example").write_text("export A=1\nB=\n")
    assert "cp .env.example .env" in copy_that_sets(tmp_path, "A")
    assert copy_that_sets(tmp_path, "B") == ""
    (tmp_path / ".env").touch()
    assert copy_that_sets(tmp_path, "A") == ""
