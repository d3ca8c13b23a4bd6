"""Invoke without `unittest.mock`: importing that takes 0.03 s of every command, for a class that only tests use."""

import sys
from types import ModuleType
from typing import Any


def load() -> None:
    """Import Invoke (seen with 3.0), whose MockContext loads `unittest.mock` when somebody makes one."""
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
