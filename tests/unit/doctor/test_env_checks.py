"""Problems of `.env`: each is found with its line, and a sound file is left alone."""

from pathlib import Path

import pytest
from compose_project import write

from layerstack.doctor import env_checks
from layerstack.finding import Finding

COMPOSE = """\
services:
  web:
    image: ${IMAGE:-web}
    ports: ["${WEB_PORT:-80}:80"]
    environment:
      PASSWORD: ${PASSWORD}
      API_PORT: ${API_PORT:-1}
"""


@pytest.fixture(autouse=True)
def bare_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IMAGE", "WEB_PORT", "PASSWORD", "API_PORT"):
        monkeypatch.delenv(name, raising=False)


def check(root: Path, text: str | bytes, compose: str = COMPOSE) -> list[Finding]:
    (root / ".env").write_bytes(text.encode() if isinstance(text, str) else text)
    return list(env_checks.check_env_file(root, write(root, compose)))


def problems(root: Path, text: str | bytes, compose: str = COMPOSE) -> list[tuple[str, str]]:
    return [(one.severity, one.place) for one in check(root, text, compose) if one.severity != "ok"]


@pytest.mark.parametrize(
    "text",
    [
        "PASSWORD=secret\n",
        "# a comment\nexport PASSWORD='with $dollar and space' # why\n\nWEB_PORT=8080\n",
        'PASSWORD="two\nlines"\nCOMPOSE_FILE=a.yml\nSOMETHING_OF_THE_PROGRAM=1\n',
        "PASSWORD=p4ss$$word\nWEB_PORT=8000-8010\n",
        "PASSWORD=1\nWEB_PORT=127.0.0.1:8080\n",
        "PASSWORD=1\nWEB_PORT=0\n",
        "PASSWORD=x\nAPI_PORT_FILE=/run/port\nIMAGE_TAG=1\nTITLE=two words\n",
    ],
)
def test_a_sound_file_has_no_problem(tmp_path: Path, text: str) -> None:
    (found,) = check(tmp_path, text)
    assert found.severity == "ok"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PASSWORD=1\nA b=2\n", ("error", ".env:2")),
        ('PASSWORD=1\nIMAGE="open\n', ("error", ".env:2")),
        ("PASSWORD=1\nIMAGE=2\nPASSWORD=3\n", ("warning", ".env:3")),
        ("PASSWORD=abc$def\n", ("warning", ".env:1")),
        ('PASSWORD="abc"def\n', ("warning", ".env:1")),
        ("PASSWORD=1\nIMAGE = 2\n", ("warning", ".env:2")),
        ("PASSWORD=1\nIMAGE: 2\n", ("warning", ".env:2")),
        (b"PASSWORD=1\r\n", ("warning", ".env:1")),
        ("IMAGE=1\n", ("warning", "compose.yaml:6")),
        ("IMAGE=1\nPASSWORD\n", ("warning", "compose.yaml:6")),
        ("PASSWORD=1\nAPI_PROT=2\n", ("warning", ".env:2")),
        ("PASSWORD=1\nWEBPORT=2\n", ("warning", ".env:2")),
        ("PASSWORD=1\nWEB_PORT=eighty\n", ("error", ".env:2")),
        ("PASSWORD=1\nWEB_PORT=70000\n", ("error", ".env:2")),
    ],
)
def test_a_problem_is_found_with_its_line(tmp_path: Path, text: str | bytes, expected: tuple[str, str]) -> None:
    assert problems(tmp_path, text) == [expected]


def test_a_demanded_variable_is_an_error(tmp_path: Path) -> None:
    compose = "services:\n  web:\n    image: ${TAG:?which one}\n"
    assert problems(tmp_path, "X=1\n", compose) == [("error", "compose.yaml:3")]
    assert problems(tmp_path, "TAG=1\n", compose) == []
    assert problems(tmp_path, "TAG=\n", compose) == [("error", "compose.yaml:3")]
    assert problems(tmp_path, "TAG=\n", compose.replace(":?", "?")) == []


def test_the_shell_sets_variables_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "x")
    assert problems(tmp_path, "IMAGE=1\n") == []


def test_a_misspelt_name_is_named_once(tmp_path: Path) -> None:
    (found,) = [one for one in check(tmp_path, "PASSWROD=1\n") if one.severity != "ok"]
    assert "PASSWROD" in found.remedy


def test_names_of_bake_and_of_the_example_are_used(tmp_path: Path) -> None:
    compose = "services:\n  web:\n    image: ${NODE_IMAGES:-x}\n    environment: [PASSED_ON]\n"
    (tmp_path / "docker-bake.hcl").write_text('variable "NODE_IMAGE" {\n}\n')
    (tmp_path / ".env.example").write_text("NODE_IMAGEX=1\n")
    assert problems(tmp_path, "NODE_IMAGE=1\nNODE_IMAGEX=2\nPASSED_ON=3\n", compose) == []


def test_no_value_is_ever_shown(tmp_path: Path) -> None:
    found = check(tmp_path, 'PASSWORD=hunter2$gone\nIMAGE="hunter2"x\nAPI_PORT=hunter2\nIMAGE = hunter2\n')
    assert len(found) == 4
    assert not any("hunter2" in f"{one.detail}{one.remedy}" for one in found)


def test_a_missing_file_is_said_when_there_is_an_example(tmp_path: Path) -> None:
    source = write(tmp_path, 'services: {web: {image: "x:$A"}}')
    assert len(list(env_checks.check_env_file(tmp_path, source))) == 1
    (tmp_path / ".env.example").write_text("A=1\n")
    (found,) = env_checks.check_env_file(tmp_path, source)
    assert (found.severity, found.remedy) == ("warning", "cp .env.example .env")


@pytest.mark.parametrize(
    ("keys", "example", "is_said"),
    [
        ("image: x", "LOG_LEVEL=debug\n", False),
        ("image: 'x:${TAG:-1}'", "LOG_LEVEL=debug\n", False),
        ("environment: [LOG_LEVEL]", "LOG_LEVEL=debug\n", True),
        ("image: x", "COMPOSE_PROFILES=dev\n", True),
        ("env_file: [{ path: ./.env, required: false }]", "LOG_LEVEL=debug\n", True),
    ],
)
def test_an_example_that_compose_has_no_use_for_is_no_matter(
    tmp_path: Path, keys: str, example: str, is_said: bool
) -> None:
    (tmp_path / ".env.example").write_text(example)
    found = env_checks.check_env_file(tmp_path, write(tmp_path, f"services: {{ web: {{ {keys} }} }}"))
    assert [one.remedy for one in found] == (["cp .env.example .env"] if is_said else [])


def test_what_is_included_has_env_files_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "db.env").write_text("PASSWORD=secret\n")
    include = "include:\n  - { path: db.yaml, env_file: db.env }\n"
    assert problems(tmp_path, "", include + COMPOSE) == []
    assert problems(tmp_path, "", COMPOSE) == [("warning", "compose.yaml:6")]
