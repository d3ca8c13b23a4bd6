"""Freshness where the digest alone does not tell: parents that were built anew from the same inputs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from mutations import Bench, causes, details, mutations
from own_engine import OwnEngine

from layerstack import command
from layerstack.build.record import BuildRecord
from layerstack.engine import images
from layerstack.engine.images import StoredImage
from layerstack.state_folder import shared_folder

pytestmark = [pytest.mark.docker, pytest.mark.long]


@pytest.fixture
def alone(build_engine: OwnEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A project for one test: a forced step has two results in the cache, and later builds get the one or the other."""
    with mutations(tmp_path, monkeypatch) as found:
        found.build()
        yield found


def actions(result: BuildRecord) -> dict[str, str]:
    return {one.image: one.action for one in result.images}


def stored(bench: Bench, name: str) -> StoredImage:
    found = images.find(bench.load().image(name).tag)
    assert found
    return found


def test_images_stand_on_a_parent_that_was_forced(alone: Bench) -> None:
    before = stored(alone, "low")
    assert actions(alone.build("low", is_forced=True)) == {"low": "built"}
    assert stored(alone, "low").layers != before.layers

    result = alone.build()
    assert actions(result) == {"low": "fresh", "high": "built", "app": "built"}
    assert causes(result)["high: COPY list /list"] == "parent-image"
    assert "low was rebuilt (forced: asked for with --force)" in details(result)
    assert images.is_built_on(stored(alone, "high"), stored(alone, "low"))
    assert images.is_built_on(stored(alone, "app"), stored(alone, "low"))
    assert set(actions(alone.build()).values()) == {"fresh"}


def test_a_code_change_after_that_finds_everything_else_cached(alone: Bench) -> None:
    alone.build("low", is_forced=True)
    alone.build()
    low, high = stored(alone, "low").id, stored(alone, "high").id
    alone.write("app/src/one.txt", "on a forced one\n")
    assert causes(alone.build()) == {"app: runtime COPY src src": "file-content"}
    assert (stored(alone, "low").id, stored(alone, "high").id) == (low, high)
    assert images.is_built_on(stored(alone, "app"), stored(alone, "low"))


def test_forcing_all_builds_each_on_the_other(alone: Bench) -> None:
    result = alone.build("low", "high", "app", is_forced=True)
    assert set(causes(result).values()) == {"forced"}
    assert images.is_built_on(stored(alone, "high"), stored(alone, "low"))
    assert images.is_built_on(stored(alone, "app"), stored(alone, "low"))
    assert set(actions(alone.build()).values()) == {"fresh"}


def test_a_forced_image_leaves_its_parents_alone(alone: Bench) -> None:
    low, high = stored(alone, "low").id, stored(alone, "high").id
    alone.build(is_forced=True)
    assert (stored(alone, "low").id, stored(alone, "high").id) == (low, high)


def test_an_image_that_is_gone_is_built_again(bench: Bench) -> None:
    command.run(["docker", "image", "rm", bench.load().image("app").tag]).require()
    result = bench.build()
    assert actions(result) == {"low": "fresh", "high": "fresh", "app": "built"}
    assert causes(result) == {}


def test_an_image_of_another_builder_is_not_trusted(bench: Bench) -> None:
    bench.write("app/src/one.txt", "by hand\n")
    found = bench.load()
    command.run(["docker", "buildx", "bake", "app"], cwd=bench.root, env=found.environment).require()
    bench.write("app/src/one.txt", "first\n")
    assert actions(bench.build())["app"] == "built"
    text = command.run(["docker", "run", "--rm", found.image("app").tag, "cat", "src/one.txt"]).require().stdout
    assert text == "first\n"


def test_a_lost_record_makes_nothing_stale_and_comes_back(bench: Bench) -> None:
    record = shared_folder() / "images" / f"{stored(bench, 'app').id.removeprefix('sha256:')}.json"
    record.unlink()
    assert set(actions(bench.build()).values()) == {"fresh"}
    bench.write("app/src/one.txt", "without a record\n")
    assert causes(bench.build()) == {"app: runtime COPY src src": "file-content"}


def test_an_edit_there_and_back_is_never_skipped(bench: Bench) -> None:
    for text in ("second\n", "first\n", "second\n"):
        bench.write("app/src/one.txt", text)
        bench.build()
        tag = bench.load().image("app").tag
        assert command.run(["docker", "run", "--rm", tag, "cat", "src/one.txt"]).require().stdout == text


def test_what_a_link_leads_to_counts(bench: Bench) -> None:
    bench.path("app/src/one.txt").rename(bench.path("app/src/real"))
    bench.path("app/config/link").symlink_to("../src/real")
    bench.replace("app/Dockerfile", "COPY src src", "COPY config/link led")
    bench.build()
    bench.write("app/src/real", "behind the link\n")
    result = bench.build()
    assert causes(result) == {"app: runtime COPY config/link led": "file-content"}
    tag = bench.load().image("app").tag
    assert command.run(["docker", "run", "--rm", tag, "cat", "led"]).require().stdout == "behind the link\n"


def test_a_download_without_a_checksum_is_asked_for_every_time(bench: Bench) -> None:
    plan = bench.load()
    bench.replace("app/Dockerfile", "COPY src src", "COPY src src\nADD https://example.invalid/file /file")
    from layerstack.build.plan import make_plan

    assert make_plan(plan, ["app"], bench.store).of("app").manifest.volatile
