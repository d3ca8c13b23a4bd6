"""What counts for an image and what does not."""

import os
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_folder import ImageFolder

from layerstack.build import inputs
from layerstack.build.inputs import InputReader
from layerstack.dockerfile.context import Context
from layerstack.dockerfile.file_digests import FileDigests
from layerstack.dockerfile.image import Image
from layerstack.errors import UsageError

STAGES = """\
ARG VERSION=1
FROM system AS deps
ARG MODE
COPY package.json ./
RUN --mount=type=bind,source=tools,target=/tools install
FROM deps AS unused
COPY other other
FROM system AS runtime
ENV A=1
COPY --from=deps /x /x
COPY src/ /app/
CMD ["run"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> ImageFolder:
    made = ImageFolder(tmp_path).dockerfile(STAGES)
    for name in ("package.json", "tools/saw", "other/file", "src/main.py", "src/deep/er.py", "readme"):
        made.write(name, f"{name}\n")
    return made.change(target="runtime")


def test_only_what_a_needed_stage_reads_is_part_of_it(folder: ImageFolder) -> None:
    read = {"package.json", "tools", "tools/saw", "src", "src/main.py", "src/deep", "src/deep/er.py"}
    assert folder.paths() == read


def test_the_digest_is_the_same_for_the_same_inputs(folder: ImageFolder, tmp_path: Path) -> None:
    assert folder.digest == folder.digest
    assert msgspec.convert(folder.manifest().to_json(), inputs.Manifest) == folder.manifest()


RELEVANT = {
    "content": lambda f: f.write("src/main.py", "other\n"),
    "mode": lambda f: (f.root / "app/src/main.py").chmod(0o700),
    "new file": lambda f: f.write("src/new.py", ""),
    "new empty folder": lambda f: (f.root / "app/src/new").mkdir(),
    "removed": lambda f: (f.root / "app/src/main.py").unlink(),
    "renamed": lambda f: (f.root / "app/src/main.py").rename(f.root / "app/src/other.py"),
    "link": lambda f: (f.root / "app/src/link").symlink_to("main.py"),
    "extended attribute": lambda f: os.setxattr(f.root / "app/src/main.py", "user.note", b"x"),
    "file of a mount": lambda f: f.write("tools/saw", "sharp\n"),
    "ignored": lambda f: f.write(".dockerignore", "src/main.py\n"),
    "argument": lambda f: f.change(args={"MODE": "fancy"}),
    "default of an argument": lambda f: f.dockerfile(STAGES.replace("ARG MODE", "ARG MODE=x")),
    "command": lambda f: f.dockerfile(STAGES.replace("install", "install -v")),
    "setting": lambda f: f.dockerfile(STAGES.replace("A=1", "A=2")),
    "setting in another place": lambda f: f.dockerfile(STAGES.replace("ENV A=1\n", "").replace("CMD", "ENV A=1\nCMD")),
    "order": lambda f: f.dockerfile(
        STAGES.replace("COPY --from=deps /x /x\nCOPY src/ /app/", "COPY src/ /app/\nCOPY --from=deps /x /x")
    ),
    "command of the image": lambda f: f.dockerfile(STAGES.replace('["run"]', '["walk"]')),
    "another base": lambda f: f.dockerfile(STAGES.replace("system AS runtime", "scratch AS runtime")),
    "the base is another image": lambda f: setattr(f, "ids", {"system": "sha256:two"}),
    "target": lambda f: f.change(target="unused"),
    "label of the definition": lambda f: f.change(definition={"labels": {"a": "b"}}),
    "platform of a stage": lambda f: f.dockerfile(
        STAGES.replace("FROM system AS runtime", "FROM --platform=linux/arm64 system AS runtime")
    ),
    "argument of BuildKit": lambda f: f.change(args={"SOURCE_DATE_EPOCH": "1"}),
    "escape directive": lambda f: f.dockerfile("# escape=`\n" + STAGES),
}
IRRELEVANT = {
    "time": lambda f: os.utime(f.root / "app/src/main.py", (1, 1)),
    "unread file": lambda f: f.write("readme", "other\n"),
    "file of a stage that is not needed": lambda f: f.write("other/file", "other\n"),
    "stage that is not needed": lambda f: f.dockerfile(STAGES.replace("COPY other other", "COPY other another")),
    "comment": lambda f: f.dockerfile(STAGES.replace("COPY src", "# why\n\nCOPY src")),
    "indentation": lambda f: f.dockerfile(STAGES.replace("COPY src/ /app/", "COPY   src/ \\\n      /app/")),
    "case": lambda f: f.dockerfile(STAGES.replace("COPY src", "copy src")),
    "rule that changes no file": lambda f: f.write(".dockerignore", "*.md\n"),
    "argument that nobody declares": lambda f: f.change(args={"OTHER": "1"}),
    "argument of FROM that is not used": lambda f: f.dockerfile(STAGES.replace("VERSION=1", "VERSION=2")),
    "tag": lambda f: f.change(tags=("other:latest",), definition={"tags": ["other:latest"], "output": ["x"]}),
    "secret": lambda f: f.change(definition={"secret": [{"id": "key", "src": "file"}]}),
}


@pytest.mark.parametrize("name", RELEVANT)
def test_what_counts(folder: ImageFolder, name: str) -> None:
    before = folder.digest
    RELEVANT[name](folder)
    assert folder.digest != before


@pytest.mark.parametrize("name", IRRELEVANT)
def test_what_does_not_count(folder: ImageFolder, name: str) -> None:
    before = folder.digest
    IRRELEVANT[name](folder)
    assert folder.digest == before


def test_of_extra_hosts_the_names_count(folder: ImageFolder) -> None:
    one, moved, two = (
        folder.change(definition={"extra-hosts": hosts}).digest
        for hosts in ({"db": "10.0.0.1"}, {"db": "10.0.0.2"}, {"db": "10.0.0.1", "queue": "10.0.0.2"})
    )
    assert one == moved != two


@pytest.mark.parametrize(
    ("instruction", "read"),
    [
        ("COPY a.txt /x", {"a.txt"}),
        ("COPY *.txt /x", {"a.txt", "b.txt"}),
        ("COPY ./d/ /x", {"d", "d/c.txt", "d/e", "d/e/f.txt"}),
        ("COPY /d/e /x", {"d/e", "d/e/f.txt"}),
        ("COPY d/*/f.txt /x", {"d/e/f.txt"}),
        ('COPY ["a.txt", "with blank", "/x"]', {"a.txt", "with blank"}),
        ("COPY --chown=1:1 --chmod=644 a.txt /x", {"a.txt"}),
        ("ADD a.txt b.txt /x/", {"a.txt", "b.txt"}),
        ("COPY <<EOF /x\ntext\nEOF", set()),
        ("RUN --mount=type=bind,source=d/e,target=/e true", {"d/e", "d/e/f.txt"}),
        ("RUN --mount=type=cache,target=/c true", set()),
        ("RUN --mount=type=bind,from=system,target=/c true", set()),
        ("ARG NAME=a\nCOPY ${NAME}.txt /x", {"a.txt"}),
        ("ENV NAME=b\nCOPY $NAME.txt /x", {"b.txt"}),
        ("ENV WHERE=$HOME/d\nCOPY $WHERE /x", "everything"),
        ("COPY $UNKNOWN /x", "everything"),
        ("COPY . /x", "everything"),
        ("COPY link /x", {"link", "d/e", "d/e/f.txt"}),
        ("COPY link/f.txt /x", {"d/e/f.txt"}),
        ("COPY dangling /x", {"dangling"}),
    ],
)
def test_which_files_an_instruction_reads(tmp_path: Path, instruction: str, read: set[str] | str) -> None:
    folder = ImageFolder(tmp_path).dockerfile(f"FROM system\n{instruction}\n")
    for name in ("a.txt", "b.txt", "with blank", "d/c.txt", "d/e/f.txt"):
        folder.write(name, name)
    (tmp_path / "app/link").symlink_to("d/e")
    (tmp_path / "app/dangling").symlink_to("nowhere")
    everything = {path.relative_to(tmp_path / "app").as_posix() for path in (tmp_path / "app").rglob("*")}
    assert folder.paths() == (everything if read == "everything" else read)


def test_a_link_out_of_the_context_ends_at_its_root(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path).dockerfile("FROM system\nCOPY out /x\n")
    folder.write("file", "x")
    (tmp_path / "app/out").symlink_to("../../../file")
    assert folder.paths() == {"out", "file"}


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path).dockerfile("FROM system\nCOPY a/b /x\n")
    (tmp_path / "app/a").symlink_to("c")
    (tmp_path / "app/c").symlink_to("a")
    assert folder.paths() == set()


def test_named_contexts_are_folders_images_and_targets(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/file").write_text("shared")
    base = Image("base", "base")
    (tmp_path / "base").mkdir()
    (tmp_path / "base/Dockerfile").write_text("FROM scratch\nLABEL a=1\n")
    text = "FROM base\nCOPY --from=files file /x\nCOPY --from=tool /y /y\n"
    folder = ImageFolder(tmp_path, others=(base,), ids={"other:1": "sha256:three"}).dockerfile(text)
    folder.change(contexts={"base": "target:base", "files": "shared", "tool": "docker-image://other:1"})
    manifest = folder.manifest()
    assert manifest.files == {"files": {"file": manifest.files["files"]["file"]}}
    assert manifest.parents["tool"] == "sha256:three"
    assert manifest.parents["base"].startswith("sha256:")
    before = manifest.digest
    (tmp_path / "base/Dockerfile").write_text("FROM scratch\nLABEL a=2\n")
    assert folder.digest != before


def test_a_folder_as_base_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/file").write_text("x")
    folder = ImageFolder(tmp_path).dockerfile("FROM rootfs\nRUN true\n").change(contexts={"rootfs": "root"})
    assert folder.paths("rootfs") == {"file"}


def test_a_stage_may_wear_the_name_of_its_image(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path).dockerfile("FROM system AS system\nRUN true\n")
    assert folder.manifest().parents == {"system": "sha256:one"}


def test_automatic_arguments_are_known(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path, ids={}).dockerfile("ARG TARGETARCH\nFROM base-$TARGETARCH\n")
    [parent] = folder.manifest("linux/riscv64").parents
    assert parent.startswith("base-")
    assert not parent.endswith("-")


@pytest.mark.parametrize(
    ("line", "is_volatile"),
    [
        ("ADD https://example.invalid/file /x", True),
        ("ADD --checksum=sha256:0 https://example.invalid/file /x", False),
        ("ADD https://example.invalid/code.git#main /x", True),
        (f"ADD https://example.invalid/code.git#{'0' * 40} /x", False),
        ("COPY . /x", False),
    ],
)
def test_downloads_that_may_change(tmp_path: Path, line: str, is_volatile: bool) -> None:
    folder = ImageFolder(tmp_path).dockerfile(f"FROM system\n{line}\n")
    assert bool(folder.manifest().volatile) is is_volatile


def test_secrets_are_kept_as_digests_only(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path).dockerfile("FROM system\nARG API_TOKEN\nRUN true\n")
    first = folder.change(args={"API_TOKEN": "hunter2"}).manifest()
    assert "hunter2" not in str(first.to_json())
    assert folder.change(args={"API_TOKEN": "hunter3"}).digest != first.digest


def test_names_of_every_kind_are_read(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path).dockerfile("FROM system\nCOPY names /x\n")
    for name in (b"with blank", b"line\nbreak", b"not \xff utf-8", "ü:€".encode()):
        folder.write(f"names/{os.fsdecode(name)}", "")
    assert len(folder.paths()) == 5
    assert msgspec.convert(folder.manifest().to_json(), inputs.Manifest).digest == folder.digest


def test_a_stage_that_is_not_there_is_named_with_the_others(folder: ImageFolder) -> None:
    with pytest.raises(UsageError, match=r"no stage `nope`.*\n.*deps, unused, runtime"):
        folder.change(target="nope").manifest()


def test_what_cannot_be_read_is_named(folder: ImageFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def refuse(path: os.PathLike[str]) -> object:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UsageError, match=r"src/deep.*Permission denied"):
        folder.manifest()


def test_a_file_that_cannot_be_read_is_named(folder: ImageFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("layerstack.dockerfile.file_digests._sha256", refuse)
    with pytest.raises(UsageError, match=r"package.json.*Permission denied"):
        folder.manifest()


def test_a_context_that_is_no_folder_is_named(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path).change(context="gone", definition={"dockerfile-inline": "FROM system\nCOPY . .\n"})
    with pytest.raises(UsageError, match=r"context of app is not a folder.*gone"):
        folder.manifest()


def test_known_digests_are_used_and_changes_are_seen(folder: ImageFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerstack.dockerfile.file_digests.SETTLED_NS", -(10**18))
    first = FileDigests()
    before = InputReader(folder.project, "", first).read(folder.image, folder.ids).digest
    kept = FileDigests(first.kept())
    folder.write("src/main.py", "another content\n")
    assert InputReader(folder.project, "", kept).read(folder.image, folder.ids).digest != before
    assert kept.is_changed


def test_a_file_changed_a_moment_ago_is_read_again(folder: ImageFolder) -> None:
    digests = FileDigests()
    InputReader(folder.project, "", digests).read(folder.image, folder.ids)
    assert digests.kept() == {}


@pytest.mark.parametrize(("name", "is_doubtful"), [("src/main.py", True), ("readme", False)])
def test_a_file_that_is_saved_while_the_image_is_built_may_not_be_the_one_that_is_in_it(
    folder: ImageFolder, name: str, is_doubtful: bool
) -> None:
    before, reader = folder.manifest().unknown, InputReader(folder.project, "", FileDigests())
    time.sleep(0.02)  # the clock of a file system is coarser than that of Python
    folder.write(name, "another content\n")
    assert (reader.read(folder.image, folder.ids).unknown != before) is is_doubtful
    assert folder.manifest().unknown == before


def test_a_reading_that_begins_after_its_build_counts_from_the_build_on(folder: ImageFolder) -> None:
    before, began_ns = folder.manifest().unknown, time.time_ns()
    time.sleep(0.02)
    folder.write("src/main.py", "another content\n")
    time.sleep(0.02)
    assert InputReader(folder.project, "", FileDigests()).read(folder.image, folder.ids).unknown == before
    assert InputReader(folder.project, "", FileDigests(), began_ns).read(folder.image, folder.ids).unknown != before


def test_a_file_that_is_saved_between_the_walk_and_its_reading_is_doubtful_and_not_remembered(
    folder: ImageFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layerstack.dockerfile.file_digests.SETTLED_NS", -(10**18))
    digests, path = FileDigests(), folder.root / "app/src/main.py"
    entry = next(one for one in Context(folder.root / "app").walk() if one.path == "src/main.py")
    time.sleep(0.02)
    path.write_text("another content\n")
    digests.of(path, entry)
    assert (digests.saved, digests.kept()) == ({str(path)}, {})


WORDS = st.sampled_from(["src", "src/main.py", "*.py", "deep", "package.json", "**/er.py", "!src", "tools", "#c"])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_random_edit_and_its_reverse(folder: ImageFolder, data: st.DataObject) -> None:
    """The digest tells two states apart exactly when the manifest of one differs, and an undone edit is no edit."""
    name = data.draw(st.sampled_from(["src/main.py", "src/deep/er.py", "package.json", "tools/saw", "readme"]))
    path = folder.root / "app" / name
    before, text, mode = folder.digest, path.read_text(), path.stat().st_mode
    other = data.draw(st.text("ab\n", max_size=3))
    other_mode = data.draw(st.sampled_from([0o644, 0o755, 0o600]))
    rules = data.draw(st.lists(WORDS, max_size=2))
    path.write_text(other)
    path.chmod(other_mode)
    folder.write(".dockerignore", "\n".join(rules))
    is_same = (other, other_mode) == (text, mode & 0o777) or name == "readme"
    effective = [rule for rule in rules if rule != "#c"]
    if not effective:
        assert (folder.digest == before) is is_same
    path.write_text(text)
    path.chmod(mode)
    (folder.root / "app/.dockerignore").unlink()
    assert folder.digest == before
