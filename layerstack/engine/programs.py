"""Programs of a container that are stopped by a signal."""

from typing import TYPE_CHECKING

from layerstack.errors import EngineError

if TYPE_CHECKING:
    from layerstack.engine.api import EngineClient

LISTING = "-eo pid,stat,comm"


def stopped_programs(client: "EngineClient", container_id: str) -> tuple[str, ...]:
    """Names of programs in state T (SIGSTOP); none where the engine's machine has no `ps`, which Docker uses."""
    try:
        rows = client.api.top(container_id, ps_args=LISTING)["Processes"]
    except (EngineError, OSError):
        return ()
    # Workers of one program share its name.
    return tuple(dict.fromkeys(str(row[-1]) for row in rows or () if row[1].startswith("T")))
