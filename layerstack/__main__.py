"""`layerstack` and `python -m layerstack`."""

import os
import signal
import sys
from types import ModuleType
from typing import Any

INTERRUPTED = 130


def main() -> None:
    """The command, guarded from its first line: Ctrl-C while modules load ends with 130 and without a traceback."""
    signal.signal(signal.SIGINT, _end)
    load_invoke()
    from layerstack.tasks.program import main as run

    run()


def load_invoke() -> None:
    """Import Invoke (seen with 3.0) without `unittest.mock`: 0.03 s of every command, for a class that tests use."""
    if "unittest" in sys.modules:
        return
    package, module = ModuleType("unittest"), ModuleType("unittest.mock")
    module.Mock = _mock  # type: ignore[attr-defined]
    sys.modules.update({"unittest": package, "unittest.mock": module})
    try:
        import invoke.context  # noqa: F401
    finally:
        del sys.modules["unittest"], sys.modules["unittest.mock"]


def _mock(*arguments: Any, **settings: Any) -> Any:
    from unittest.mock import Mock

    return Mock(*arguments, **settings)


def _end(_signal: int, _frame: object) -> None:
    sys.__stderr__.write("interrupted\n")  # type: ignore[union-attr]
    sys.__stderr__.flush()  # type: ignore[union-attr]
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
