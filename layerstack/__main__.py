"""`layerstack` and `python -m layerstack`."""

import os
import signal
import sys

# 128 + SIGINT, as in shells.
INTERRUPTED = 130


def main() -> None:
    """The command, guarded from its first line: Ctrl-C while modules load ends with 130 and without a traceback."""
    signal.signal(signal.SIGINT, _end)
    from layerstack.lean_invoke import load_invoke

    load_invoke()
    from layerstack.tasks.program import main as run

    run()


def _end(_signal: int, _frame: object) -> None:
    # No exception: it would come out of whichever module is being loaded.
    sys.__stderr__.write("interrupted\n")  # type: ignore[union-attr]
    sys.__stderr__.flush()  # type: ignore[union-attr]
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
