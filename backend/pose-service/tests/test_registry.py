"""Which engine is chosen, and why not a better one."""

from __future__ import annotations

import sys

import pytest

from pose_service.contract.engine import EngineUnavailableError
from pose_service.engines import registry
from pose_service.engines.registry import load_engine


def test_mediapipe_by_name_is_not_degraded() -> None:
    loaded = load_engine("mediapipe")
    assert (loaded.engine.name, loaded.degraded_reason) == ("mediapipe", None)


def test_auto_says_why_it_is_not_the_best_engine() -> None:
    loaded = load_engine("auto")
    assert loaded.engine.name == "mediapipe"
    assert "hmr2" in (loaded.degraded_reason or "")


def test_an_engine_asked_for_by_name_is_never_replaced() -> None:
    with pytest.raises(EngineUnavailableError, match="hmr2 needs the GPU image"):
        load_engine("hmr2")


def test_no_engine_at_all_names_every_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe.framework.formats.rect_pb2", None)
    with pytest.raises(EngineUnavailableError, match=r"hmr2 needs .*; mediapipe cannot be imported"):
        load_engine("auto")


def test_every_engine_has_a_place_in_the_order() -> None:
    assert set(registry.FACTORIES) <= set(registry.PREFERENCE)
