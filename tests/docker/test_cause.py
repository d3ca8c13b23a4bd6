"""The named cause of every executed step, against what the real engine executes after one or several edits."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from build_cache import evict, own_records
from layers import system_image
from mutations import Bench, causes, details

from layerstack import command
from layerstack.state_folder import shared_folder, state_folder

pytestmark = [pytest.mark.docker, pytest.mark.long]

PACKAGE = "app: deps COPY package.json ./"
INSTALL = "app: deps RUN --mount=type=cache,target=/cache,id=layerstack-test cp package.json installed.json"
FETCH = "app: build RUN --mount=type=bind,source=tools,target=/tools cat /tools/* > tools"
MAKE = "app: build RUN <<END (echo made > made)"
STYLE = 'app: runtime RUN echo "calm" > style'
FROM_DEPS = "app: runtime COPY --from=deps /app/installed.json ./"
FROM_BUILD = "app: runtime COPY --from=build /app/tools /app/made ./"
WORDS = "app: runtime COPY --from=shared words words"
CONFIG = "app: runtime COPY config config"
SRC = "app: runtime COPY src src"
DEPS_FOLDER = "app: deps WORKDIR /app"
FOLDER = "app: runtime WORKDIR /app"
RUNTIME_COPIES = (FROM_DEPS, FROM_BUILD, WORDS, CONFIG, SRC)
COPY_WORDS, COPY_CONFIG = "COPY --from=shared words words\n", "COPY config config\n"
ALL_OF_DEPS = (PACKAGE, INSTALL, FETCH, MAKE)

Edit = Callable[[Bench], object]


def follows(*steps: str) -> dict[str, str]:
    return dict.fromkeys(steps, "parent-step")


# edit, executed steps with the kind of their cause, a part of the details
MUTATIONS: dict[str, tuple[Edit, dict[str, str], str]] = {
    "content": (lambda b: b.write("app/src/one.txt", "new\n"), {SRC: "file-content"}, "src/one.txt changed"),
    "mode": (
        lambda b: b.path("app/config/a.conf").chmod(0o755),
        {CONFIG: "file-mode", **follows(SRC)},
        "config/a.conf 0644 → 0755",
    ),
    "added": (lambda b: b.write("app/src/new.txt", "new\n"), {SRC: "file-added"}, "src/new.txt added"),
    "removed": (lambda b: b.path("app/src/two.txt").unlink(), {SRC: "file-removed"}, "src/two.txt removed"),
    "renamed": (
        lambda b: b.path("app/src/two.txt").rename(b.path("app/src/three.txt")),
        {SRC: "file-added"},
        "src/two.txt renamed to src/three.txt",
    ),
    "a rule lets in": (
        lambda b: b.replace("app/.dockerignore", "**/*.tmp\n", ""),
        {SRC: "ignore-rules"},
        "lets in src/notes.tmp",
    ),
    "a rule keeps out": (
        lambda b: b.replace("app/.dockerignore", "**/*.tmp\n", "**/*.tmp\nsrc/one.txt\n"),
        {SRC: "ignore-rules"},
        "keeps out src/one.txt",
    ),
    "argument of RUN": (
        lambda b: b.set("TEST_MODE", "fancy"),
        {FETCH: "build-arg", **follows(MAKE)},
        "MODE: plain → fancy",
    ),
    "default of an argument": (
        lambda b: b.replace("app/Dockerfile", "ARG MODE=plain\n", "ARG MODE=plain\nARG LEVEL=1\n"),
        {FETCH: "instruction", **follows(MAKE)},
        "nothing → ARG LEVEL=1",
    ),
    "secret argument": (
        lambda b: b.set("TEST_TOKEN", "hunter2"),
        {FETCH: "build-arg", **follows(MAKE)},
        "API_TOKEN: *** → ***",
    ),
    "argument of FROM": (
        lambda b: b.set("TEST_BASE", "low"),
        {PACKAGE: "build-arg", **follows(INSTALL, FETCH, MAKE)},
        "BASE: high → low",
    ),
    "text": (
        lambda b: b.replace("app/Dockerfile", "cp package.json installed.json", "cp -f package.json installed.json"),
        {INSTALL.replace("cp", "cp -f"): "instruction", **follows(FETCH, MAKE)},
        "app/Dockerfile:5",
    ),
    "blanks in a command": (
        lambda b: b.replace("app/Dockerfile", "    > style", "  > style"),
        {STYLE: "instruction", **follows(*RUNTIME_COPIES)},
        "app/Dockerfile:20",
    ),
    "inserted": (
        lambda b: b.replace("app/Dockerfile", "COPY src src", "RUN echo more > more\nCOPY src src"),
        {"app: runtime RUN echo more > more": "instruction", **follows(SRC)},
        "new RUN echo more",
    ),
    "taken out": (
        lambda b: b.replace("app/Dockerfile", "COPY config config\n", ""),
        {SRC: "instruction"},
        "removed COPY config config",
    ),
    "another order": (
        lambda b: b.replace("app/Dockerfile", COPY_WORDS + COPY_CONFIG, COPY_CONFIG + COPY_WORDS),
        {CONFIG: "instruction", **follows(WORDS, SRC)},
        "COPY config config moved",
    ),
    "ENV before a step": (
        lambda b: b.replace("app/Dockerfile", "STYLE=calm", "STYLE=wild"),
        {STYLE.replace("calm", "wild"): "instruction", **follows(*RUNTIME_COPIES)},
        "ENV STYLE=calm → ENV STYLE=wild",
    ),
    "ENV moved before a step": (
        lambda b: (
            b.replace("app/Dockerfile", "ENV STYLE=calm\n", ""),
            b.replace("app/Dockerfile", 'RUN echo "$STYLE"', 'ENV STYLE=calm\nRUN echo "$STYLE"'),
        ),
        {},
        "",
    ),
    "a step that an earlier build knew": (
        lambda b: (
            b.replace("app/Dockerfile", "COPY config config\n", ""),
            b.write("app/src/two.txt", "after another step\n"),
        ),
        {SRC: "instruction"},
        "removed COPY config config; also file-content: src/two.txt changed",
    ),
    "parent image": (
        lambda b: b.write("high/list", "two\n"),
        {
            "high: COPY list /list": "file-content",
            **follows("high: RUN cp /list /installed"),
            DEPS_FOLDER: "parent-image",
            **follows(*ALL_OF_DEPS),
        },
        "high was rebuilt (file-content: list changed)",
    ),
    "two levels of parents": (
        lambda b: b.replace("low/Dockerfile", "cp /salt /low", "cp -f /salt /low"),
        {
            "low: RUN cp -f /salt /low": "instruction",
            "high: COPY list /list": "parent-image",
            **follows("high: RUN cp /list /installed"),
            DEPS_FOLDER: "parent-image",
            FOLDER: "parent-image",
            **follows(*ALL_OF_DEPS, STYLE, *RUNTIME_COPIES),
        },
        "low was rebuilt (instruction: low/Dockerfile:4",
    ),
    "chain through stages": (
        lambda b: b.write("app/package.json", "{}\n"),
        {PACKAGE: "file-content", **follows(INSTALL, FETCH, MAKE, *RUNTIME_COPIES)},
        "COPY package.json ./ (file-content: package.json changed)",
    ),
    "file of a bind mount": (
        lambda b: b.write("app/tools/saw", "sharp\n"),
        {FETCH: "file-content", **follows(MAKE, FROM_BUILD, WORDS, CONFIG, SRC)},
        "tools/saw changed",
    ),
    "cache mount only": (
        lambda b: b.replace("app/Dockerfile", "target=/cache,", "target=/other,"),
        {INSTALL.replace("/cache", "/other"): "instruction", **follows(FETCH, MAKE)},
        "app/Dockerfile:5",
    ),
    "heredoc": (
        lambda b: b.replace("app/Dockerfile", "echo made > made", "echo well made > made"),
        {MAKE.replace("made >", "well made >"): "instruction", **follows(FROM_BUILD, WORDS, CONFIG, SRC)},
        "RUN <<END echo made > made → RUN <<END echo well made > made",
    ),
    "file of a named context": (
        lambda b: b.write("shared/words/hello", "goodbye\n"),
        {WORDS: "file-content", **follows(CONFIG, SRC)},
        "shared:words/hello changed",
    ),
    "content and mode together": (
        lambda b: (b.write("app/src/one.txt", "new too\n"), b.path("app/config/a.conf").chmod(0o700)),
        {CONFIG: "file-mode", SRC: "file-content"},
        "src/one.txt changed",
    ),
    "argument, heredoc and file together": (
        lambda b: (
            b.set("TEST_MODE", "both"),
            b.replace("app/Dockerfile", "echo made > made", "echo twice made > made"),
            b.write("app/config/a.conf", "a = 2\n"),
            b.write("app/src/new.txt", "new\n"),
        ),
        {
            FETCH: "build-arg",
            MAKE.replace("made >", "twice made >"): "instruction",
            **follows(FROM_BUILD, WORDS),
            CONFIG: "file-content",
            SRC: "file-added",
        },
        "MODE: plain → both",
    ),
    "several kinds in one step": (
        lambda b: (
            b.write("app/src/one.txt", "once more\n"),
            b.path("app/src/two.txt").chmod(0o600),
            b.write("app/src/new.txt", "new\n"),
        ),
        {SRC: "file-content"},
        "src/one.txt changed; also file-mode: src/two.txt 0644 → 0600; also file-added: src/new.txt added",
    ),
}
# Edits that change nothing that any image is made of.
IRRELEVANT: dict[str, Edit] = {
    "touch": lambda b: b.path("app/src/one.txt").touch(),
    "ignored file": lambda b: b.write("app/src/notes.tmp", "other\n"),
    "file that no rule lets in": lambda b: b.write("app/readme", "other\n"),
    "file of another image": lambda b: b.write("app/../notes", "other\n"),
    "unread file of a named context": lambda b: b.write("shared/unread", "other\n"),
    "comment": lambda b: b.replace("app/Dockerfile", "COPY src src", "# the code\nCOPY src src"),
    "rule without effect": lambda b: b.replace("app/.dockerignore", "**/*.tmp\n", "**/*.tmp\n**/*.bak\n"),
    "argument that nobody declares": lambda b: b.replace(
        "docker-compose.yml", "        MODE:", "        OTHER: 1\n        MODE:"
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_executed_step_has_the_right_cause(bench: Bench, name: str) -> None:
    edit, expected, detail = MUTATIONS[name]
    edit(bench)
    result = bench.build()
    assert causes(result) == expected
    assert detail in details(result)
    assert {image.action for image in bench.build().images} == {"fresh"}


@pytest.mark.parametrize("name", IRRELEVANT)
def test_what_no_image_is_made_of_makes_nothing_stale(bench: Bench, name: str) -> None:
    IRRELEVANT[name](bench)
    assert {image.action for image in bench.build().images} == {"fresh"}


def test_a_secret_stands_nowhere(bench: Bench) -> None:
    bench.set("TEST_TOKEN", "hunter2")
    bench.build()
    folder = state_folder(bench.root)
    kept = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    assert not (bench.root / ".layerstack").exists()
    assert folder.stat().st_mode & 0o077 == 0
    assert any("API_TOKEN" in text for text in kept)
    assert not any("hunter2" in text for text in kept)


def test_a_change_of_the_description_alone_is_named(bench: Bench) -> None:
    bench.replace("app/Dockerfile", 'CMD ["cat", "style"]', 'CMD ["cat", "made"]')
    result = bench.build()
    assert causes(result) == {}
    app = result.images[-1]
    assert app.action == "built"
    assert 'CMD ["cat", "style"] → CMD ["cat", "made"]' in app.cause


def test_another_system_image_under_the_same_tag(bench: Bench, tmp_path: Path) -> None:
    tag = f"layerstack-test/system:{tmp_path.name.lower()}"
    command.run(["docker", "tag", system_image(), tag]).require()
    try:
        bench.set("SYSTEM_IMAGE", tag)
        bench.build("low")
        text = f"FROM {system_image()}\nRUN echo {tmp_path} > /other\n"
        command.run(["docker", "build", "--network", "none", "--tag", tag, "-"], stdin=text).require()
        result = bench.build("low")
    finally:
        command.run(["docker", "image", "rm", "--force", tag]).require()
    assert causes(result) == {"low: COPY salt /salt": "parent-image", **follows("low: RUN cp /salt /low")}
    assert tag in details(result)


def test_forced(bench: Bench) -> None:
    result = bench.build(is_forced=True)
    assert [image.action for image in result.images] == ["fresh", "fresh", "built"]
    assert {PACKAGE, INSTALL, FETCH, MAKE, STYLE, *RUNTIME_COPIES} <= causes(result).keys()
    assert set(causes(result).values()) == {"forced"}


def test_evicted_cache_is_named(bench: Bench) -> None:
    mark = bench.path("low/salt").read_text()
    bench.replace("app/Dockerfile", "cat /tools/* > tools", f"cat /tools/* > tools; true {mark}")
    bench.build()
    evict(own_records(mark))
    bench.replace("app/Dockerfile", "echo made > made", "echo evicted > made")
    result = bench.build()
    marked = FETCH.replace("> tools", f"> tools; true {mark}")
    assert causes(result) == {
        marked: "cache-evicted",
        MAKE.replace("echo made", "echo evicted"): "instruction",
        **follows(FROM_BUILD, WORDS, CONFIG, SRC),
    }


def test_without_a_record_of_the_build_before_nothing_is_guessed(bench: Bench) -> None:
    shutil.rmtree(state_folder(bench.root))
    shutil.rmtree(shared_folder() / "images")
    bench.write("app/src/one.txt", "after the record was lost\n")
    result = bench.build()
    assert causes(result) == {SRC: "unknown"}
    assert "no record" in details(result)
