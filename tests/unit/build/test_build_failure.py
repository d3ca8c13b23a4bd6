"""A failed build: its first line is the file, the line and why."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from layerstack.build import build_failure
from layerstack.build.build_failure import failure
from layerstack.build.buildlog import BuildReport, Step
from layerstack.dockerfile.image import Image
from layerstack.errors import BuildFailed, NoRoom, StackError
from layerstack.project.project import Project
from layerstack.project.settings import ProjectSettings

CHECKSUM = 'failed to calculate checksum of ref abc::def: "/{}": not found'
NO_HOST = "dial tcp: lookup registry-1.docker.io: no such host"


@pytest.fixture(autouse=True)
def no_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        build_failure.engine, "client", lambda: SimpleNamespace(api=SimpleNamespace(images=lambda **_: []))
    )


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    (tmp_path / "my web/src").mkdir(parents=True)
    (tmp_path / "my web/Dockerfile").write_text("FROM base-nod\nRUNN true\n")
    (tmp_path / "my web/.dockerignore").write_text("*\n!src\n# code\nsrc\n")
    images = {"base-node": Image("base-node", "base"), "web": Image("web", "my web", tags=("web:latest",))}
    return Project(tmp_path, "shop", "cpu", (), (), images, {})


def of_step(project: Project, instruction: str, error: str, log: str = "") -> StackError:
    step = Step("web", "", 2, 3, instruction, False, 1.0, error=error, place="my web/Dockerfile:2")
    return failure(BuildReport(False, 1.0, (step,), "", log), project)


def of_message(project: Project, line: int, text: str, said: str) -> StackError:
    message = f"Dockerfile:{line}\n-----\n  {line} | >>> {text}\n-----\nERROR: failed to solve: {said}\n"
    return failure(BuildReport(False, 1.0, (), message), project)


def first_line(error: StackError) -> str:
    return str(error).splitlines()[0]


@pytest.mark.parametrize(
    ("path", "reason", "advice"),
    [
        ("sr", "there is no `sr` in the build context my web", "`src`"),
        ("src", "my web/.dockerignore:4", "`!src`"),
        ("link", "`link` is a link to /etc/hostname", "Copy the file itself"),
    ],
)
def test_a_source_that_is_not_copied(shop: Project, path: str, reason: str, advice: str) -> None:
    (shop.root / "my web/link").symlink_to("/etc/hostname")
    (shop.root / "my web/.dockerignore").write_text("*\n!src\n!link\nsrc\n")
    error = of_step(shop, f"COPY {path} .", CHECKSUM.format(path))
    assert first_line(error).startswith(f"my web/Dockerfile:2: `COPY {path} .` failed: ")
    assert reason in first_line(error)
    assert advice in error.advice


def test_a_folder_that_may_not_be_listed_has_no_near_names(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError("no")

    monkeypatch.setattr(Path, "iterdir", refuse)
    error = of_step(shop, "COPY sr .", CHECKSUM.format("sr"))
    assert "there is no `sr`" in first_line(error)
    assert "Did you mean" not in error.advice


def test_a_source_of_another_stage(shop: Project) -> None:
    assert first_line(of_step(shop, "COPY --from=build /x .", CHECKSUM.format("x"))).endswith("there is no /x in build")


def test_a_failed_program_is_named_with_its_reason(shop: Project) -> None:
    error = of_step(
        shop,
        "RUN --mount=type=cache,target=/x apt-get install curll",
        "exit code: 100",
        "E: Unable to locate package curll",
    )
    assert first_line(error) == "my web/Dockerfile:2: `RUN apt-get install curll` failed: apt knows no package curll"
    assert isinstance(error, BuildFailed)
    assert "curll" in error.said


def test_a_full_disk_is_another_kind(shop: Project) -> None:
    assert isinstance(of_step(shop, "RUN x", "exit code: 1", "write: no space left on device"), NoRoom)


@pytest.mark.parametrize(("word", "meant"), [("RUNN", "RUN"), ("CDM", "CMD"), ("entrypiont", "ENTRYPOINT")])
def test_an_unknown_instruction(shop: Project, word: str, meant: str) -> None:
    (shop.root / "my web/Dockerfile").write_text(f"FROM base-nod\n{word} true\n")
    said = f"dockerfile parse error on line 2: unknown instruction: {word} (did you mean ADD?)"
    error = of_message(shop, 2, f"{word} true", said)
    assert first_line(error) == f"my web/Dockerfile:2: unknown instruction {word}"
    assert error.advice == f"Did you mean {meant}?"


@pytest.mark.parametrize(
    ("name", "said", "reason", "advice"),
    [
        ("base-nod", NO_HOST, "is not on this engine, and no registry answers", "Did you mean base-node?"),
        ("pythn:3.9", "not found", "is in no registry", "Did you mean python:3.9?"),
    ],
)
def test_a_missing_base(shop: Project, name: str, said: str, reason: str, advice: str) -> None:
    text = f"{name}: failed to resolve source metadata for docker.io/library/{name}: {said}"
    error = of_message(shop, 1, "FROM base-nod", text)
    assert first_line(error) == f"my web/Dockerfile:1: the image {name} {reason}"
    assert error.advice == advice
    assert isinstance(error, BuildFailed)
    assert f"failed to resolve source metadata for docker.io/library/{name}" in error.said


def test_a_missing_image_may_be_in_the_teams_registry(shop: Project) -> None:
    team = replace(shop, settings=ProjectSettings(registry="registry.example.com/team"))
    text = f"shell:1: failed to resolve source metadata for docker.io/library/shell:1: {NO_HOST}"
    assert "registry.example.com/team" in of_message(team, 1, "FROM shell:1", text).advice
    assert "registry.example.com" not in of_message(shop, 1, "FROM shell:1", text).advice


def test_what_is_not_understood_is_shown_whole(shop: Project) -> None:
    error = failure(BuildReport(False, 1.0, (), "ERROR: strange\n"), shop)
    assert "strange" in str(error)


def test_a_dockerfile_that_is_not_there(shop: Project) -> None:
    (shop.root / "my web/Dockerfile").rename(shop.root / "my web/Docker.file")
    shop = replace(shop, images={"web": shop.images["web"]})
    said = "ERROR: target web: failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory\n"
    error = failure(BuildReport(False, 1.0, (), said), shop)
    assert first_line(error) == "web has no Dockerfile: there is no my web/Dockerfile."
    assert "`my web/Docker.file`" in error.advice


@pytest.mark.parametrize(
    ("said", "reason", "advice"),
    [
        ("dockerfile parse error on line 1: unknown flag: --parents", "unknown flag --parents", "1-labs"),
        ("dockerfile parse error on line 1: unknown flag: --chwon", "unknown flag --chwon", "--chown"),
        ("base name ($NODE) should not be blank", "FROM $NODE: NODE has no value here", "ARG NODE="),
        (
            "buidler: failed to resolve source metadata for docker.io/library/buidler: x (did you mean builder?)",
            "there is no stage, context or image buidler",
            "Did you mean builder?",
        ),
    ],
)
def test_a_base_that_is_misspelt_or_blank(shop: Project, said: str, reason: str, advice: str) -> None:
    error = of_message(shop, 1, "FROM base-nod", said)
    assert first_line(error) == f"my web/Dockerfile:1: {reason}"
    assert advice in error.advice


@pytest.mark.parametrize(("line", "is_frontend"), [("# syntax=docker/dockerfile:1.4", True), ("FROM lay", False)])
def test_a_frontend_that_cannot_be_had(shop: Project, line: str, is_frontend: bool) -> None:
    (shop.root / "my web/Dockerfile").write_text(f"{line}\n")
    said = f"failed to resolve source metadata for docker.io/docker/dockerfile:1.4: {NO_HOST}"
    error = of_message(shop, 1, line, said)
    frontend = "my web/Dockerfile:1: the frontend docker/dockerfile:1.4 is not on this engine, and no registry answers"
    assert (first_line(error) == frontend) == is_frontend


RECIPE = """ARG HOME_DIR=/opt
FROM base-node AS build
ARG VERSION
ARG LEVEL=1
RUN pip install -r requirement.txt "$VERSION"
COPY --from=build $HOME_DIR/x .
RUN for LEVEL in a; do true; done; python biuld.py
"""


@pytest.mark.parametrize(
    ("line", "error", "log", "reason", "advice"),
    [
        (5, "exit code: 1", "VERSION is required", "VERSION is required: VERSION has no value", "ARG VERSION=VALUE"),
        (6, CHECKSUM.format("x"), "", "$HOME_DIR is empty there", "`ARG HOME_DIR` below my web/Dockerfile:2"),
        (7, "exit code: 2", "python: can't open file 'biuld.py': [Errno 2]", "no biuld.py", "`build.py`"),
        (7, "exit code: 2", "cat: build.py: No such file or directory", "no build.py in the image", "COPY build.py"),
    ],
)
def test_what_only_the_dockerfile_and_the_context_explain(
    shop: Project, line: int, error: str, log: str, reason: str, advice: str
) -> None:
    (shop.root / "my web/Dockerfile").write_text(RECIPE)
    (shop.root / "my web/build.py").write_text("")
    instruction = RECIPE.splitlines()[line - 1]
    step = Step("web", "", 2, 3, instruction, False, 1.0, error=error, place=f"my web/Dockerfile:{line}")
    found = failure(BuildReport(False, 1.0, (step,), "", log), shop)
    assert reason in first_line(found)
    assert advice in found.advice


def test_an_argument_that_has_a_value_is_not_blamed(shop: Project) -> None:
    (shop.root / "my web/Dockerfile").write_text(RECIPE)
    images = {**shop.images, "web": replace(shop.images["web"], args={"VERSION": "2"})}
    step = Step("web", "", 2, 3, "RUN x", False, 1.0, error="exit code: 1", place="my web/Dockerfile:5")
    found = failure(BuildReport(False, 1.0, (step,), "", "no luck"), replace(shop, images=images))
    assert first_line(found).endswith("failed: no luck")
    assert not found.advice


@pytest.mark.parametrize(
    ("log", "is_blamed"),
    [
        ("ERROR: Invalid requirement: 'shop=='", True),
        ("VERSION must be given: error", True),
        ("1 failing\nAssertionError: 1 == 2", False),
    ],
)
def test_an_empty_argument_is_blamed_only_where_the_log_speaks_of_it(shop: Project, log: str, is_blamed: bool) -> None:
    (shop.root / "my web/Dockerfile").write_text("FROM x\nARG VERSION\nRUN pip install shop==$VERSION && npm test\n")
    step = Step("web", "", 2, 3, "RUN x", False, 1.0, error="exit code: 1", place="my web/Dockerfile:3")
    found = failure(BuildReport(False, 1.0, (step,), "", log), shop)
    assert ("ARG VERSION=VALUE" in found.advice) is is_blamed


@pytest.mark.parametrize(
    ("log", "advice"),
    [
        ("cat: build.py: No such file or directory\nAssertionError: 1 == 2", ""),
        ("git@host: Permission denied (publickey).\nfatal: Could not read from remote repository.", ""),
        ("PermissionError: [Errno 13] Permission denied: '/app/x'", "--chown=app"),
    ],
)
def test_what_a_log_complains_of_without_failing_is_no_reason(shop: Project, log: str, advice: str) -> None:
    (shop.root / "my web/Dockerfile").write_text("FROM x\nUSER app\nRUN make\n")
    (shop.root / "my web/build.py").write_text("")
    step = Step("web", "", 2, 3, "RUN make", False, 1.0, error="exit code: 1", place="my web/Dockerfile:3")
    found = failure(BuildReport(False, 1.0, (step,), "", log), shop)
    assert advice in found.advice
    assert bool(advice) is bool(found.advice)


@pytest.mark.parametrize("above", ["RUN useradd app &&", "RUN apt-get install -y", "RUN true \\"])
def test_a_line_that_lacks_its_backslash(shop: Project, above: str) -> None:
    message = f"Dockerfile:12\n-----\n  11 |     {above}\n  12 | >>>     mkdir /data\n-----\nERROR: failed to solve: "
    said = "dockerfile parse error on line 12: unknown instruction: mkdir (did you mean MAINTAINER?)\n"
    found = failure(BuildReport(False, 1.0, (), message + said), shop)
    assert (found.advice == "End line 11 with ` \\`.") is not above.endswith("\\")


def test_a_heredoc_without_its_end(shop: Project) -> None:
    assert "`EOT`" in of_message(shop, 8, "RUN <<EOT", "unterminated heredoc").advice


@pytest.mark.parametrize(
    ("text", "said", "reason", "advice"),
    [
        ("#!/bin/sh\r\necho\r\n", "not found", "Windows line ends", "sed -i"),
        ("#!/bin/bash\necho\n", "not found", "/bin/bash", "install /bin/bash"),
        ("#!/bin/sh\necho\n", "Permission denied", "is not executable", "chmod +x 'my web/prepare.sh'"),
    ],
)
def test_a_script_of_the_context_that_does_not_run(
    shop: Project, text: str, said: str, reason: str, advice: str
) -> None:
    (shop.root / "my web/prepare.sh").write_bytes(text.encode())
    error = of_step(shop, "RUN /prepare.sh", "exit code: 127", f"/bin/sh: 1: /prepare.sh: {said}")
    assert reason in first_line(error)
    assert "my web/prepare.sh" in first_line(error)
    assert advice in error.advice


def test_another_tag_of_the_image_that_the_engine_has(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [{"RepoTags": ["python:2.7", "python:3.9"]}, {"RepoTags": None}]
    api = SimpleNamespace(images=lambda name: found if name == "python" else [])
    monkeypatch.setattr(build_failure.engine, "client", lambda: SimpleNamespace(api=api))
    said = f"python:3.99: failed to resolve source metadata for docker.io/library/python:3.99: {NO_HOST}"
    assert "`python:3.9`" in of_message(shop, 1, "FROM python:3.99", said).advice
