"""What `pip install layerstack` brings is all that layerstack imports."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Needed by Nox sessions only: pip install "layerstack[nox]".
OPTIONAL = {"nox"}


def imported() -> set[str]:
    """The distributions behind every import, also inside functions; those for type checkers only are left out."""
    names = set()
    for path in (ROOT / "layerstack").rglob("*.py"):
        tree = ast.parse(path.read_text())
        for_types = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if id(node) in for_types:
                continue
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    known = packages_distributions()
    foreign = names - sys.stdlib_module_names - {"layerstack"}
    return {known.get(name, [name])[0].lower() for name in foreign} - OPTIONAL


def declared() -> set[str]:
    block = re.search(r"^dependencies = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL)
    assert block is not None
    return {name.lower() for name in re.findall(r'"([A-Za-z0-9_.-]+?)[>=<!~"]', block[1])}


def test_every_import_is_declared() -> None:
    assert imported() - declared() == set()


def test_the_development_environment_has_them_too() -> None:
    wanted = (ROOT / "requirements/dev.in").read_text().lower()
    assert [name for name in declared() if not re.search(rf"^{re.escape(name)}\b", wanted, re.MULTILINE)] == []
