"""`x-layerstack`: what it can say, and that a typo is found with its line."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_project import write

from layerstack.errors import UsageError
from layerstack.project.settings import (
    KEY,
    ProjectSettings,
    ServiceSettings,
    read_project_settings,
    read_service_settings,
)


def service(root: Path, block: str) -> ServiceSettings:
    text = f"services:\n  web:\n    image: w\n    x-layerstack:\n{block}"
    source = write(root, text)
    written = yaml.safe_load(text)["services"]["web"][KEY]
    return read_service_settings(written, lambda *keys: source.place("services", "web", KEY, *keys))


def test_everything_that_a_service_can_say(tmp_path: Path) -> None:
    block = """
      budget_seconds: 10
      edit: src/a.py
      gpu_memory: 6g
      verify: [{check: a, http: /}, words]
      programs: {weights: [python, -m, w], one: ls -l}
      doctor: {ignore: mount-shadow, sizes: {base: 3GB}}
      backup: {dump: mongodump --db 'a b', restore: [mongorestore, --drop]}
"""
    found = service(tmp_path, block)
    assert (found.budget_seconds, found.edit, found.gpu_memory) == (10, "src/a.py", "6g")
    assert found.verify == ({"check": "a", "http": "/"}, "words")
    assert found.programs == {"weights": ("python", "-m", "w"), "one": ("ls", "-l")}
    assert (found.doctor.ignore, found.doctor.sizes) == (("mount-shadow",), {"base": "3GB"})
    assert (found.backup.dump, found.backup.restore) == (("mongodump", "--db", "a b"), ("mongorestore", "--drop"))


@pytest.mark.parametrize(
    ("block", "line", "advice"),
    [
        ("      budget: 1\n", 5, "budget_seconds"),
        ("      edit: a\n      verfy: []\n", 6, "verify"),
        ("      verify:\n        - check: a\n          htp: /\n", 7, "http"),
        ("      doctor:\n        ignored: []\n", 6, "ignore"),
        ("      backup: {dmp: []}\n", 5, "dump"),
        ('      backup: {dump: "it\'s"}\n', 5, "quote"),
        ("      zzz: 1\n", 5, "There are: backup"),
        ("      budget_seconds: soon\n", 5, "budget_seconds"),
        ("      verify: {check: a}\n", 5, "- check"),
        ("      doctor: nothing\n", 5, "KEY: VALUE"),
    ],
)
def test_what_it_cannot_say_is_an_error_with_its_line(tmp_path: Path, block: str, line: int, advice: str) -> None:
    with pytest.raises(UsageError, match=rf"^compose\.yaml:{line}: ") as caught:
        service(tmp_path, block)
    assert advice in caught.value.advice


@pytest.mark.parametrize("written", [None, {}])
def test_nothing_is_the_default(written: Any) -> None:
    assert read_service_settings(written, lambda *_: "") == ServiceSettings()
    assert read_project_settings(written, lambda *_: "") == ProjectSettings()


def test_what_a_project_says() -> None:
    found = read_project_settings({"registry": "host:5000/team", "builder": "far"}, lambda *_: "")
    assert (found.registry, found.builder) == ("host:5000/team", "far")
    with pytest.raises(UsageError, match="registri") as caught:
        read_project_settings({"registri": "x"}, lambda *_: "compose.yaml:1")
    assert "registry" in caught.value.advice
