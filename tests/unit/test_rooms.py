"""Imports inside layerstack point one way: from what a user asks for to what it stands on."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
# A room may use those before it; checkups may look anywhere.
ROOMS = (
    "sources",
    "caching",
    "explaining",
    "building",
    "running",
    "verifying",
    "auditing",
    "gpus",
    "machines",
    "checkups",
)
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "layerstack").rglob("*.py")
}


def imports(path: Path) -> set[str]:
    """The modules of layerstack that are imported when this one is."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "layerstack":
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in MODULES else str(node.module))
    return found


GRAPH = {name: imports(path) for name, path in MODULES.items()}


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else ""


def test_no_modules_import_each_other() -> None:
    left = dict(GRAPH)
    while free := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in free:
            del left[name]
    assert not left


def test_rooms_point_one_way() -> None:
    pairs = {(room(user), room(used)) for user, needed in GRAPH.items() for used in needed}
    assert not [pair for pair in pairs if all(pair) and ROOMS.index(pair[0]) < ROOMS.index(pair[1])]


def test_every_room_is_in_the_picture() -> None:
    folders = {path.parent.name for path in (ROOT / "layerstack").glob("*/__init__.py")}
    assert folders == set(ROOMS)
    picture = (ROOT / "docs/decisions/0001-modules.md").read_text()
    assert all(f"  {name}/ " in picture for name in ROOMS)


def test_layerstack_knows_neither_invoke_nor_nox() -> None:
    for path in MODULES.values():
        nodes = list(ast.walk(ast.parse(path.read_text())))
        named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        named |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        assert not {name.split(".")[0] for name in named} & {"invoke", "nox"}, path
