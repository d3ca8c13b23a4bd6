"""The programs of a container that a signal has halted."""

from typing import TYPE_CHECKING

from layerstack.errors import EngineError

if TYPE_CHECKING:
    from layerstack.engine.api import EngineClient

LISTING = "-eo pid,stat,comm"


def stopped_programs(client: "EngineClient", container_id: str) -> tuple[str, ...]:
    """Names of programs in the state T (SIGSTOP). Docker asks the `ps` of its own machine; without one: nothing."""
    try:
        rows = client.api.top(container_id, ps_args=LISTING)["Processes"]
    except (EngineError, OSError):
        return ()
    # Of several threads or workers one name is enough.
    return tuple(dict.fromkeys(str(row[-1]) for row in rows or () if row[1].startswith("T")))
