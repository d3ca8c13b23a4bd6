"""Silencing checks by name: on the command line, for the project, for one service."""

from pathlib import Path

import pytest
from compose_project import write

from layerstack.doctor import silence
from layerstack.doctor.silence import WHY
from layerstack.errors import UsageError
from layerstack.finding import Finding, ok, warning

TEXT = """\
x-layerstack: { doctor: { ignore: [registry, nonsense] } }
services:
  web:
    image: x
    x-layerstack: { doctor: { ignore: mount-shadow } }
  api: { image: y }
"""


def reported(findings: list[Finding], given: silence.Silence) -> list[str]:
    return [one.check for one in silence.split(findings, given)[0]]


@pytest.mark.parametrize("word", ["registry,port", "port", "Docker Group", "docker-group", "port 3001"])
def test_known_names_are_taken_in_any_spelling(word: str) -> None:
    found = [warning("registry", "", ""), warning("port 3001", "", ""), warning("docker group", "", "")]
    assert len(reported(found, silence.from_words([word]))) < 3


def test_every_check_can_be_silenced_by_its_name() -> None:
    for name in WHY:
        assert reported([warning(name, "", "")], silence.from_words([name])) == []


def test_only_the_named_port_is_silenced() -> None:
    found = [warning("port 3001", "", ""), warning("port 3002", "", "")]
    assert reported(found, silence.from_words(["port 3001"])) == ["port 3002"]


def test_an_unknown_name_is_refused_with_the_names() -> None:
    with pytest.raises(UsageError) as caught:
        silence.from_words(["registry", "registy"])
    assert "Did you mean registry?" in caught.value.advice
    assert all(name in caught.value.advice for name in WHY)


def test_what_is_fine_is_never_silenced() -> None:
    assert reported([ok("registry", "")], silence.from_words(["registry"])) == ["registry"]


def test_the_compose_file_silences_for_all_or_for_one_service(tmp_path: Path) -> None:
    wanted = silence.from_source(write(tmp_path, TEXT), silence.from_words(["disk"]))
    shadows = [warning("mount-shadow", "", "", service) for service in ("web", "api")]
    kept, silenced = silence.split([*shadows, warning("registry", "", ""), warning("disk", "", "")], wanted)
    assert [(one.check, one.service) for one in kept] == [("mount-shadow", "api")]
    assert len(silenced) == 3


def test_an_unknown_name_in_the_compose_file_is_a_finding(tmp_path: Path) -> None:
    (found,) = silence.check_names(write(tmp_path, TEXT))
    assert (found.check, found.severity, found.place) == ("ignore", "warning", "compose.yaml:1")
    assert list(silence.check_names(write(tmp_path, TEXT.replace(", nonsense", "")))) == []
