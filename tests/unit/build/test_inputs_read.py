"""What of a Dockerfile and its contexts BuildKit looks at: a change of each must change the digest, and no other."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from image_folder import ImageFolder

from layerstack.build.inputs import InputReader, Manifest
from layerstack.dockerfile.file_digests import FileDigests
from layerstack.dockerfile.image import Image, read_image

RUN = "FROM system\n"
# Dockerfile, and a file of the context whose content it reads.
READS = {
    "escaped blank": ("FROM scratch\nENV D=a\\ b E=1\nCOPY $D /x/\n", "a b/f"),
    "mixed quotes": ('FROM scratch\nENV D=s"r"c\nCOPY $D /x/\n', "src/a"),
    "all values of one ENV are filled in first": ("FROM scratch\nENV D=src\nENV D=no E=$D\nCOPY $E /x/\n", "src/a"),
    "single quotes keep a dollar": ("FROM scratch\nENV D='$E'\nCOPY $D /x/\n", "$E"),
    "nested default": ("FROM scratch\nARG A=src\nARG B\nCOPY ${A:-${B}} /x/\n", "src/a"),
    "nested default in FROM": ("ARG A=one\nARG B\nFROM scratch AS one\nCOPY a /a\nFROM ${A:-${B}}\nCOPY c /c\n", "a"),
    "cut value": ("FROM scratch\nARG A=xsrc\nCOPY ${A#x} /x/\n", "src/a"),
    "argument of the top": ("ARG A=src\nFROM scratch\nARG A\nCOPY $A /x/\n", "src/a"),
    "variable of a stage": ("FROM scratch AS one\nENV D=src\nFROM one\nCOPY $D /x/\n", "src/a"),
    "quotes in --from": ('FROM scratch AS build\nCOPY a /a\nFROM scratch\nCOPY --from="build" /a /b\n', "a"),
    "quotes in FROM": ('FROM scratch AS build\nCOPY a /a\nFROM "build"\nCOPY c /c\n', "a"),
    "a stage by its number": ("FROM scratch\nCOPY a /a\nFROM scratch\nCOPY --from=0 /a /b\n", "a"),
    "a stage of the same name": ("FROM scratch AS x\nCOPY a /a\nFROM x AS x\nCOPY c /c\n", "a"),
    "heredoc in quotes": (f'{RUN}RUN echo "use <<EOF here"\nCOPY a /a\nRUN <<EOF\necho hi > /q\nEOF\n', "a"),
    "heredoc with FROM": (f"{RUN}RUN cat << 'EOF' > /app.py\nfrom flask import Flask\nEOF\nCOPY a /a\n", "a"),
    "heredoc called like an option": (f"{RUN}RUN cat << -E\nFROM nothing\n-E\nCOPY a /a\n", "a"),
    "mount in upper case": (f"{RUN}RUN --mount=type=BIND,Target=/m,SRC=a true\n", "a"),
    "mount without a type": (f"{RUN}RUN --mount=target=/m,source=src true\n", "src/a"),
    "mount in quotes": (f'{RUN}RUN --mount="type=bind,target=/m" true\n', "c"),
    "mount with quoted fields": (f"{RUN}RUN --mount='type=bind,\"source=a b\",target=/m' true\n", "a b/f"),
    "trigger of a stage": ("FROM scratch AS base\nONBUILD COPY c /c\nFROM base\nCOPY a /a\n", "c"),
    "trigger that reads a stage": (
        "FROM scratch AS tool\nCOPY c /c\nFROM scratch AS base\nONBUILD COPY --from=tool /c /c\nFROM base\nCOPY a /a\n",
        "c",
    ),
    "variable of a trigger": ("FROM scratch AS base\nONBUILD ENV D=src\nFROM base\nCOPY $D /x/\n", "src/a"),
    "--exclude of others": ("FROM scratch\nCOPY --exclude=*.md src /x/\n", "src/a"),
    "--exclude above a link": ("FROM scratch\nCOPY --exclude=*.md ldir /x/\n", "src/n.md"),
    "--exclude beside a link": ("FROM scratch\nCOPY --exclude=**/*.md . /x/\n", "src/n.md"),
    "another escape": ("# escape=`\nFROM scratch\nCOPY `\n  a /a\n", "a"),
    "--exclude from the root": ("FROM scratch\nCOPY --exclude=/a . /x/\n", "a"),
    "brackets before a destination": ('FROM scratch\nCOPY ["a"] c /x/\n', "c"),
    "everything where a variable is unknown": (f"{RUN}COPY $HOME /x/\n", "src/a"),
}
READS_NOT = {
    "--exclude": ("FROM scratch\nCOPY --exclude=*.md src /x/\n", "src/n.md"),
    "--exclude of a link": ("FROM scratch\nCOPY --exclude=**/*.md --exclude=ldir . /x/\n", "src/n.md"),
    "trigger of an own stage": ("FROM scratch\nONBUILD COPY c /c\nCOPY a /a\n", "c"),
    "trigger of a stage two below": (
        "FROM scratch AS x\nONBUILD COPY c /c\nFROM scratch AS y\nCOPY a /a\nFROM y\n",
        "c",
    ),
    "nested default": ("FROM scratch\nARG A=src\nARG B=c\nCOPY ${A:-${B}} /x/\n", "c"),
    "heredoc body": (f"{RUN}RUN <<EOF\nCOPY c /c\nEOF\n", "c"),
}
# Dockerfile → one that BuildKit builds anew, or not.
TEXTS = {
    "blanks in a JSON list": ('COPY ["a","/x  y"]\n', 'COPY ["a","/x y"]\n', True),
    "blanks in a folder": ("WORKDIR /x  y\n", "WORKDIR /x y\n", True),
    "blanks in a volume": ('VOLUME ["/x  y"]\n', 'VOLUME ["/x y"]\n', True),
    "blanks in a shell": ('SHELL ["a", "b  c"]\n', 'SHELL ["a", "b c"]\n', True),
    "words behind a JSON list": ('CMD ["a"] --port 1\n', 'CMD ["a"] --port 2\n', True),
    "words behind a JSON list of RUN": ('RUN --network=none ["a"] 1\n', 'RUN --network=none ["a"] 2\n', True),
    "words behind a JSON list of a probe": (
        'HEALTHCHECK --interval=5s CMD ["a"] 1\n',
        'HEALTHCHECK --interval=5s CMD ["a"] 2\n',
        True,
    ),
    "blank before a shifted word of an argument": ('ARG X="a << b"\n', 'ARG X="a <<b"\n', True),
    "blank before a shifted word further down": ('ENV A=1 \\\n X="a << b"\n', 'ENV A=1 \\\n X="a <<b"\n', True),
    "heredoc after a lone backslash": ("\\\n\nRUN cat << E\nx\nE\n", "\\\n\nRUN cat << E\ny\nE\n", True),
    "words behind quotes and a JSON list": (
        'COPY --chown="0: 0" ["a", "b"] c /x/\n',
        'COPY --chown="0: 0" ["a", "b"] a /x/\n',
        True,
    ),
    "heredoc after a comment": ("RUN cat \\\n# RUN\n << E\nx\nE\n", "RUN cat \\\n# RUN\n << E\ny\nE\n", True),
    "blanks in a command": ("RUN echo a  b\n", "RUN echo a b\n", True),
    "comment in a heredoc": ("RUN cat << 'E' > /s\n# one\n\nx\nE\n", "RUN cat << 'E' > /s\n# two\n\nx\nE\n", True),
    "blank before a heredoc": ("RUN cat << E\nx\nE\n", "RUN cat <<E\nx\nE\n", True),
    "line end in a heredoc": ("RUN <<E\nx\nE\n", "RUN <<E\nx\r\nE\n", True),
    "last empty line of a heredoc": ("RUN <<E\n\nE\n", "RUN <<E\nE\n", True),
    "heredoc of a trigger": ("ONBUILD RUN <<E\nx\nE\n", "ONBUILD RUN <<E\ny\nE\n", True),
    "comment between": ("COPY a /a\nRUN true\n", "COPY a /a\n# why\n\nRUN true\n", False),
    "blanks between the items of a JSON list": ('COPY ["a",  "/x"]\n', 'COPY ["a","/x"]\n', False),
    "blanks between words": ("COPY a   /a\n", "COPY a /a\n", False),
    "comment in a continuation": ("RUN a \\\n  b\n", "RUN a \\\n# why\n  b\n", False),
}


@pytest.fixture
def folder(tmp_path: Path) -> ImageFolder:
    made = ImageFolder(tmp_path)
    for name in ("a", "c", "src/a", "src/n.md", "a b/f", "$E"):
        made.write(name, name)
    (tmp_path / "app" / "ldir").symlink_to("src")
    return made


def is_noticed(folder: ImageFolder, name: str) -> bool:
    before = folder.digest
    folder.write(name, "changed")
    return folder.digest != before


@pytest.mark.parametrize("name", READS)
def test_files_that_are_read(folder: ImageFolder, name: str) -> None:
    text, path = READS[name]
    assert is_noticed(folder.dockerfile(text), path)


@pytest.mark.parametrize("name", READS_NOT)
def test_files_that_are_not_read(folder: ImageFolder, name: str) -> None:
    text, path = READS_NOT[name]
    assert not is_noticed(folder.dockerfile(text), path)


@pytest.mark.parametrize("name", TEXTS)
def test_texts(folder: ImageFolder, name: str) -> None:
    before, after, is_other = TEXTS[name]
    first = folder.dockerfile(RUN + before).digest
    (folder.root / "app/Dockerfile").write_bytes((RUN + after).encode())
    assert (folder.digest != first) is is_other


def test_a_context_by_another_spelling_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "named").mkdir()
    (tmp_path / "named/f").write_text("f")
    folder = ImageFolder(tmp_path).dockerfile("FROM docker.io/library/base\nCOPY --from=base:latest f /g\n")
    folder.change(contexts={"base": "named"})
    before = folder.digest
    (tmp_path / "named/f").write_text("changed")
    assert folder.digest != before
    assert any("BuildKit runs what follows in every build" in reason for reason in folder.manifest().unknown)


def test_the_number_of_a_stage_means_one_to_a_copy_only(tmp_path: Path) -> None:
    (tmp_path / "named").mkdir()
    (tmp_path / "named/f").write_text("f")
    text = f"{RUN}COPY a /a\nFROM system\nRUN --mount=from=0,target=/m true\n"
    folder = ImageFolder(tmp_path).dockerfile(text).change(contexts={"0": "named"})
    folder.write("a", "a")
    assert folder.manifest().files.keys() == {"0"}
    folder.dockerfile(text.replace("RUN --mount=from=0,target=/m true", "COPY --from=+0 a /b"))
    assert folder.manifest().files.keys() == {""}


def test_a_context_goes_before_a_stage_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "named").mkdir()
    (tmp_path / "named/f").write_text("f")
    text = "FROM scratch AS Tools\nCOPY a /a\nFROM scratch\nCOPY --from=tools / /\n"
    folder = ImageFolder(tmp_path).dockerfile(text).change(contexts={"tools": "named"})
    folder.write("a", "a")
    assert folder.manifest().files.keys() == {"tools"}


def test_the_platform_of_the_definition_counts(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path).dockerfile("FROM scratch\nARG TARGETARCH\nCOPY bin/$TARGETARCH /b\n")
    for name in ("arm64", "amd64"):
        folder.write(f"bin/{name}", name)
    folder.change(definition={"platforms": ["linux/arm64"]})
    assert folder.paths() == {"bin/arm64"}


def test_an_inline_dockerfile_has_no_ignore_file_of_its_own(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path)
    folder.write("a", "a")
    folder.write("Dockerfile.dockerignore", "*")
    folder.image = read_image("app", {"context": "app", "dockerfile-inline": "FROM scratch\nCOPY a /a\n"})
    assert folder.paths() == {"a"}


def test_an_ignore_file_that_links_out_of_the_context_is_not_read(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path).dockerfile("FROM scratch\nCOPY . /\n")
    (tmp_path / "rules").write_text("a\n")
    folder.write("a", "a")
    (tmp_path / "app/.dockerignore").symlink_to("../rules")
    assert "a" in folder.paths()


def test_a_dockerfile_in_lower_case(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path)
    folder.write("dockerfile", "FROM scratch\nCOPY . /\n")
    folder.write("a", "a")
    folder.write("dockerfile.dockerignore", "a\n")
    assert folder.paths() == {"dockerfile", "dockerfile.dockerignore"}


def test_sockets_are_empty_files_and_nodes_have_their_kind(
    folder: ImageFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.root / "app")  # a socket's path must be short
    before = folder.dockerfile("FROM scratch\nCOPY src /x/\n").digest
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("src/s")
    as_socket = folder.digest
    Path("src/s").unlink()
    os.mkfifo("src/s")
    assert len({before, as_socket, folder.digest}) == 3


def with_config(folder: ImageFolder, config: dict[str, list[str]]) -> Manifest:
    reader = InputReader(folder.project, "", FileDigests())
    reader.use_configs({"system": config})
    return reader.read(folder.image, folder.ids)


def test_what_an_image_from_outside_hands_on(folder: ImageFolder) -> None:
    folder.dockerfile("FROM system\nCOPY $D /x/\n")
    triggers = ["COPY c /c", "COPY <<E /d\nx\nE"]
    manifest = with_config(folder, {"Env": ["D=src"], "OnBuild": triggers})
    assert set(manifest.files[""]) == {"c", "src", "src/a", "src/n.md"}
    assert [line.trigger_of for line in manifest.stages[0].lines] == ["system", "system", ""]
    assert manifest.unknown == ()


def test_a_trigger_may_name_a_further_image(folder: ImageFolder) -> None:
    folder.dockerfile("FROM system\nCOPY a /a\n")
    reader = InputReader(folder.project, "", FileDigests())
    assert reader.external_images([folder.image]) == {"system"}
    reader.use_configs({"system": {"OnBuild": ["COPY --from=docker.io/library/other:1 /x /x"]}})
    assert reader.external_images([folder.image]) == {"system", "other:1"}


def test_what_is_not_known_of_an_image_is_said(folder: ImageFolder) -> None:
    folder.dockerfile("FROM system\nCOPY a /a\n")
    assert folder.manifest().unknown == ("what system passes on (ENV, ONBUILD) is unknown",)


def test_triggers_of_an_image_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base/Dockerfile").write_text("FROM scratch\nENV D=src\nONBUILD COPY $D /srv\nONBUILD RUN true\n")
    folder = ImageFolder(tmp_path, others=(Image("base", "base"),)).dockerfile("FROM lower\nCOPY a /a\n")
    for name in ("a", "src/b", "c"):
        folder.write(name, name)
    folder.change(contexts={"lower": "target:base"})
    assert folder.paths() == {"a", "src", "src/b"}
    names = [str(one) for one in folder.manifest().stages[0].steps]
    assert names == ["ONBUILD COPY $D /srv", "ONBUILD RUN true", "COPY a /a"]


HANDED_ON: dict[str, tuple[str, str]] = {
    "an argument hides a variable, but not from children": ("ENV D=src\nARG D=c\n", "src/b"),
    "a variable after an argument": ("ARG D=c\nENV D=src\n", "src/b"),
    "a variable that takes the value of an argument": ("ARG D=src\nENV D=$D\nARG D=c\n", "src/b"),
    "a name that is a variable": ("ENV N=D\nENV $N=src\n", "src/b"),
    "a variable of a lower stage": ("ENV D=src\nFROM scratch AS no\nFROM one AS two\nARG D=c\n", "src/b"),
}


@pytest.mark.parametrize("name", HANDED_ON)
def test_variables_that_an_image_of_the_project_hands_on(tmp_path: Path, name: str) -> None:
    text, path = HANDED_ON[name]
    (tmp_path / "base").mkdir()
    (tmp_path / "base/Dockerfile").write_text(f"FROM scratch AS one\n{text}")
    folder = ImageFolder(tmp_path, others=(Image("base", "base"),)).dockerfile("FROM lower\nCOPY $D /x\n")
    for one in ("a", "src/b", "c"):
        folder.write(one, one)
    folder.change(contexts={"lower": "target:base"})
    assert folder.paths() == {"src", path}


CHANGES: dict[str, tuple[str, Callable[[Path], None], bool]] = {
    "group may write what is copied": ("COPY a /a", lambda path: path.chmod(0o664), True),
    "group may write what is mounted": ("RUN --mount=target=/m,src=a true", lambda path: path.chmod(0o664), False),
    "what is mounted can be executed": ("RUN --mount=target=/m,src=a true", lambda path: path.chmod(0o755), True),
}


@pytest.mark.parametrize("name", CHANGES)
def test_modes_under_another_umask(folder: ImageFolder, name: str) -> None:
    instruction, change, is_other = CHANGES[name]
    (folder.root / "app/a").chmod(0o644)
    before = folder.dockerfile(f"FROM system\n{instruction}\n").digest
    change(folder.root / "app/a")
    assert (folder.digest != before) is is_other


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("# syntax=docker/dockerfile:1\nFROM scratch\nCOPY a /a\n", "syntax"),
        ("FROM scratch\nCOPY --parents a /a\n", "COPY --parents"),
        ("FROM scratch\nRUN --security=insecure true\n", "RUN --security"),
        ("FROM scratch\nRUN --mount=type=ssh true\n", "type=ssh"),
        ("FROM scratch\nRUN --mount=target=/m,nosuid true\n", "nosuid"),
        ("FROM scratch\nADD https://example.invalid/f /f\n", "example.invalid"),
        ("FROM scratch\nADD git@example.invalid:x.git /f\n", "example.invalid"),
        ("FROM scratch\nNEWS a\nCOPY a /a\n", "NEWS is no known instruction"),
        ("FROM scratch\nONBUILD RUN --device=x true\nCOPY a /a\n", "RUN --device"),
    ],
)
def test_what_is_not_understood_is_said(folder: ImageFolder, text: str, reason: str) -> None:
    assert any(reason in one for one in folder.dockerfile(text).manifest().unknown)


def test_a_remote_address_is_named_without_its_login(folder: ImageFolder) -> None:
    folder.dockerfile("FROM scratch\nARG U=https://me:secret@example.invalid/f\nADD $U /f\n")
    [line] = folder.manifest().stages[0].steps
    assert line.remote == ("https://example.invalid/f",)
    assert not any("secret@" in reason for reason in folder.manifest().unknown)


def test_the_version_of_compose_does_not_count(folder: ImageFolder) -> None:
    folder.dockerfile("FROM scratch\nCOPY a /a\n")
    labels = {"com.docker.compose.project": "x", "com.docker.compose.version": "2.40.3"}
    digests = [
        folder.change(definition={"labels": {**labels, "com.docker.compose.version": version}}).digest
        for version in ("2.40.3", "5.0.0")
    ]
    assert digests[0] == digests[1]
