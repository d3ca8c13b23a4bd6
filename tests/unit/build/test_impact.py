"""What a change of a file would rebuild, without an engine: Dockerfiles, contexts and history of a test's own."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from layerstack.build import history
from layerstack.build.impact import Impact, document, find_impact
from layerstack.dockerfile.image import Image
from layerstack.errors import UsageError
from layerstack.project.project import Project

BASE = Image("base", "docker/base", tags=("base:latest",))
WEB = Image("web", "web", tags=("web:latest",), contexts={"base": "target:base", "words": "words"})
FILES = {
    "docker-compose.yml": "",
    "docker/base/Dockerfile": "FROM scratch\nCOPY tools /tools\nRUN install\n",
    "docker/base/tools": "",
    "web/.dockerignore": "# what nobody needs\n*.md\n!README.md\ntests\n",
    "web/Dockerfile": (
        "FROM base AS build\nWORKDIR /app\nCOPY src src\nRUN compile\n"
        "FROM scratch AS runtime\nCOPY --from=words . .\nCOPY --from=build /app/out out\nCOPY *.html ./\n"
    ),
    "web/src/app.js": "",
    "web/index.html": "",
    "words/list": "",
    "elsewhere/file": "",
}


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return of(tmp_path, BASE, WEB)


def of(root: Path, *images: Image) -> Project:
    return Project(root, "shop", "cpu", (root / "docker-compose.yml",), (), {one.name: one for one in images}, {})


def ask(shop: Project, path: str) -> Impact:
    [found] = find_impact(shop, [path])
    return found


def steps(impact: Impact) -> list[tuple[str, str, bool]]:
    return [(image.image, step.step, step.is_certain) for image in impact.images for step in image.steps]


def record(shop: Project, image: str, **seconds: Any) -> None:
    """One build in the history; `seconds` maps a step as BuildKit names it to seconds, None for a cached one."""
    named = [{"step": step, "cached": value is None, "seconds": value or 0.0} for step, value in seconds.items()]
    history.append(shop.root, "build", {"images": [{"image": image, "action": "built", "steps": named}]})


def test_a_step_that_reads_the_file_and_what_follows(shop: Project) -> None:
    assert steps(ask(shop, "web/src/app.js")) == [
        ("web", "build COPY src src", True),
        ("web", "build RUN compile", True),
        ("web", "runtime COPY --from=build /app/out out", False),
        ("web", "runtime COPY *.html ./", False),
    ]


def test_what_follows_says_what_it_follows(shop: Project) -> None:
    [image] = ask(shop, "web/src/app.js").images
    assert [step.why for step in image.steps] == [
        "reads web/src/app.js",
        "after build COPY src src",
        "reads from stage build: stays cached if that part comes out the same",
        "after runtime COPY --from=build /app/out out",
    ]
    assert [step.place for step in image.steps] == [f"web/Dockerfile:{line}" for line in (3, 4, 7, 8)]


def test_a_base_image_takes_along_what_is_built_on_it(shop: Project) -> None:
    found = ask(shop, "docker/base/tools")
    assert steps(found) == [
        ("base", "COPY tools /tools", True),
        ("base", "RUN install", True),
        ("web", "build WORKDIR /app", True),
        ("web", "build COPY src src", True),
        ("web", "build RUN compile", True),
        ("web", "runtime COPY --from=build /app/out out", False),
        ("web", "runtime COPY *.html ./", False),
    ]
    assert found.images[1].steps[0].why == "built on image base"


def test_a_file_of_a_named_context(shop: Project) -> None:
    assert [name for _, name, _ in steps(ask(shop, "words/more"))] == [
        "runtime COPY --from=words . .",
        "runtime COPY --from=build /app/out out",
        "runtime COPY *.html ./",
    ]


@pytest.mark.parametrize("path", ["web/new.html", "web/src/deep/new.js"])
def test_a_file_that_is_not_there_yet_counts_by_pattern(shop: Project, path: str) -> None:
    assert steps(ask(shop, path))
    assert not (shop.root / path).exists()


@pytest.mark.parametrize(("path", "is_certain"), [("web/src/new/x.log", [True]), ("web/src/x.log", [])])
def test_an_ignored_file_may_bring_a_new_folder(shop: Project, path: str, is_certain: list[bool]) -> None:
    (shop.root / "web/.dockerignore").write_text("**/*.log\n")
    assert [certain for _, step, certain in steps(ask(shop, path)) if "src" in step] == is_certain


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("web/notes.md", "ignored by web/.dockerignore:2 (*.md)"),
        ("web/tests/a/b.js", "ignored by web/.dockerignore:4 (tests)"),
        ("web/README.md", "in the build context of web, but no step reads it"),
        ("web/deep/new.html", "in the build context of web, but no step reads it"),
        ("elsewhere/file", "in no build context"),
    ],
)
def test_a_file_that_no_image_holds_has_a_reason(shop: Project, path: str, reason: str) -> None:
    found = ask(shop, path)
    assert (found.images, found.reason) == ((), reason)


def test_rules_that_are_not_in_the_context_keep_nothing_out(shop: Project) -> None:
    ignore = shop.root / "web" / ".dockerignore"
    ignore.rename(shop.root / "rules")
    ignore.symlink_to("../rules")
    (shop.root / "web" / "Dockerfile").write_text("FROM scratch\nCOPY *.md ./\n")
    assert steps(ask(shop, "web/notes.md"))


@pytest.mark.parametrize(
    ("path", "images"),
    [
        ("web/Dockerfile", ["web"]),
        ("docker/base/Dockerfile", ["base", "web"]),
        ("web/.dockerignore", ["web"]),
        ("docker/base/.dockerignore", ["base", "web"]),
        ("web/Dockerfile.dockerignore", ["web"]),
        ("docker-compose.yml", ["base", "web"]),
        (".env", ["base", "web"]),
    ],
)
def test_a_file_that_defines_images_has_an_unknown_effect_on_them(shop: Project, path: str, images: list[str]) -> None:
    found = ask(shop, path)
    assert [image.image for image in found.images if image.unknown] == images
    assert found.seconds_estimate is None


def test_the_values_of_what_is_included_define_images_and_those_of_a_service_do_not(shop: Project) -> None:
    (shop.root / "docker-compose.yml").write_text(
        "include:\n  - path: words/compose.yaml\n    env_file: elsewhere/values.env\n"
        "services: { web: { image: web, env_file: elsewhere/web.env } }\n"
    )
    for path in ("elsewhere/values.env", "words/.env"):
        assert all(image.unknown for image in ask(shop, path).images)
        assert ask(shop, path).images
    assert ask(shop, "elsewhere/web.env").images == ()


def test_a_dockerfile_that_is_copied_is_a_file_too(shop: Project) -> None:
    shop = of(shop.root, Image("all", "web", "Dockerfile", tags=("all",)))
    (shop.root / "web" / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    [image] = ask(shop, "web/Dockerfile").images
    assert [step.step for step in image.steps] == ["COPY . /"]
    assert image.unknown
    assert image.seconds_estimate is None


def test_an_inline_dockerfile_does_not_stand_in_the_folder(shop: Project) -> None:
    image = Image("web", "web", tags=("web",), definition={"dockerfile-inline": "FROM scratch\nCOPY *.html /\n"})
    shop = of(shop.root, image)
    assert ask(shop, "web/Dockerfile").images == ()
    assert [name for _, name, _ in steps(ask(shop, "web/index.html"))] == ["COPY *.html /"]


def test_the_last_known_seconds_are_added_up(shop: Project) -> None:
    record(shop, "web", **{"build 3/4 COPY src src": 9.0, "build 4/4 RUN compile": 30.0})
    record(
        shop,
        "web",
        **{
            "build 3/4 COPY src src": 0.5,
            "build 4/4 RUN compile": None,
            "runtime 2/3 COPY --from=build /app/out out": 0.25,
            "runtime 3/3 COPY *.html ./": 0.25,
        },
    )
    found = ask(shop, "web/src/app.js")
    assert [step.seconds for step in found.images[0].steps] == [0.5, 30.0, 0.25, 0.25]
    assert found.seconds_estimate == 31.0


def test_the_only_stage_wears_no_name_in_the_history(shop: Project) -> None:
    record(shop, "base", **{"1/2 COPY tools /tools": 0.5, "2/2 RUN install": 600.0})
    assert ask(shop, "docker/base/tools").images[0].seconds_estimate == 600.5


@pytest.mark.parametrize(
    ("dockerfile", "recorded"),
    [
        ("FROM scratch AS only\nCOPY src /a\n", "1/1 COPY src /a"),
        ('FROM scratch\nCOPY --chown=1:2 ["src", "/a b"]\n', "1/1 COPY --chown=1:2 [src, /a b]"),
        (
            "FROM scratch AS p\nONBUILD RUN --mount=source=src,target=/s make\nFROM p AS q\nCOPY other /o\n",
            "q 1/2 ONBUILD RUN --mount=source=src,target=/s make",
        ),
    ],
)
def test_seconds_are_found_as_the_builder_writes_a_step(shop: Project, dockerfile: str, recorded: str) -> None:
    (shop.root / "web" / "Dockerfile").write_text(dockerfile)
    record(shop, "web", **{recorded: 7.0})
    assert ask(shop, "web/src/app.js").images[0].steps[0].seconds == 7.0


def test_a_step_that_never_ran_has_no_estimate(shop: Project) -> None:
    record(shop, "web", **{"build 3/4 COPY src src": 0.5, "build 4/4 RUN compile --fast": None})
    found = ask(shop, "web/src/app.js")
    assert [step.seconds for step in found.images[0].steps] == [0.5, None, None, None]
    assert found.seconds_estimate is None


def test_a_step_that_two_images_share_counts_once(shop: Project) -> None:
    (shop.root / "web" / "Dockerfile").write_text("FROM scratch AS one\nCOPY src src\nFROM one AS two\nRUN more\n")
    images = [Image(target, "web", target=target, tags=(target,)) for target in ("one", "two")]
    shop = of(shop.root, *images)
    record(shop, "one", **{"one 1/1 COPY src src": 2.0})
    record(shop, "two", **{"two 1/1 RUN more": 3.0})
    found = ask(shop, "web/src/app.js")
    assert [image.seconds_estimate for image in found.images] == [2.0, 5.0]
    assert found.seconds_estimate == 5.0


@pytest.mark.parametrize("path", ["../outside", "/etc/hosts"])
def test_a_path_outside_is_wrong_usage(shop: Project, path: str) -> None:
    beside = shop.root.parent / "extended.yml"
    assert ask(replace(shop, source_files=(beside,)), "../extended.yml").images
    with pytest.raises(UsageError, match="outside the project"):
        ask(shop, path)


def test_a_context_outside_the_root_belongs_to_the_project(shop: Project) -> None:
    inner = shop.root / "inner"
    inner.mkdir()
    shop = of(inner, Image("web", "../web", tags=("web",), contexts={"base": "target:base", "words": "../words"}), BASE)
    (inner / "docker").symlink_to(shop.root.parent / "docker")
    assert steps(ask(shop, "../web/src/app.js"))


@pytest.mark.parametrize(("paths", "word"), [([], "needs a file"), (["web"], "is a folder")])
def test_no_file_or_a_folder_is_wrong_usage(shop: Project, paths: list[str], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        find_impact(shop, paths)


def test_the_document_of_one_file_holds_its_answer_at_the_top(shop: Project) -> None:
    one = document(find_impact(shop, ["web/index.html"]))
    assert one["path"] == "web/index.html"
    assert [image["image"] for image in one["images"]] == ["web"]
    assert set(one["images"][0]) >= {"image", "steps", "seconds_estimate"}
    assert one["files"] == [{key: value for key, value in one.items() if key != "files"}]
    several = document(find_impact(shop, ["web/index.html", "elsewhere/file"]))
    assert list(several) == ["files"]
    assert [file["path"] for file in several["files"]] == ["web/index.html", "elsewhere/file"]
    assert json.loads(json.dumps(several)) == several


def test_a_file_that_a_copy_leaves_out(shop: Project) -> None:
    (shop.root / "web/Dockerfile").write_text("FROM scratch\nCOPY --exclude=*.css src /src\nRUN true\n")
    found = ask(shop, "web/src/a.css")
    assert found.images == ()
    assert found.reason == "web/Dockerfile:2: COPY leaves it out (--exclude=*.css)"
    assert [name for _, name, _ in steps(ask(shop, "web/src/a.js"))] == ["COPY --exclude=*.css src /src", "RUN true"]


def test_triggers_of_a_base_read_the_context_of_what_is_built_on_it(shop: Project) -> None:
    (shop.root / "docker/base/Dockerfile").write_text("FROM scratch\nONBUILD COPY src /src\n")
    (shop.root / "web/Dockerfile").write_text("FROM base\nRUN true\n")
    assert steps(ask(shop, "web/src/app.js")) == [("web", "ONBUILD COPY src /src", True), ("web", "RUN true", True)]


def test_what_is_not_understood_makes_the_answer_unknown(shop: Project) -> None:
    (shop.root / "web/Dockerfile").write_text("FROM scratch\nCOPY src /src\nRUN --security=insecure true\n")
    [image] = ask(shop, "web/index.html").images
    assert image.unknown == "line 3: RUN --security"
    assert image.seconds_estimate is None
    assert ask(shop, "web/notes.md").images == ()
