"""Causes from two manifests and the executed steps, without an engine; the real one is asked in tests/docker."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from image_folder import ImageFolder

from layerstack.build import file_diff
from layerstack.build.buildlog import Step
from layerstack.build.cause import ImageCauses
from layerstack.build.inputs import Manifest
from layerstack.build.record import Cause, root_causes
from layerstack.dockerfile.image import Image

TEXT = """\
FROM system AS deps
ARG MODE=plain
COPY package.json ./
RUN install
FROM deps AS runtime
ENV A=1
COPY src src
RUN compile
"""
PACKAGE, INSTALL, SRC, COMPILE = 3, 4, 7, 8
STAGES = {2: "deps", PACKAGE: "deps", INSTALL: "deps", 6: "runtime", SRC: "runtime", COMPILE: "runtime"}


@pytest.fixture
def folder(tmp_path: Path) -> ImageFolder:
    made = ImageFolder(tmp_path).dockerfile(TEXT)
    made.write("package.json", "{}")
    made.write("src/main.py", "main")
    made.write("src/other.py", "other")
    return made


def step(line: int, stage: str = "") -> Step:
    place = f"app/Dockerfile:{line}"
    return Step("app", stage or STAGES[line], 2, 9, f"line {line}", False, 0.1, place=place)


def causes_of(old: Manifest | None, new: Manifest, lines: Sequence[int], **known: object) -> dict[int, Cause]:
    steps = [step(line) for line in lines]
    causes = ImageCauses(new, old, steps, known.pop("parent_causes", {}), **known)  # type: ignore[arg-type]
    return {line: causes.of(one) for line, one in zip(lines, steps, strict=True)}


Edit = Callable[[ImageFolder], object]
# edit, executed lines, expected kind a line
TABLE: dict[str, tuple[Edit, dict[int, str]]] = {
    "content": (lambda f: f.write("src/main.py", "new"), {SRC: "file-content", COMPILE: "parent-step"}),
    "chain over stages": (
        lambda f: f.write("package.json", "[]"),
        {PACKAGE: "file-content", INSTALL: "parent-step", SRC: "parent-step", COMPILE: "parent-step"},
    ),
    "argument": (lambda f: f.change(args={"MODE": "x"}), {INSTALL: "build-arg", SRC: "parent-step"}),
    "argument reaches a stage above": (lambda f: f.change(args={"MODE": "x"}), {COMPILE: "build-arg"}),
    "setting": (lambda f: f.dockerfile(TEXT.replace("A=1", "A=2")), {COMPILE: "instruction"}),
    "nothing": (lambda f: None, {INSTALL: "cache-evicted", SRC: "parent-step"}),
    "unknown step": (lambda f: None, {99: "unknown"}),
    "the base is another image": (
        lambda f: setattr(f, "ids", {"system": "sha256:two"}),
        {PACKAGE: "parent-image", INSTALL: "parent-step"},
    ),
    "a text that BuildKit knew": (
        lambda f: f.dockerfile(TEXT.replace("RUN install", "RUN install -v")),
        {SRC: "parent-step"},
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_kind(folder: ImageFolder, name: str) -> None:
    edit, expected = TABLE[name]
    old = folder.manifest()
    edit(folder)
    STAGES.setdefault(99, "runtime")
    found = causes_of(old, folder.manifest(), list(expected))
    assert {line: cause.kind for line, cause in found.items()} == expected


def test_steps_that_an_image_brings_share_a_line_and_are_told_apart_by_their_text(folder: ImageFolder) -> None:
    folder.others = (Image("low", "low"),)
    folder.change(contexts={"low": "target:low"}).dockerfile("FROM low AS top\n")
    folder.write("../low/Dockerfile", "FROM system\nONBUILD COPY <<E /doc\nhello\nE\nONBUILD COPY src /s\n")
    old = folder.manifest()
    folder.write("src/main.py", "new")
    texts = ("COPY <<E /doc", "COPY src /s")
    steps = [
        Step("app", "top", number, 2, f"ONBUILD {text}", False, 0.1, place="app/Dockerfile:1")
        for number, text in enumerate(texts, 1)
    ]
    causes = ImageCauses(folder.manifest(), old, steps[1:], {})
    assert causes.of(steps[1]).kind == "file-content"


@pytest.mark.parametrize(
    "reading", ["COPY --from=deps /a /b", "RUN --mount=from=deps,target=/d make", "COPY --from=copied /b /c"]
)
def test_a_change_that_the_builder_knew_in_another_stage_is_named(folder: ImageFolder, reading: str) -> None:
    copied = "FROM system AS copied\nCOPY --from=deps /a /b\n"
    folder.dockerfile(f"FROM system AS deps\nCOPY package.json /a\n{copied}FROM system AS runtime\n{reading}\n")
    old = folder.manifest()
    folder.write("package.json", "[]")
    assert causes_of(old, folder.manifest(), [6]) == {
        6: Cause("parent-step", "COPY package.json /a (file-content: package.json changed)")
    }


def test_a_chain_names_where_it_began(folder: ImageFolder) -> None:
    old = folder.manifest()
    folder.write("package.json", "[]")
    found = causes_of(old, folder.manifest(), [PACKAGE, INSTALL, SRC, COMPILE])
    assert {found[line].detail for line in (INSTALL, SRC, COMPILE)} == {
        "COPY package.json ./ (file-content: package.json changed)"
    }
    assert root_causes(found.values()) == [found[PACKAGE]]


def test_arguments_that_share_a_line_are_named_one_by_one(folder: ImageFolder) -> None:
    folder.dockerfile(TEXT.replace("ARG MODE=plain", "ARG OTHER=1 MODE=plain EMPTY"))
    old = folder.manifest()
    found = causes_of(old, folder.change(args={"MODE": "x"}).manifest(), [INSTALL])
    assert found[INSTALL] == Cause("build-arg", "MODE: plain → x")


def test_a_step_above_is_named_without_its_mounts(folder: ImageFolder) -> None:
    folder.dockerfile("FROM system AS deps\nRUN --mount=type=bind,source=src,target=/s one\nRUN two\n")
    old = folder.manifest()
    folder.write("src/main.py", "new")
    found = causes_of(old, folder.manifest(), [2, 3])
    assert found[3] == Cause("parent-step", "RUN one (file-content: src/main.py changed)")


def test_a_parent_of_the_project_is_named_with_its_own_cause(folder: ImageFolder) -> None:
    manifest = folder.manifest()
    found = causes_of(manifest, manifest, [PACKAGE], parent_causes={"system": "file-content: list changed"})
    assert found[PACKAGE] == Cause("parent-image", "system was rebuilt (file-content: list changed)")


def test_first_forced_and_doubtful_builds(folder: ImageFolder) -> None:
    manifest = folder.manifest()
    assert causes_of(None, manifest, [SRC])[SRC].kind == "first-build"
    assert causes_of(None, manifest, [SRC], doubt="no record")[SRC] == Cause("unknown", "no record")
    assert causes_of(manifest, manifest, [SRC], is_forced=True)[SRC].kind == "forced"
    assert causes_of(manifest, manifest, [SRC], doubt="built by hand")[SRC] == Cause("unknown", "built by hand")
    old = manifest
    folder.write("src/main.py", "new")
    cause = causes_of(old, folder.manifest(), [SRC], doubt="something else built it")[SRC]
    assert cause.kind == "file-content"
    assert "something else built it" in cause.detail


def test_secrets_are_masked_wherever_they_stand(folder: ImageFolder) -> None:
    folder.dockerfile(TEXT.replace("A=1", "A=1 MY_TOKEN=hunter1"))
    old = folder.manifest()
    folder.dockerfile(TEXT.replace("A=1", "A=1 MY_TOKEN=hunter2"))
    detail = causes_of(old, folder.manifest(), [COMPILE])[COMPILE].detail
    assert "hunter" not in detail
    assert "MY_TOKEN=***" in detail


def test_labels_alone_are_named_without_a_step(folder: ImageFolder) -> None:
    old = folder.manifest()
    folder.dockerfile(TEXT + 'CMD ["run"]\n')
    cause = ImageCauses(folder.manifest(), old, [], {}).of_description()
    assert cause is not None
    assert 'CMD ["run"]' in cause.detail


def test_what_only_the_definition_says_is_named(folder: ImageFolder) -> None:
    folder.change(definition={"labels": {"one": "1", "two": "2"}, "shm-size": "64m"})
    old = folder.manifest()
    folder.change(definition={"labels": {"one": "1", "two": "3"}, "shm-size": "64m"})
    cause = ImageCauses(folder.manifest(), old, [], {}).of_description()
    assert cause == Cause("instruction", "the definition of app: labels.two: 2 → 3")
    assert causes_of(old, folder.manifest(), [INSTALL])[INSTALL].kind == "cache-evicted"
    folder.change(definition={"labels": {"one": "1", "two": "2"}, "shm-size": "65m"})
    found = causes_of(old, folder.manifest(), [INSTALL])[INSTALL]
    assert found == Cause("instruction", "the definition of app: shm-size: 64m → 65m")


def test_what_the_definition_never_caches_is_forced(folder: ImageFolder) -> None:
    manifest = folder.change(definition={"no-cache": True}).manifest()
    found = causes_of(manifest, manifest, [PACKAGE, INSTALL])
    assert (found[PACKAGE].kind, found[INSTALL].kind) == ("forced", "parent-step")


FILES = {"a": "0644 x", "b": "0644 y", "c": "0644 z", "d": "0755 dir"}


@pytest.mark.parametrize(
    ("new", "kinds", "words"),
    [
        ({**FILES, "a": "0644 w"}, ["file-content"], "a changed"),
        ({**FILES, "a": "0755 x"}, ["file-mode"], "a 0644 → 0755"),
        ({**FILES, "a": "0755 w"}, ["file-content", "file-mode"], "a changed"),
        ({**FILES, "e": "0644 new"}, ["file-added"], "e added"),
        ({key: FILES[key] for key in "acd"}, ["file-removed"], "b removed"),
        ({"e" if key == "b" else key: value for key, value in FILES.items()}, ["file-added"], "b renamed to e"),
        ({**FILES, "e": "0755 dir"}, ["file-added"], "e added"),
        ({**FILES, **{f"n{i}": str(i) for i in range(9)}}, ["file-added"], "n0, n1, n2 and 6 more added"),
        ({**FILES, "x\ny": "0644 q"}, ["file-added"], "x\\ny added"),
        ({**FILES, "\udcff": "0644 q"}, ["file-added"], "\\udcff added"),
        (FILES, [], ""),
    ],
)
def test_changes_of_files(new: dict[str, str], kinds: list[str], words: str) -> None:
    found = file_diff.compare(FILES, new, {}, {})
    assert [change.kind for change in found] == kinds
    assert words in "; ".join(change.detail for change in found)
    "".join(change.detail for change in found).encode()


def test_rules_explain_only_what_they_let_in_or_keep_out() -> None:
    old, new = {"a": "0644 x", "b": "0644 y"}, {"a": "0644 x", "c.tmp": "0644 z", "d": "0644 q"}
    found = file_diff.compare(old, new, {"": "*.tmp\n"}, {"": "b\n"})
    assert [change.kind for change in found] == ["file-added", "ignore-rules"]
    assert found[1].detail == ".dockerignore now lets in c.tmp and keeps out b"


def test_thousands_of_renamed_files_are_compared_at_once() -> None:
    old = {f"old/{number}": f"0644 {number}" for number in range(20_000)}
    new = {path.replace("old", "new"): identity for path, identity in old.items()}
    [change] = file_diff.compare(old, new, {}, {})
    assert change.detail.endswith("and 19997 more")


def test_a_download_that_ran_again_may_hold_another_content(folder: ImageFolder) -> None:
    folder.dockerfile("FROM system\nADD https://example.invalid/file /file\nRUN unpack /file\n")
    manifest = folder.manifest()
    steps = [step(2, "stage-0"), step(3, "stage-0")]
    causes = ImageCauses(manifest, manifest, steps, {})
    download, unpack = (causes.of(one) for one in steps)
    assert download.kind == "remote-content"
    assert "example.invalid" in download.detail
    assert unpack.kind == "parent-step"


REPOSITORY = "https://me:token@example.invalid/side.git#main"


@pytest.mark.parametrize("lines", [(3,), (4,)])
def test_a_step_that_reads_a_context_from_elsewhere(folder: ImageFolder, lines: tuple[int]) -> None:
    folder.dockerfile(
        "FROM system\nCOPY package.json /\nCOPY --from=side f /f\nRUN --mount=from=side,target=/s ls /s\n"
    )
    manifest = folder.change(contexts={"side": REPOSITORY}).manifest()
    [cause] = (ImageCauses(manifest, manifest, [step(line, "stage-0")], {}).of(step(line, "stage-0")) for line in lines)
    assert cause.kind == "remote-content"
    assert "side" in cause.detail


def test_what_follows_a_folder_in_from_runs_in_every_build(folder: ImageFolder) -> None:
    folder.change(contexts={"files": "."}).dockerfile("FROM files AS low\nFROM low\nCOPY package.json /\n")
    manifest = folder.manifest()
    cause = ImageCauses(manifest, manifest, [step(3, "stage-1")], {}).of(step(3, "stage-1"))
    assert cause.kind == "forced"
    assert "files" in cause.detail


def test_a_build_context_from_elsewhere(folder: ImageFolder) -> None:
    manifest = folder.change(context=REPOSITORY).manifest()
    cause = ImageCauses(manifest, manifest, [step(2, "stage-0")], {}).of(step(2, "stage-0"))
    assert cause.kind == "remote-content"
    assert "token" not in cause.detail


def test_a_change_that_ran_nothing_is_named_all_the_same(folder: ImageFolder) -> None:
    """BuildKit had the result of the file as it is now: it was so before."""
    old = folder.manifest()
    folder.write("src/main.py", "as it was the time before last")
    cause = ImageCauses(folder.manifest(), old, [], {}).of_cached()
    assert cause
    assert (cause.kind, "src/main.py" in cause.detail) == ("file-content", True)
    assert ImageCauses(old, old, [], {}).of_cached() is None


LONG = "RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("RUN a", "RUN b", "RUN a → RUN b"),
        (f"{LONG} curl git", f"{LONG} curl jq git", "RUN … curl … → RUN … curl jq …"),
        (f"{LONG} curl git", f"{LONG} wget git", "RUN … ca-certificates curl … → RUN … ca-certificates wget …"),
        (f"{LONG} git", f"{LONG} git; make", "RUN … ca-certificates git → RUN … ca-certificates git; make"),
        (f"{LONG} A_TOKEN=one x", f"{LONG} A_TOKEN=two y", "RUN … A_TOKEN=*** x → RUN … A_TOKEN=*** y"),
    ],
)
def test_of_a_long_instruction_that_is_shown_in_which_it_differs(
    folder: ImageFolder, old: str, new: str, expected: str
) -> None:
    before = folder.dockerfile(f"FROM system\n{old}\n").manifest()
    found = causes_of(before, folder.dockerfile(f"FROM system\n{new}\n").manifest(), [2])
    assert found[2].detail.endswith(f": {expected}")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('VOLUME ["/v  1"]', 'VOLUME ["/v 1"]'),
        ("CMD echo  a", "CMD echo a"),
        ("LABEL a=b PASSWORD=one", "LABEL a=b PASSWORD=two"),
        (f"LABEL a={'x' * 90}1", f"LABEL a={'x' * 90}2"),
    ],
)
def test_two_sides_that_look_the_same_are_shown_once(folder: ImageFolder, old: str, new: str) -> None:
    before = folder.dockerfile(f"FROM scratch\nCOPY a /a\n{old}\n").manifest()
    after = folder.dockerfile(f"FROM scratch\nCOPY a /a\n{new}\n").manifest()
    cause = ImageCauses(after, before, (), {}).of_description()
    assert cause
    assert cause.kind == "instruction"
    assert "→" not in cause.detail
