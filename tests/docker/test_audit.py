"""`--verify-skip`: a skip is proved by a build under tags to throw away."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from build_cache import evict, own_records
from mutations import Bench, audit_tags, mutations

from layerstack.build.plan import make_plan
from layerstack.build.skip_proof import Audit, audit_skips, require_right
from layerstack.dockerfile import copy_sources
from layerstack.errors import CheckFailed
from layerstack.state_folder import state_folder

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("build_engine")]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with mutations(tmp_path, monkeypatch) as found:
        mark = found.path("low/salt").read_text()
        found.replace("low/Dockerfile", "cp /salt /low", f"cp /salt /low; true {mark}")
        found.replace("app/Dockerfile", "cat /tools/* > tools", f"cat /tools/* > tools; true {mark}")
        found.build()
        yield found
        assert not audit_tags(os.getpid())


def audit(bench: Bench) -> dict[str, Audit]:
    assert not make_plan(bench.load(), ["app"], bench.store).stale
    return {one.image: one for one in audit_skips(bench.load(), ["app"], bench.store)}


def blind(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Make the digest overlook a file, as a mistake in it would."""
    real = copy_sources.covered
    monkeypatch.setattr(
        copy_sources, "covered", lambda paths, patterns: [p for p in real(paths, patterns) if p != path]
    )


def test_right_skips_are_confirmed(bench: Bench) -> None:
    found = audit(bench)
    assert {one.verdict for one in found.values()} == {"right"}
    assert found.keys() == {"low", "high", "app"}
    require_right(found.values())


@pytest.mark.parametrize(
    ("path", "step"), [("src/one.txt", "COPY src src"), ("tools/saw", "RUN --mount=type=bind,source=tools")]
)
def test_a_wrong_skip_is_found_and_both_manifests_are_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, path: str, step: str
) -> None:
    blind(monkeypatch, path)
    bench.replace("app/Dockerfile", "cp package.json", "cp -f package.json")
    bench.build()
    bench.write(f"app/{path}", "overlooked\n")
    found = audit(bench)
    assert {name: one.verdict for name, one in found.items()} == {"low": "right", "high": "right", "app": "wrong"}
    assert step in found["app"].detail
    with pytest.raises(CheckFailed) as failure:
        require_right(found.values())
    assert failure.value.exit_code == 1
    [kept] = (state_folder(bench.root) / "audit").iterdir()
    assert {"then", "now"} <= json.loads(kept.read_text()).keys()


def test_an_evicted_cache_is_no_failure(bench: Bench) -> None:
    evict(own_records(bench.path("low/salt").read_text()))
    found = audit(bench)
    assert found["low"].verdict == "evicted"
    assert "cannot be compared, cache evicted" in found["low"].detail
    require_right(found.values())
