"""Dockerfile steps in an order that costs time, and caches that builds fight for."""

from dataclasses import replace
from pathlib import Path

import pytest
from compose_project import load

from layerstack.doctor import dockerfile_lint
from layerstack.finding import Finding

HEAD = "FROM python\nWORKDIR /app\n"


def check(root: Path, text: str) -> list[Finding]:
    (root / "src").mkdir(exist_ok=True)
    (root / "src" / "main.py").write_text("print()")
    for name in ("requirements.txt", "package.json", "setup.py"):
        if not (root / name).exists():
            (root / name).write_text("{}" if name.endswith("json") else "")
    (root / "Dockerfile").write_text(text)
    project, source = load(root, "services: { web: { build: . } }")
    return [one for one in dockerfile_lint.check_dockerfiles(project, source) if one.severity != "ok"]


@pytest.mark.parametrize(
    "step",
    [
        "RUN pip install -r requirements.txt",
        "RUN pip install --no-cache-dir numpy==1.26",
        "RUN uv pip install --requirement requirements.txt",
        "RUN npm ci",
        "RUN npm install && npm cache clean --force",
        "RUN yarn",
        "RUN apt-get update && apt-get install --yes curl",
        "RUN apk add --no-cache make",
        "RUN go mod download",
        'RUN python -c "import torch; print(torch.__version__)"',
        "RUN <<EOF\napt-get install curl\nEOF",
    ],
)
def test_an_installation_after_the_source_is_found_with_its_line(tmp_path: Path, step: str) -> None:
    (found,) = check(tmp_path, f"{HEAD}COPY . .\n{step}\n")
    assert (found.check, found.severity, found.place) == ("run-after-source", "warning", "Dockerfile:4")
    assert check(tmp_path, f"{HEAD}COPY requirements.txt package.json ./\n{step}\nCOPY . .\n") == []


@pytest.mark.parametrize(
    "step",
    [
        "RUN pip install .",
        "RUN pip install --no-deps -e .[dev]",
        "RUN pip install '.[dev]' && rm -r tests",
        'RUN pip install "."',
        "RUN pip install /app/dist/app.whl",
        "RUN npm run build",
        "RUN npm run install-hooks",
        "RUN node --check src/main.js",
        "RUN python -m compileall .",
        'RUN python -c "import src.main"',
        'RUN python -c "import django; from src import main"',
        "RUN python -c 'import compileall; compileall.compile_dir(\".\")'",
        "RUN make",
    ],
)
def test_steps_that_need_the_source_are_left_alone(tmp_path: Path, step: str) -> None:
    assert check(tmp_path, f"{HEAD}COPY . .\n{step}\n") == []


@pytest.mark.parametrize("copied", ["setup.py", "requirements.txt", "locks", "--from=other src/main.py"])
def test_manifests_are_no_source(tmp_path: Path, copied: str) -> None:
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "one.txt").touch()
    assert check(tmp_path, f"{HEAD}COPY {copied} ./\nRUN pip install -r requirements.txt\n") == []


def test_what_the_ignore_file_keeps_out_is_no_source(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("*\n!requirements.txt\n")
    assert check(tmp_path, f"{HEAD}COPY . .\nRUN pip install -r requirements.txt\n") == []


def test_a_stage_inherits_the_source_of_the_one_below(tmp_path: Path) -> None:
    text = "FROM python AS code\nCOPY src /src\nFROM code AS web\nRUN pip install numpy\n"
    assert [one.place for one in check(tmp_path, text)] == ["Dockerfile:4"]
    assert check(tmp_path, text.replace("FROM code", "FROM python")) == []


@pytest.mark.parametrize("key", ["workspaces", "postinstall", "prepare"])
def test_node_packages_that_need_the_source_to_install(tmp_path: Path, key: str) -> None:
    (tmp_path / "package.json").write_text(f'{{"{key}": "x"}}')
    assert check(tmp_path, f"{HEAD}COPY . .\nRUN npm ci\n") == []


def test_node_packages_that_are_folders_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"dependencies": {"shared": "file:./shared"}}')
    assert check(tmp_path, f"{HEAD}COPY . .\nRUN npm ci\n") == []


def test_packages_that_are_part_of_the_project_need_it(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy\n-e ./library\n")
    assert check(tmp_path, f"{HEAD}COPY . .\nRUN pip install -r requirements.txt\n") == []


APT = "FROM debian\nRUN --mount=type=cache,target=/var/cache/apt{} \\\n    apt-get install curl\n"


def test_an_apt_cache_without_a_lock_is_found_with_its_line(tmp_path: Path) -> None:
    (found,) = check(tmp_path, APT.format(",id=apt"))
    assert (found.check, found.severity, found.place) == ("cache-sharing", "warning", "Dockerfile:2")


@pytest.mark.parametrize("text", [APT.format(",sharing=locked"), APT.replace("/var/cache/apt", "/home/app/.cache/pip")])
def test_locked_caches_and_those_of_others_are_left_alone(tmp_path: Path, text: str) -> None:
    assert check(tmp_path, text.format("")) == []


def test_one_dockerfile_of_two_images_is_reported_once(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(APT.format(""))
    project, source = load(tmp_path, "services: { a: { build: . }, b: { build: . } }")
    assert [one.check for one in dockerfile_lint.check_dockerfiles(project, source)].count("cache-sharing") == 1


INLINE = """\
services:
  web:
    build:
      context: .
      dockerfile_inline: |
        FROM debian
        RUN --mount=type=cache,target=/var/cache/apt apt-get update
"""


def test_a_dockerfile_inside_the_compose_file_has_its_line_there(tmp_path: Path) -> None:
    project, source = load(tmp_path, INLINE)
    text = project.services["web"].definition["build"]["dockerfile_inline"]
    image = replace(project.images["web"], definition={"dockerfile-inline": text})
    found = dockerfile_lint.check_dockerfiles(replace(project, images={"web": image}), source)
    assert [one.place for one in found if one.severity != "ok"] == ["compose.yaml:7"]
