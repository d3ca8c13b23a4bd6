"""Builds of a stack with two layers on the real engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from layers import labels_of, layers

from layerstack import command
from layerstack.build import build as builder
from layerstack.build import history
from layerstack.build.build import BuildOptions
from layerstack.build.record import BuildRecord
from layerstack.build.state import StateStore
from layerstack.build.step_text import instruction_of
from layerstack.engine import images
from layerstack.errors import BuildFailed
from layerstack.project import project
from layerstack.project.project import Project
from layerstack.registry.origin import INPUTS_LABEL

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("build_engine")]
NAMES = ("base", "web", "late")


@dataclass
class Bench:
    """The project and short words for what the tests do with it."""

    stack: Project

    def build(self, *names: str, **options: Any) -> BuildRecord:
        return builder.build(self.stack, names or NAMES, options=BuildOptions(**options))

    def edit(self, path: str, text: str) -> None:
        with (self.stack.root / path).open("a") as file:
            file.write(text)

    def ids(self) -> dict[str, str]:
        found = {name: images.find(self.stack.image(name).tag) for name in NAMES}
        return {name: image.id for name, image in found.items() if image}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with layers(tmp_path, monkeypatch) as stack:
        yield Bench(stack)


def actions(result: BuildRecord) -> dict[str, str]:
    return {one.image: one.action for one in result.images}


def executed(result: BuildRecord) -> set[tuple[str, str]]:
    return {(one.image, instruction_of(step.step)) for one in result.images for step in one.executed}


def test_bases_and_services_are_built_in_one_call(bench: Bench) -> None:
    result = bench.build("web", "late")
    assert actions(result) == {"base": "built", "web": "built", "late": "built"}
    assert bench.ids().keys() == set(NAMES)
    [record] = history.read_builds(bench.stack.root)
    assert [one.image for one in record.images] == [one.image for one in result.images]


def test_every_step_of_a_first_build_is_found_in_its_dockerfile(bench: Bench) -> None:
    result = bench.build(is_forced=True)
    places = {one.image: [step.place for step in one.steps] for one in result.images}
    assert places == {
        "base": ["base/Dockerfile:3", "base/Dockerfile:4"],
        "web": ["web/Dockerfile:2", "web/Dockerfile:3", "web/Dockerfile:4", "web/Dockerfile:7"],
        "late": ["late/Dockerfile:2", "late/Dockerfile:3"],
    }
    assert all(not step.is_cached for one in result.images for step in one.steps)


def test_an_unchanged_stack_is_fresh_and_keeps_its_images(bench: Bench) -> None:
    bench.build()
    before = bench.ids()
    result = bench.build()
    assert set(actions(result).values()) == {"fresh"}
    assert bench.ids() == before


def test_a_code_change_runs_only_what_comes_after_the_code(bench: Bench) -> None:
    bench.build()
    before = bench.ids()
    bench.edit("web/src/app.js", f"// {uuid4()}\n")
    result = bench.build()
    assert actions(result) == {"base": "fresh", "web": "built", "late": "fresh"}
    assert executed(result) == {("web", "COPY src src")}
    after = bench.ids()
    assert after["web"] != before["web"]
    assert (after["base"], after["late"]) == (before["base"], before["late"])


def test_a_cached_base_is_not_taken_for_an_evicted_one(bench: Bench) -> None:
    """BuildKit computes the key of the base's COPY again: that is not an execution."""
    bench.edit("base/tools", "x" * 3_000_000)
    bench.build()
    for number in range(3):
        bench.edit("web/src/app.js", f"// {number} {uuid4()}\n")
        bench.build("web")
    state = StateStore(bench.stack.root).last_of(bench.stack.image("base").tag)
    assert state is not None
    assert not state.is_cache_gone


def test_a_change_of_the_base_rebuilds_what_stands_on_it(bench: Bench) -> None:
    bench.build()
    before = bench.ids()
    bench.edit("base/tools", "more\n")
    assert set(actions(bench.build()).values()) == {"built"}
    assert all(bench.ids()[name] != before[name] for name in NAMES)


def test_an_ignored_file_changes_nothing(bench: Bench) -> None:
    bench.build()
    bench.edit("web/notes/plan.js", "// more\n")
    assert set(actions(bench.build()).values()) == {"fresh"}


def test_a_base_carries_what_it_was_made_of(bench: Bench) -> None:
    base = next(one for one in bench.build().images if one.image == "base")
    assert labels_of(bench.stack.image("base").tag)[INPUTS_LABEL] == base.inputs


def test_a_failing_step_is_named_and_leaves_the_images_as_they_were(bench: Bench) -> None:
    bench.build()
    before = bench.ids()
    bench.edit("web/Dockerfile", "RUN echo last words && exit 7\n")
    with pytest.raises(BuildFailed) as caught:
        bench.build("web")
    text = str(caught.value)
    assert "web/Dockerfile:9" in text
    assert "exit code: 7" in text
    assert "last words" in text
    assert bench.ids() == before


def test_a_dockerfile_that_does_not_parse_is_a_failed_build(bench: Bench) -> None:
    bench.edit("web/Dockerfile", "RUNN echo\n")
    with pytest.raises(BuildFailed, match="RUNN"):
        bench.build("web")


def test_a_missing_file_is_named(bench: Bench) -> None:
    bench.edit("web/Dockerfile", "COPY nowhere.txt .\n")
    with pytest.raises(BuildFailed, match=r"nowhere\.txt"):
        bench.build("web")


def test_plain_bake_and_compose_read_the_same_images(bench: Bench) -> None:
    bench.build()
    root, name = bench.stack.root, bench.stack.name
    assert command.run(["docker", "buildx", "bake"], cwd=root).ok
    described = command.run(["docker", "compose", "config", "--images"], cwd=root).require().stdout.split()
    assert set(described) == {bench.stack.image("web").tag, bench.stack.image("late").tag}
    assert project.load(root, "gpu").name == name
