"""Imports inside layerstack go down only, from a task to the floors below it; those inside functions count, too."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
# From the bottom up. Rooms of one floor do not know each other.
FLOORS = (
    {"ground"},
    {"dockerfile"},
    {"project"},
    {"engine"},
    {"gpu", "registry"},
    {"build"},
    {"run"},
    {"status", "timeline", "stacks"},
    {"backup", "verify", "rebuild", "audit", "setup", "share"},
    {"cache", "deploy"},
    {"doctor"},
    {"tasks", "sessions"},
)
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "layerstack").rglob("*.py")
}


def imports(path: Path) -> set[str]:
    """The modules of layerstack that a file names in an import, wherever in the file that stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "layerstack":
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in MODULES else str(node.module))
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "layerstack"}
    return found


GRAPH = {name: imports(path) - {name} for name, path in MODULES.items()}


def room(module: str) -> str:
    """The folder of a module; a file directly in the package is ground, but for the command and its way to Invoke."""
    if module in ("layerstack.__main__", "layerstack.lean_invoke"):
        return "tasks"
    if module == "layerstack":
        return "ground"
    parts = module.split(".")
    return parts[1] if len(parts) > 2 or MODULES[module].name == "__init__.py" else "ground"


def floor(module: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room(module) in rooms)


def test_no_modules_import_each_other() -> None:
    left = dict(GRAPH)
    while free := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in free:
            del left[name]
    assert not left


def test_imports_go_down() -> None:
    up = [
        (user, used)
        for user, needed in GRAPH.items()
        for used in needed
        if room(user) != room(used) and floor(user) <= floor(used)
    ]
    assert not up


def test_every_room_is_in_the_picture() -> None:
    folders = {path.parent.name for path in (ROOT / "layerstack").glob("*/__init__.py")}
    assert folders == set().union(*FLOORS) - {"ground"}
    picture = (ROOT / "docs/decisions/0001-modules.md").read_text()
    assert all(f"  {name}/ " in picture for name in folders)


def test_only_the_top_floor_knows_invoke_and_nox() -> None:
    below = {name: path for name, path in MODULES.items() if floor(name) < len(FLOORS) - 1}
    assert len(below) > 100
    for path in below.values():
        nodes = list(ast.walk(ast.parse(path.read_text())))
        named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        named |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        assert not {name.split(".")[0] for name in named} & {"invoke", "nox"}, path
