"""Which record of the cache is taken for which step."""

from cache_parts import record, stage

from layerstack.cache.cached_steps import Built, find_steps
from layerstack.engine.cache_records import CacheRecord

LOW = record("low", "mount / from exec /bin/sh -c apt-get  install g++", 100, is_shared=True)
TOP = record("top", "[stage-0 3/3] WORKDIR /app", 0, is_shared=True)
STAGE = stage("stage-0", "node:18", "RUN --mount=type=cache,target=/c apt-get install g++", "WORKDIR /app")
# Another project's, which looks the same and was used later.
OTHER = record("other", LOW.description, is_shared=True, last_used="2027-01-01T00:00:00Z")


def held(built: Built, *records: CacheRecord) -> list[str | None]:
    return [step.record.id if step.record else None for step in find_steps(built, records)]


def test_the_records_that_a_build_knew_count_before_those_that_look_alike() -> None:
    built = Built("Dockerfile", (STAGE,), {"Dockerfile:1": ("low", "gone"), "Dockerfile:2": ("top",)})
    assert held(built, OTHER, TOP, LOW) == ["low", "top"]


def test_a_step_whose_records_are_gone_is_lost_whatever_looks_alike() -> None:
    built = Built("Dockerfile", (STAGE,), {"Dockerfile:1": ("gone",), "Dockerfile:2": ("top",)})
    assert held(built, OTHER, TOP) == [None, "top"]


def test_what_an_onbuild_brings_stands_on_one_line_and_is_told_apart_by_its_text() -> None:
    brought = stage("stage-0", "node:18", "RUN apt-get install g++")
    built = Built("Dockerfile", (brought,), {"Dockerfile:1": ("top", "low")})
    assert held(built, TOP, LOW) == ["low"]


def test_without_a_record_of_the_build_the_words_do_and_a_layer_goes_first() -> None:
    unshared = record("unshared", TOP.description, last_used="2027-01-01T00:00:00Z")
    assert held(Built("Dockerfile", (STAGE,)), unshared, LOW, TOP) == ["low", "top"]
    assert held(Built("Dockerfile", (STAGE,)), unshared) == [None, "unshared"]


def test_of_two_alike_a_step_has_the_one_on_the_step_before() -> None:
    here = record("here", TOP.description, parents="low", is_shared=True)
    elsewhere = record("elsewhere", TOP.description, parents="base", is_shared=True, last_used=OTHER.last_used)
    first = stage("first", "base", "WORKDIR /app")
    built = Built("Dockerfile", (STAGE, first), bases={"base": "base"})
    assert held(built, LOW, here, elsewhere) == ["low", "here", "elsewhere"]


def test_stages_that_are_copied_from_are_no_layers() -> None:
    deps = stage("deps", "base", "COPY package.json .")
    build = stage("build", "deps", "COPY src src", on_stage=True)
    last = stage("runtime", "base", "COPY --from=build /src src")
    assert [one.is_layer for one in find_steps(Built("Dockerfile", (deps, build, last)), ())] == [False, False, True]
    assert [one.is_layer for one in find_steps(Built("Dockerfile", (deps, build)), ())] == [True, True]
