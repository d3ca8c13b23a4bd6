"""`layerstack` and `python -m layerstack`."""

import os
import sys


def main() -> None:
    """The command, guarded from the first line: Ctrl-C while modules load ends with 130 and without a traceback."""
    try:
        from layerstack.tasks.program import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.stderr.flush()
        os._exit(130)


if __name__ == "__main__":
    main()
