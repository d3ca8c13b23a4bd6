"""Which record of the cache is taken for which step."""

from dataclasses import replace

import pytest
from cache_parts import record, stage

from layerstack.cache.cached_steps import Built, StepFinder, layer_stages
from layerstack.dockerfile.image import Image
from layerstack.dockerfile.recipe import RecipeLine
from layerstack.engine.cache_records import describes
from layerstack.moment import epoch_seconds

BASE = Image("base", "base", tags=("base:latest",))
WEB = Image("web", ".", tags=("web:latest",), contexts={"base": "target:base"})
LOW = record("low", "mount / from exec /bin/sh -c apt-get  install g++", 100, is_shared=True, parents="system")
TOP = record("top", "[stage-0 3/3] WORKDIR /app", 0, is_shared=True, parents="low")
BASE_STAGE = stage("stage-0", "node:18", "RUN --mount=type=cache,target=/c apt-get install g++", "WORKDIR /app")


def held(finder: StepFinder, built: Built) -> list[str | None]:
    return [step.record.id if step.record else None for step in finder.find(built)]


@pytest.mark.parametrize(
    ("description", "keyword", "text"),
    [
        ("[deps 2/4] COPY a b", "COPY", "a  b"),
        ("[2/2] COPY --from=deps /x y", "COPY", "--from=deps /x y"),
        ("[a 2/3] COPY v1.txt /v", "COPY", "${VERSION}.txt /v"),
        ("[a 2/3] COPY <<EOF /etc/motd", "COPY", "<<EOF /etc/motd\nhello\n"),
        ("mount / from exec /bin/sh -c npm ci", "RUN", "--mount=type=cache,target=/c --network=none npm ci"),
        ("mount / from exec /bin/sh -c set -e;     true", "RUN", "set -e;  true"),
        ("mount / from exec /bin/sh -c echo hi\necho there\n", "RUN", "<<EOF\necho hi\necho there\n"),
        ("mount / from exec npm ci", "RUN", '["npm", "ci"]'),
        ("mount / from exec /bin/sh -c [ -f a ]", "RUN", "[ -f a ]"),
    ],
)
def test_a_record_describes_its_instruction(description: str, keyword: str, text: str) -> None:
    assert describes(record("r", description), RecipeLine(keyword, text, 1))


@pytest.mark.parametrize(
    ("description", "keyword", "text"),
    [
        ("[deps 2/4] COPY a b", "COPY", "a c"),
        ("[deps 2/4] COPY a bc", "COPY", "a b"),
        ("mount /mnt/x from exec /bin/sh -c npm ci", "RUN", "npm ci"),
        ("cached mount /c from exec /bin/sh -c npm ci", "RUN", "npm ci"),
        ("mount / from exec /bin/sh -c npm ci", "RUN", "pm ci"),
        ("local source for context", "COPY", "local source"),
    ],
)
def test_a_record_of_something_else_does_not(description: str, keyword: str, text: str) -> None:
    assert not describes(record("r", description), RecipeLine(keyword, text, 1))


def test_steps_are_found_along_the_chain() -> None:
    elsewhere = record("elsewhere", TOP.description, is_shared=True, parents="other", last_used="2027")
    finder = StepFinder([elsewhere, TOP, LOW])
    assert held(finder, Built(BASE, (BASE_STAGE,), layers=())) == ["low", "top"]


def test_a_lost_step_loses_what_is_built_on_it() -> None:
    finder = StepFinder([TOP])
    assert held(finder, Built(BASE, (BASE_STAGE,), layers=())) == [None, None]


def test_a_layer_is_shared_with_its_image_and_as_old() -> None:
    low, top = replace(LOW, created="2026-11-20T12:00:00.9Z"), replace(TOP, created="2026-11-20 12:00:01.2 +0000 UTC")
    copy = replace(low, id="copy", is_shared=False, last_used="2027")
    later = replace(low, id="later", created="2026-11-20T12:00:01.9Z", last_used="2027")
    finder = StepFinder([copy, later, low, top])
    made = int(epoch_seconds(low.created))
    assert held(finder, Built(BASE, (BASE_STAGE,), layers=(("WORKDIR", made + 1), ("RUN", made)))) == ["low", "top"]
    assert held(finder, Built(BASE, (BASE_STAGE,), layers=(("WORKDIR", made + 1), ("RUN", made - 1)))) == [None, None]


def test_a_builder_in_a_container_shares_no_layers() -> None:
    own = record("own", LOW.description, 100)
    assert held(StepFinder([own]), Built(BASE, (BASE_STAGE,), layers=())) == [None, None]
    assert held(StepFinder([own], shares_layers=False), Built(BASE, (BASE_STAGE,), layers=())) == ["own", None]


def test_a_service_is_looked_for_on_its_base() -> None:
    own = record("own", "[2/2] COPY src src", 5, is_shared=True, parents="top")
    foreign = record("foreign", "[2/2] COPY src src", 5, is_shared=True, parents="other", last_used="2027")
    finder = StepFinder([LOW, TOP, own, foreign])
    finder.find(Built(BASE, (BASE_STAGE,), layers=()))
    service = Built(WEB, (stage("stage-0", "base", "COPY src src"),), layers=())
    assert held(finder, service) == ["own"]


def test_a_service_on_the_stored_image_of_a_lost_base_is_found() -> None:
    loaded = record("loaded", "from local ", is_shared=True)
    own = record("own", "[2/2] COPY src src", 5, is_shared=True, parents="loaded")
    finder = StepFinder([loaded, own])
    finder.find(Built(BASE, (BASE_STAGE,), layers=()))
    assert held(finder, Built(WEB, (stage("stage-0", "base", "COPY src src"),), layers=())) == ["own"]


def test_stages_that_are_copied_from_are_no_layers() -> None:
    deps = stage("deps", "base", "COPY package.json .")
    build = stage("build", "deps", "COPY src src", on_stage=True)
    last = stage("runtime", "base", "COPY --from=build /src src")
    built = Built(WEB, (deps, build, last))
    assert [one.name for one in layer_stages(built)] == ["runtime"]
    assert [one.name for one in layer_stages(Built(WEB, (deps, build), "build"))] == ["deps", "build"]
    finder = StepFinder(
        [record("c", "[deps 1/1] COPY package.json ."), record("d", "[build 1/1] COPY src src", parents="c")]
    )
    assert [(step.is_layer, step.record is not None) for step in finder.find(built)] == [
        (False, True),
        (False, True),
        (True, False),
    ]


def test_without_parents_words_must_do() -> None:
    bare = [record("low", LOW.description, is_shared=True), record("top", TOP.description, is_shared=True)]
    assert held(StepFinder(bare), Built(BASE, (BASE_STAGE,), layers=())) == ["low", "top"]
