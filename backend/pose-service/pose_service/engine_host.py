"""Loads the engine in the background, so that the service answers from its first second."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from pose_service.registry import LoadedEngine

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EngineStatus:
    """state: starting, ready or failed. `loaded` is there exactly when it is ready."""

    state: str
    reason: str = ""
    loaded: LoadedEngine | None = None


class EngineHost:
    """Holds one engine and knows how far it is."""

    def __init__(self, load: Callable[[], LoadedEngine]) -> None:
        self._load = load
        self.status = EngineStatus("starting", "the pose engine is loading")

    def start(self) -> None:
        """Begin to load; returns at once."""
        # A daemon, so that SIGTERM during the seconds of loading does not wait for it.
        threading.Thread(target=self.run, name="engine-loader", daemon=True).start()

    def run(self) -> None:
        """Load now, and keep the outcome in `status`; never raises."""
        try:
            loaded = self._load()
        except Exception as error:
            logger.exception("the pose engine did not load")
            self.status = EngineStatus("failed", str(error) or type(error).__name__)
            return
        logger.info("engine %s on %s is ready", loaded.engine.name, loaded.engine.device)
        self.status = EngineStatus("ready", loaded=loaded)
