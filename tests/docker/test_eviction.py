"""What happens after BuildKit's cache was cleaned up: unchanged images are kept, and services are built on them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from build_cache import evict, own_records
from mutations import Bench, causes, details, mutations

from layerstack import command
from layerstack.build import build as builder
from layerstack.build.record import BuildRecord
from layerstack.dockerfile import copy_sources
from layerstack.engine import images

pytestmark = [pytest.mark.docker, pytest.mark.long, pytest.mark.usefixtures("build_engine")]
CODE = "app: runtime COPY src src"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The project after its build; its part of the build cache is gone."""
    with mutations(tmp_path, monkeypatch) as found:
        mark = found.path("low/salt").read_text()
        found.replace("low/Dockerfile", "cp /salt /low", f"cp /salt /low; true {mark}")
        found.build()
        evict(own_records(mark))
        yield found


@pytest.fixture
def bake_calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The images that every bake call built: all but those that were kept."""
    calls: list[tuple[str, ...]] = []
    real = builder.bake

    def seen(project, call, *rest):  # type: ignore[no-untyped-def]
        calls.append(tuple(name for name in call.names if name not in call.kept))
        return real(project, call, *rest)

    monkeypatch.setattr(builder, "bake", seen)
    return calls


def actions(result: BuildRecord) -> dict[str, str]:
    return {one.image: one.action for one in result.images}


def base_ids(bench: Bench) -> list[str]:
    found = (images.find(bench.load().image(name).tag) for name in ("low", "high"))
    return [image.id for image in found if image]


def test_nothing_is_built_while_nothing_changed(bench: Bench, bake_calls: list[tuple[str, ...]]) -> None:
    before = base_ids(bench)
    for _ in range(2):
        result = bench.build()
        assert set(actions(result).values()) == {"kept"}, details(result)
        assert base_ids(bench) == before
    # The second time nothing need be begun, unless a record of another project looks like one of its steps.
    assert 1 <= len(bake_calls) <= 2


def test_a_service_is_built_on_the_stored_base(bench: Bench) -> None:
    before = base_ids(bench)
    bench.write("app/src/one.txt", "new\n")
    result = bench.build()
    assert actions(result) == {"low": "kept", "high": "kept", "app": "built"}
    assert base_ids(bench) == before
    app, low = (images.find(bench.load().image(name).tag) for name in ("app", "low"))
    assert app
    assert low
    assert images.is_built_on(app, low)
    kinds = causes(result)
    assert kinds[CODE] == "file-content"
    assert {kind for step, kind in kinds.items() if step != CODE} == {"cache-evicted", "parent-step"}


def test_the_next_code_change_needs_no_second_try(bench: Bench, bake_calls: list[tuple[str, ...]]) -> None:
    bench.write("app/src/one.txt", "new\n")
    bench.build()
    assert len(bake_calls) > 1
    bake_calls.clear()
    bench.write("app/src/one.txt", "newer\n")
    assert causes(bench.build()) == {CODE: "file-content"}
    assert bake_calls[-1] == ("app",)


def test_a_changed_file_that_we_misread_is_built_while_the_cache_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst that a misreading may cost is a word."""
    with mutations(tmp_path, monkeypatch) as found:
        found.build()
        real = copy_sources.covered
        monkeypatch.setattr(
            copy_sources,
            "covered",
            lambda paths, patterns: [path for path in real(paths, patterns) if path != "src/one.txt"],
        )
        found.write("app/src/one.txt", "overlooked\n")
        assert actions(found.build())["app"] == "built"
        tag = found.load().image("app").tag
        text = command.run(["docker", "run", "--rm", tag, "cat", "src/one.txt"]).require().stdout
        assert text == "overlooked\n"


def test_a_base_between_is_built_on_the_stored_one_below(bench: Bench) -> None:
    low = base_ids(bench)[0]
    bench.write("high/list", "two\n")
    assert actions(bench.build()) == {"low": "kept", "high": "built", "app": "built"}
    assert base_ids(bench)[0] == low
    bench.write("app/src/one.txt", "new\n")
    assert causes(bench.build()) == {CODE: "file-content"}


def test_a_base_that_changed_is_built_the_usual_way_again(bench: Bench, bake_calls: list[tuple[str, ...]]) -> None:
    bench.write("app/src/one.txt", "new\n")
    bench.build()
    bench.replace("low/Dockerfile", "cp /salt", "cp -f /salt")
    assert set(actions(bench.build()).values()) == {"built"}
    bake_calls.clear()
    bench.write("app/src/one.txt", "newer\n")
    assert causes(bench.build()) == {CODE: "file-content"}
    assert bake_calls == [("app",)]


def test_what_something_else_built_in_between_cannot_be_known(bench: Bench) -> None:
    bench.write("app/src/one.txt", "by hand\n")
    found = bench.load()
    command.run(["docker", "buildx", "bake", "app"], cwd=bench.root, env=found.environment).require()
    evict(own_records(bench.path("low/salt").read_text()))
    bench.write("app/src/one.txt", "first\n")
    result = bench.build()
    assert actions(result) == {"low": "kept", "high": "kept", "app": "built"}
    assert set(causes(result).values()) == {"unknown", "parent-step"}
    assert "without a record" in details(result)
