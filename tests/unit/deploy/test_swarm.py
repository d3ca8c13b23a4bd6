"""Whether a project runs as a stack, and what an engine is asked that cannot know."""

from types import SimpleNamespace
from typing import Any

import pytest

from layerstack.deploy import swarm
from layerstack.deploy.swarm import is_deployed, require_manager
from layerstack.errors import EngineError, RefusedByEngine

OUTSIDE = 'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node.'
WORKER = "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state."
ALONE = "rpc error: code = Unknown desc = The swarm does not have a leader. Too few managers are online."
SHOP: Any = SimpleNamespace(name="shop")


def client(refusal: str, containers: list[Any] | None = None) -> Any:
    def refuse(**_: Any) -> Any:
        raise RefusedByEngine(f"The engine says: {refusal}")

    return SimpleNamespace(api=SimpleNamespace(tasks=refuse, containers=lambda filters: containers or []))


@pytest.fixture(autouse=True)
def no_compose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swarm, "runs_something", lambda *_: False)


def test_an_engine_in_no_swarm_runs_no_stack() -> None:
    assert not is_deployed(client(OUTSIDE, [{"Id": "of somebody"}]), SHOP)


def test_a_worker_knows_a_stack_by_the_replicas_that_it_runs() -> None:
    assert is_deployed(client(WORKER, [{"Id": "web.1"}]), SHOP)
    assert not is_deployed(client(WORKER), SHOP)


@pytest.mark.parametrize("refusal", [ALONE, "something else"])
def test_a_swarm_that_cannot_answer_is_not_taken_for_none(refusal: str) -> None:
    with pytest.raises(EngineError):
        is_deployed(client(refusal), SHOP)


def test_a_manager_without_the_majority_accepts_nothing() -> None:
    state = {"NodeID": "here", "ControlAvailable": True, "Error": ALONE}
    broken: Any = SimpleNamespace(info=lambda: {"Swarm": state})
    with pytest.raises(EngineError):
        require_manager(broken)
