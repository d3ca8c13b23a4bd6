"""Which engine runs: the one that was asked for, or the best that can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pose_service.contract.engine import EngineUnavailableError, PoseEngine
from pose_service.engines.hmr2.engine import Hmr2Engine
from pose_service.engines.mediapipe_engine import MediapipeEngine

# Best first.
PREFERENCE = ("hmr2", "mediapipe")
FACTORIES: dict[str, Callable[[], PoseEngine]] = {"hmr2": Hmr2Engine, "mediapipe": MediapipeEngine}


@dataclass(frozen=True)
class LoadedEngine:
    """An engine that is ready; degraded_reason says why a better one is not in use."""

    engine: PoseEngine
    degraded_reason: str | None = None


def load_engine(name: str) -> LoadedEngine:
    """Load the engine `name`, or for "auto" the first of PREFERENCE that loads (seconds).

    An engine that was asked for by name is never replaced by another.
    Raises EngineUnavailableError with the reason of every engine that was tried.
    """
    reasons: list[str] = []
    for candidate in PREFERENCE if name == "auto" else (name,):
        try:
            engine = FACTORIES[candidate]()
            engine.load()
        except EngineUnavailableError as error:
            reasons.append(str(error))
        else:
            return LoadedEngine(engine, "; ".join(reasons) or None)
    raise EngineUnavailableError("; ".join(reasons))
