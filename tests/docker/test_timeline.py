"""What the timeline says of a real build: the path that its end waited for, over the borders of images."""

from itertools import pairwise
from pathlib import Path

import pytest
from layers import layers

from layerstack.build import build
from layerstack.timeline.timeline import Timeline, read_timelines

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("build_engine")]
ROUNDING_SECONDS = 0.01


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Timeline:
    with layers(tmp_path, monkeypatch) as stack:
        build.build(stack, list(stack.images), options=build.BuildOptions(is_forced=True))
        [found] = read_timelines(stack.root, 1)
    return found


def test_the_critical_path_is_a_chain_from_the_base_to_the_end(built: Timeline) -> None:
    path = [bar for _, bar in built.critical]
    assert all(before.ended <= after.started for before, after in pairwise(path))
    ended = max(bar.ended for lane in built.lanes for bar in lane.bars)
    assert path[-1].ended >= ended - ROUNDING_SECONDS
    assert path[-1].kind == "export"
    assert next(lane.image for lane, bar in built.critical if bar.kind == "run") == "base"


def test_lanes_tell_of_the_whole_build(built: Timeline) -> None:
    assert {lane.image for lane in built.lanes} == {"base", "web", "late"}
    for lane in built.lanes:
        assert {"run", "transfer", "export"} <= {bar.kind for bar in lane.bars}, lane.image
        assert all(bar.started > 0 and bar.ended <= built.seconds for bar in lane.worked)
