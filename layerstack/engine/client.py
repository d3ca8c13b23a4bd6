"""The type of the engine's client, for annotations: the class itself loads the Docker SDK, which takes 0.1 s."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from layerstack.engine.api import EngineClient
else:
    EngineClient = Any

__all__ = ["EngineClient"]
