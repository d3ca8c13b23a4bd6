"""What a build really waited for, found in the graph that BuildKit tells."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from layerstack.build.buildlog import BuildLog, BuildReport
from layerstack.build.critical_path import find_path
from layerstack.build.vertex import Vertex

DATA = Path(__file__).parents[1] / "data" / "rawjson"


def vertex(digest: str, start: float, end: float, *inputs: str, name: str = "", is_cached: bool = False) -> Vertex:
    return Vertex(digest, name or digest, inputs, is_cached, intervals={start: end})


def path(*vertices: Vertex, images: dict[str, str] | None = None) -> tuple[str, ...]:
    known = {one.digest: one for one in vertices}
    return find_path(known, images or {digest: "app" for digest in known})


def report(name: str, *targets: str) -> BuildReport:
    log = BuildLog(targets)
    for line in (DATA / f"{name}.jsonl").read_text().splitlines():
        log.feed(line)
    return log.report(ok=True, seconds=5.0)


def test_nothing_done_means_no_path() -> None:
    assert path() == ()
    assert path(Vertex("waiting")) == ()


def test_the_path_goes_through_what_was_ready_last() -> None:
    fast, slow = vertex("fast", 0, 1), vertex("slow", 0, 5)
    assert path(fast, slow, vertex("join", 5, 6, "fast", "slow"), vertex("aside", 0, 5.5)) == ("slow", "join")


def test_the_path_ends_with_the_last_one_whatever_took_longer() -> None:
    assert path(vertex("long", 0, 9), vertex("short", 9, 9.1)) == ("short",)


def test_nobody_waits_for_what_was_cached() -> None:
    """BuildKit may tell only at the end that something was cached from the beginning."""
    slow, found = vertex("slow", 0, 5), vertex("found", 5.9, 5.9, is_cached=True)
    assert path(slow, found, vertex("join", 6, 7, "found", "slow")) == ("slow", "join")


def test_a_cached_step_between_two_that_ran_hides_nothing() -> None:
    chain = (vertex("1", 0, 2), vertex("2", 2, 2, "1", is_cached=True), vertex("3", 2, 3, "2"))
    assert path(*chain) == ("1", "2", "3")


def test_an_export_follows_the_last_step_of_its_image() -> None:
    own, other = vertex("own", 0, 3), vertex("other", 0, 3.9)
    export = vertex("export", 4, 5, name="[app] exporting to image")
    images = {"own": "app", "other": "web", "export": "app"}
    assert path(own, other, export, images=images) == ("own", "export")


def test_an_export_of_an_image_that_shares_all_its_steps_follows_those() -> None:
    step, export = vertex("step", 0, 3), vertex("export", 3.001, 5, name="[twin] exporting to image")
    assert path(step, export, images={"step": "app", "export": "twin"}) == ("step", "export")


def test_work_that_is_nobodys_is_walked_through_and_not_told() -> None:
    chain = (vertex("1", 0, 2), vertex("merge", 2, 2.5, "1"), vertex("3", 2.5, 3, "merge"))
    assert path(*chain, images={"1": "app", "3": "app"}) == ("1", "3")


def test_a_circle_comes_to_an_end() -> None:
    assert set(path(vertex("1", 0, 2, "2"), vertex("2", 2, 3, "1"))) == {"1", "2"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "bake_cold.rawjson",
            [
                "RUN echo base-dep > /base.txt && sleep 1",
                "WORKDIR /app",
                "COPY requirements.txt /app/",
                "RUN echo deps && sleep 1",
                "COPY . /app/",
                "RUN echo verify && sleep 2",
                "export",
            ],
        ),
        ("bake_code_change.rawjson", ["transfer", "COPY . /app/", "RUN echo verify && sleep 2", "export"]),
    ],
)
def test_real_builds(name: str, expected: list[str]) -> None:
    found = report(name, "base", "app")
    texts = {step.digest: step.instruction for step in found.executed} | {one.digest: one.kind for one in found.works}
    assert [texts[digest] for digest in found.critical if digest in texts] == expected


def test_a_context_belongs_to_the_image_that_reads_it_whatever_name_it_wears() -> None:
    """Of a base that is solved for each service, BuildKit names the context after one of them."""
    log = BuildLog(["base", "web"], lambda step: replace(step, image="base") if "tools" in step.instruction else step)
    for digest, name, inputs in (
        ("1", "[web internal] load build context", []),
        ("2", "[web 2/2] COPY tools /tools", ["1", "3"]),
        ("3", "[web 1/2] FROM system", []),
        ("4", "[web 2/2] COPY src src", ["5"]),
        ("5", "[web internal] load build context", []),
        ("6", "[web] exporting to image", []),
    ):
        times = {"started": "2026-11-20T10:00:01Z", "completed": "2026-11-20T10:00:02Z"}
        log.feed(json.dumps({"vertexes": [{"digest": digest, "name": name, "inputs": inputs, **times}]}))
    found = {(work.digest, work.kind): work.image for work in log.report(ok=True, seconds=9).works}
    assert found == {("1", "transfer"): "base", ("3", "pull"): "base", ("5", "transfer"): "web", ("6", "export"): "web"}


def test_work_of_the_only_image_wears_no_name() -> None:
    log = BuildLog(["app"])
    for digest, name in (("1", "[internal] load build context"), ("2", "exporting to image"), ("3", "[1/2] FROM x")):
        times = {"started": "2026-11-20T10:00:01Z", "completed": "2026-11-20T10:00:02Z"}
        log.feed(json.dumps({"vertexes": [{"digest": digest, "name": name, "cached": digest == "3", **times}]}))
    report = log.report(ok=True, seconds=9)
    assert [(work.kind, work.image, work.seconds) for work in report.works] == [
        ("transfer", "app", 1),
        ("export", "app", 1),
    ]
    assert report.work_seconds("app", "export") == 1


def test_without_prefixes_all_is_work_of_the_image_that_was_asked_for() -> None:
    """The base is there and its build cache is gone: bake then solves one target, and names wear no prefix."""
    log = BuildLog(["base", "web"])
    for second, (digest, name, inputs) in enumerate(
        (
            ("1", "[internal] load build context", []),
            ("2", "[deps 2/2] COPY src src", ["1"]),
            ("3", "exporting to image", []),
        )
    ):
        times = {"started": f"2026-11-20T10:00:0{second}Z", "completed": f"2026-11-20T10:00:0{second + 1}Z"}
        log.feed(json.dumps({"vertexes": [{"digest": digest, "name": name, "inputs": inputs, **times}]}))
    report = log.report(ok=True, seconds=9)
    assert [(work.kind, work.image) for work in report.works] == [("transfer", "web"), ("export", "web")]
    assert [step.image for step in report.steps] == ["web"]
    assert report.critical == ("1", "2", "3")
