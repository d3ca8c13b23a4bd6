"""A step of the stream is found in the Dockerfile that declares it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from layerstack.build.buildlog import Step
from layerstack.build.placement import Placement
from layerstack.dockerfile.image import Image

Write = Callable[..., Image]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_one(name: str, text: str, contexts: Mapping[str, str] | None = None, target: str = "") -> Image:
        (tmp_path / name).mkdir(exist_ok=True)
        if text:
            (tmp_path / name / "Dockerfile").write_text(text)
        return Image(name, name, target=target, contexts=contexts or {})

    return write_one


def step(image: str, stage: str, number: int, total: int, instruction: str, on: Step | None = None) -> Step:
    inputs = (on.digest,) if on else ()
    digest = " ".join((image, stage, str(number), instruction, *inputs))
    return Step(image, stage, number, total, instruction, is_cached=False, seconds=1.0, digest=digest, inputs=inputs)


def placed(root: Path, images: list[Image], one: Step) -> tuple[str, str]:
    found = Placement(root, images).place(one)
    return found.image, found.place


BASE = "FROM system\nRUN apt-get install tool\nRUN echo more\n"
APP = "FROM base AS deps\nWORKDIR /app\nCOPY lock .\nRUN install\nFROM deps AS runtime\nCOPY . .\n"
ON_BASE = {"base": "target:base"}


def test_a_step_gets_its_line(tmp_path: Path, write: Write) -> None:
    images = [write("base", BASE), write("app", APP, ON_BASE)]
    assert placed(tmp_path, images, step("app", "deps", 3, 4, "RUN install")) == ("app", "app/Dockerfile:4")
    assert placed(tmp_path, images, step("app", "runtime", 1, 1, "COPY . .")) == ("app", "app/Dockerfile:6")
    assert placed(tmp_path, images, step("base", "", 2, 3, "RUN apt-get install tool")) == ("base", "base/Dockerfile:2")


@pytest.mark.parametrize(
    ("number", "instruction", "owner"),
    [(2, "RUN fetch", "web"), (3, "RUN build 2", "worker"), (3, "RUN build 1", "web")],
)
def test_a_step_below_other_build_arguments_is_no_common_one(
    tmp_path: Path, write: Write, number: int, instruction: str, owner: str
) -> None:
    web = write("app", "FROM system\nRUN fetch\nARG V\nRUN build $V\n")
    images = [
        replace(web, name=name, args={"V": value}) for name, value in (("web", "1"), ("worker", "2"), ("copy", "2"))
    ]
    named = {"web": "web", "worker": "copy"}[owner] if number == 3 else "worker"
    assert placed(tmp_path, images, step(named, "", number, 3, instruction)) == (
        owner,
        f"app/Dockerfile:{number + number // 3}",
    )


@pytest.mark.parametrize("base", ["system", "other"])
def test_a_step_on_another_base_is_no_common_one(tmp_path: Path, write: Write, base: str) -> None:
    web = write("app", "ARG BASE\nFROM $BASE\nRUN build\n")
    images = [replace(web, name=name, args={"BASE": value}) for name, value in (("web", "system"), ("worker", base))]
    owner = "web" if base == "system" else "worker"
    assert placed(tmp_path, images, step("worker", "", 2, 2, "RUN build")) == (owner, "app/Dockerfile:3")


@pytest.mark.parametrize("counts_from", [True, False], ids=["FROM is step 1", "FROM is not counted"])
def test_from_may_or_may_not_be_counted(tmp_path: Path, write: Write, counts_from: bool) -> None:
    number, total = (3, 4) if counts_from else (2, 3)
    images = [write("app", APP, target="deps")]
    assert placed(tmp_path, images, step("app", "deps", number, total, "COPY lock .")) == ("app", "app/Dockerfile:3")


def test_stages_of_one_name_on_an_image_with_onbuild_are_told_apart_by_their_length(
    tmp_path: Path, write: Write
) -> None:
    """BuildKit counts one step more in each: that of the image's ONBUILD, which is not read here."""
    text = (
        "FROM base AS b\nCOPY <<S /s\nx\nS\nCOPY a /a\nFROM base AS b\nCOPY <<S /s\ny\nS\nCOPY --from=0 / /f\nRUN c\n"
    )
    images = [write("base", BASE), write("app", text, ON_BASE)]
    assert placed(tmp_path, images, step("app", "b", 2, 5, "COPY --from=0 / /f")) == ("app", "app/Dockerfile:10")
    assert placed(tmp_path, images, step("app", "b", 2, 4, "COPY a /a")) == ("app", "app/Dockerfile:5")


@pytest.mark.parametrize("prefix", ["app", "web", "base", ""])
def test_a_step_of_the_base_belongs_to_it_whatever_prefix_it_wears(tmp_path: Path, write: Write, prefix: str) -> None:
    images = [write("base", BASE), write("app", APP, ON_BASE), write("web", APP, ON_BASE)]
    shared = step(prefix, "", 3, 3, "RUN echo more")
    assert placed(tmp_path, images, shared) == ("base", "base/Dockerfile:3")


def test_the_same_words_in_two_bases_are_told_apart_by_what_stands_below(tmp_path: Path, write: Write) -> None:
    images = [
        write("one", BASE),
        write("two", BASE),
        write("app", APP, {"base": "target:one"}),
        write("web", APP, {"base": "target:two"}),
    ]
    same = "RUN apt-get install tool"
    assert placed(tmp_path, images, step("app", "", 2, 3, same)) == ("one", "one/Dockerfile:2")
    assert placed(tmp_path, images, step("web", "", 2, 3, same)) == ("two", "two/Dockerfile:2")
    assert placed(tmp_path, images, step("two", "", 2, 3, same)) == ("two", "two/Dockerfile:2")


def test_a_step_behind_onbuild_steps_of_its_image_is_not_taken_for_another_images(tmp_path: Path, write: Write) -> None:
    images = [
        write("base", "FROM system\nONBUILD WORKDIR /w\n"),
        write("app", "FROM base AS s\nCOPY a /a\nCOPY --from=x / /\n", ON_BASE),
        write("web", "FROM system AS s\nRUN one\nRUN two\nCOPY $A /a\n"),
    ]
    assert placed(tmp_path, images, step("app", "s", 4, 4, "COPY --from=x / /")) == ("app", "app/Dockerfile:3")


def test_images_of_one_dockerfile_share_their_steps(tmp_path: Path, write: Write) -> None:
    runtime = write("app", APP + "FROM runtime AS test\nRUN test\n", target="runtime")
    test = Image("app-test", "app", target="test")
    shared, own = step("app-test", "deps", 4, 4, "RUN install"), step("app-test", "test", 2, 2, "RUN test")
    assert placed(tmp_path, [runtime, test], shared) == ("app", "app/Dockerfile:4")
    assert placed(tmp_path, [runtime, test], own) == ("app-test", "app/Dockerfile:8")


def test_variables_heredocs_and_spacing_do_not_hide_a_step(tmp_path: Path, write: Write) -> None:
    text = "FROM a\nARG V=1\nRUN  fetch $V \\\n  && go\nCOPY <<EOF /x\nhello\nEOF\n"
    images = [write("app", text)]
    assert placed(tmp_path, images, step("app", "stage-0", 2, 3, "RUN fetch 1   && go"))[1] == "app/Dockerfile:3"
    assert placed(tmp_path, images, step("app", "stage-0", 3, 3, "COPY <<EOF /x"))[1] == "app/Dockerfile:5"


@pytest.mark.parametrize(
    "unknown",
    [
        step("app", "deps", 4, 4, "RUN something else"),
        step("app", "elsewhere", 4, 4, "RUN install"),
        step("app", "deps", 2, 2, "RUN install"),
    ],
    ids=["other words", "other stage", "other count"],
)
def test_a_step_that_no_dockerfile_declares_keeps_its_image_and_has_no_place(
    tmp_path: Path, write: Write, unknown: Step
) -> None:
    assert placed(tmp_path, [write("app", APP)], unknown) == ("app", "")


SAME = "FROM system AS s\nCOPY {0} /{0}\nRUN make\n"


def test_stages_of_one_name_are_told_apart_by_what_their_steps_stand_on(tmp_path: Path, write: Write) -> None:
    rest = "FROM s AS s\nRUN make\nFROM scratch\nCOPY --from=0 / /\nCOPY --from=1 / /\nCOPY --from=s / /\n"
    image = write("app", SAME.format("a") + SAME.format("b") + rest)
    first, second = step("app", "s", 2, 3, "COPY a /a"), step("app", "s", 2, 3, "COPY b /b")
    made, also_made = step("app", "s", 3, 3, "RUN make", first), step("app", "s", 3, 3, "RUN make", second)
    on_top = step("app", "s", 1, 1, "RUN make", also_made)
    placement = Placement(tmp_path, [image])
    places = [placement.place(one).place for one in (first, second, made, also_made, on_top)]
    assert places == [f"app/Dockerfile:{line}" for line in (2, 5, 3, 6, 8)]


@pytest.mark.parametrize(("number", "line"), [(2, 2), (3, 5), (4, 8)])
def test_heredocs_are_told_apart_by_their_number(tmp_path: Path, write: Write, number: int, line: int) -> None:
    image = write("app", "FROM system\n" + "RUN <<E\nmake\nE\n" * 3)
    assert placed(tmp_path, [image], step("app", "", number, 4, "RUN <<E (make)"))[1] == f"app/Dockerfile:{line}"


def test_a_context_wears_no_number(tmp_path: Path, write: Write) -> None:
    image = write("app", "FROM base\nRUN <<E\nmake\nE\nRUN <<E\nmake\nE\n", {"base": "target:low"})
    assert placed(tmp_path, [image], step("app", "", 1, 3, "RUN <<E (make)"))[1] == "app/Dockerfile:2"
    assert placed(tmp_path, [image], step("app", "", 2, 3, "RUN <<E (make)"))[1] == "app/Dockerfile:5"


def test_from_is_left_alone(tmp_path: Path, write: Write) -> None:
    images = [write("base", BASE), write("app", APP, ON_BASE)]
    from_step = step("app", "deps", 1, 4, "FROM docker.io/library/system:latest")
    assert Placement(tmp_path, images).place(from_step) is from_step


def test_a_missing_or_broken_dockerfile_keeps_what_buildkit_said(tmp_path: Path, write: Write) -> None:
    images = [write("inline", ""), write("broken", "RUN x\n"), write("app", APP)]
    assert placed(tmp_path, images, step("inline", "", 2, 2, "RUN y")) == ("inline", "")
    assert placed(tmp_path, images, step("app", "deps", 4, 4, "RUN install"))[1] == "app/Dockerfile:4"


TRIGGERS = """\
FROM scratch AS low
ONBUILD ENV A=1
ONBUILD COPY <<E /e
text
E
ONBUILD COPY a /a
FROM low AS high
COPY "b" /b
FROM system AS last
COPY --from=high /b /c
"""


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (step("app", "high", 1, 4, "ONBUILD COPY <<E /e"), 3),
        (step("app", "high", 2, 4, "ONBUILD COPY a /a"), 6),
        (step("app", "high", 3, 4, "COPY b /b"), 8),
        (step("app", "last", 2, 3, "ONBUILD RUN from-outside"), 9),
        (step("app", "last", 3, 3, "COPY --from=high /b /c"), 10),
    ],
)
def test_what_an_onbuild_brings_is_found(write: Write, tmp_path: Path, found: Step, line: int) -> None:
    assert placed(tmp_path, [write("app", TRIGGERS)], found) == ("app", f"app/Dockerfile:{line}")
