"""What `invoke cache` says, against the real BuildKit: steps, losses, rules and the order in which they go."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from build_cache import evict, own_records
from mutations import Bench, causes, mutations

from layerstack import command
from layerstack.cache import builder, cache_report
from layerstack.cache.cache_report import CachedImage
from layerstack.cache.eviction import Eviction
from layerstack.cache.gc_policy import GcRule
from layerstack.engine.cache_records import CacheRecord, read_cache

pytestmark = [pytest.mark.docker, pytest.mark.long, pytest.mark.usefixtures("build_engine")]
MEGABYTE = 1_000_000


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The project after its build; the lowest step holds the test's mark."""
    with mutations(tmp_path, monkeypatch) as found:
        found.replace("low/Dockerfile", "cp /salt /low", f"cp /salt /low; true {mark(found)}")
        found.build()
        yield found


def mark(bench: Bench) -> str:
    return bench.path("low/salt").read_text()


def read(bench: Bench) -> dict[str, CachedImage]:
    return {image.name: image for image in cache_report.read_report(bench.load()).images}


def ids(image: CachedImage) -> set[str]:
    return {step.record.id for step in image.steps if step.record}


def test_all_steps_of_a_built_project_are_found_and_nothing_else(bench: Bench) -> None:
    found = read(bench)
    for image in found.values():
        assert [str(step.line) for step in image.steps if step.record is None] == []
        assert image.forecast.status != "lost"
        assert image.notes == ()
    assert [image.is_base for image in found.values()] == [True, True, False]
    # Each step has a record of its own, on records of this project: the lowest one is marked.
    records = set.union(*(ids(image) for image in found.values()))
    assert len(records) == sum(len(image.steps) for image in found.values())
    on_mark = own_records(mark(bench))
    salt = found["low"].steps[0].record
    assert salt
    assert records - on_mark == {salt.id}


def test_layers_have_the_sizes_of_their_files(bench: Bench) -> None:
    low = read(bench)["low"]
    assert [step.record.size_bytes for step in low.steps if step.record] == [32, 32]
    assert low.size_bytes == 64


def test_a_lost_step_is_named_and_the_image_below_keeps_its_cache(bench: Bench) -> None:
    on_mark = own_records(mark(bench))
    evict(on_mark - ids(read(bench)["low"]))
    found = read(bench)
    assert found["low"].forecast.status != "lost"
    assert (found["high"].forecast.status, found["app"].forecast.status) == ("lost", "lost")
    assert "COPY list /list" in found["high"].forecast.detail


def test_what_is_only_copied_from_is_not_needed_while_the_layers_are_there(bench: Bench) -> None:
    copied = {step.record.id for step in read(bench)["app"].steps if step.record and not step.is_layer}
    assert copied
    evict(copied)
    app = read(bench)["app"]
    assert {step.is_layer for step in app.steps if step.record is None} == {False}
    assert app.forecast.status != "lost"
    bench.write("app/src/one.txt", "new\n")
    assert causes(bench.build()) == {"app: runtime COPY src src": "file-content"}


def test_layers_of_images_go_only_under_a_rule_that_takes_all(bench: Bench) -> None:
    top = read(bench)["app"].steps[-1].record
    assert top
    for flag, is_left in (("--force", True), ("--all", False)):
        command.run(["docker", "buildx", "prune", "--force", flag, f"--filter=id={top.id}"]).require()
        assert (top.id in {one.id for one in read_cache().records}) is is_left


def test_an_eviction_is_shown_and_named_by_the_next_build(bench: Bench) -> None:
    evict(own_records(mark(bench)))
    assert read(bench)["low"].forecast.status == "lost"
    bench.write("app/src/one.txt", "new\n")
    assert "cache-evicted" in causes(bench.build()).values()
    # Its short step may have run before the build noticed: then BuildKit has its result again.
    assert read(bench)["app"].forecast.status != "lost"


def test_the_rules_in_force_are_read() -> None:
    found = builder.read_builder()
    assert found.layer_rule
    assert found.layer_rule.takes_all
    assert found.layer_rule.max_used_bytes or found.layer_rule.min_free_bytes
    assert found.disk.total_bytes
    assert found.notes == ()


def test_the_engine_drops_in_the_order_that_was_foretold(tmp_path: Path) -> None:
    salt = uuid.uuid4().hex
    for number in range(4):
        build_megabyte(tmp_path / str(number), f"{salt}-{number}")
    records = [one for one in read_cache().records if salt in one.description]
    assert sorted(one.size_bytes for one in records) == [MEGABYTE] * 4
    left = prune_down(records, MEGABYTE + 1)
    assert 0 < len(left) < 4
    assert Eviction(records, GcRule(max_used_bytes=len(left) * MEGABYTE + 1)).dropped(None) == {
        one.id for one in records if one.id not in left
    }
    evict(left)


def build_megabyte(context: Path, name: str) -> None:
    """A record of the cache that nothing is built on and no image shares."""
    context.mkdir(exist_ok=True)
    (context / name).write_bytes(bytes(MEGABYTE))
    (context / "Dockerfile").write_text(f"FROM scratch\nCOPY {name} /\n")
    command.run(["docker", "buildx", "build", "--output=type=cacheonly", str(context)]).require()


def prune_down(records: list[CacheRecord], size_bytes: int) -> set[str]:
    """Let the engine drop this much of these records only; the ids of those that are left."""
    names = "|".join(one.id for one in records)
    total = sum(one.size_bytes for one in read_cache().records if not one.is_shared)
    keep = f"--max-used-space={total - size_bytes}"
    command.run(["docker", "buildx", "prune", "--force", f"--filter=id~=^({names})$", keep]).require()
    return {one.id for one in read_cache().records} & {one.id for one in records}
