"""Which hidden files are a loss, by kind; and what is not."""

import pytest

from layerstack.status import lost_files
from layerstack.status.lost_files import CODE, EDITABLE, MODEL, NODE, PYTHON, START, Installed, editable_roots

MEGABYTE = str(1 << 20)


def kinds(image: Installed, provided: dict[str, str]) -> dict[str, tuple[str, ...]]:
    return {loss.kind: loss.paths for loss in lost_files.find_losses(image, provided)}


@pytest.mark.parametrize(
    ("path", "mark", "kind"),
    [
        ("node_modules/vite/package.json", "9 a", NODE),
        ("venv/lib/python3.9/site-packages/numpy/__init__.py", "9 a", PYTHON),
        ("lib/python3/dist-packages/apt.py", "9 a", PYTHON),
        ("models/best.pth", MEGABYTE, MODEL),
        ("weights.onnx", MEGABYTE, MODEL),
        ("server.js", "9 a", START),
    ],
)
def test_each_kind(path: str, mark: str, kind: str) -> None:
    image = Installed("/app", {path: mark, "README": "1 a"}, starts=("/app/server.js",))
    assert kinds(image, {}) == {kind: (f"/app/{path}",)}
    assert kinds(image, {path: "something else"}) == {}


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "src/old.js",
        "labels.pth",
        "node_modules/.cache/x",
        "node_modules/.vite/deps/a.js",
        "venv/site-packages/numpy/__pycache__/a.cpython-39.pyc",
    ],
)
def test_what_is_no_loss(path: str) -> None:
    assert kinds(Installed("/app", {path: "9 a"}), {}) == {}


EDITABLE_TREE = {
    "shop.egg-info/PKG-INFO": "9 a",
    "shop/__init__.py": "0 e",
    "shop/web.py": "9 b",
    "shop/fast.cpython-39.so": "9 c",
    "tests/__init__.py": "0 e",
}


def test_an_editable_install_without_its_packages_is_a_loss() -> None:
    found = kinds(Installed("/app", EDITABLE_TREE), {"README": ""})
    assert set(found[EDITABLE]) == {"/app/shop/__init__.py", "/app/shop/fast.cpython-39.so", "/app/tests/__init__.py"}


def test_an_editable_install_from_the_same_source_loses_only_what_was_compiled() -> None:
    provided = dict.fromkeys(("shop/__init__.py", "tests/__init__.py"), "other")
    assert kinds(Installed("/app", EDITABLE_TREE), provided) == {EDITABLE: ("/app/shop/fast.cpython-39.so",)}
    assert kinds(Installed("/app", EDITABLE_TREE), {**provided, "shop/fast.cpython-39.so": ""}) == {}


def test_source_that_is_not_installed_editable_may_differ() -> None:
    tree = {name: mark for name, mark in EDITABLE_TREE.items() if "egg-info" not in name}
    assert kinds(Installed("/app", tree), {"README": ""}) == {}
    assert set(kinds(Installed("/app", tree, editable=("/app",)), {"README": ""})) == {EDITABLE}


def test_an_older_copy_counts_where_only_a_build_writes() -> None:
    tree = {
        "node_modules/a/package.json": "9 new",
        "src/a.py": "9 new",
        "settings.json": "9 new",
        "same.py": "1 x",
        ".next/a.js": "9 new",
    }
    older = {
        "node_modules/a/package.json": "9 old",
        "src/a.py": "9 old",
        "settings.json": "9 old",
        "same.py": "1 x",
        ".next/a.js": "9 x",
    }
    found = lost_files.find_older(Installed("/app", tree), older)
    assert {loss.kind for loss in found} == {NODE, CODE}
    assert all(loss.is_older for loss in found)
    assert lost_files.find_older(Installed("/app", tree), tree) == []


@pytest.mark.parametrize(
    ("history", "roots"),
    [
        (["WORKDIR /app", "RUN /bin/sh -c pip install -e . # buildkit"], ("/app",)),
        (["WORKDIR /app", "WORKDIR sub", "RUN pip install --editable './lib[dev]' numpy"], ("/app/sub/lib",)),
        (["RUN /bin/sh -c uv pip install --editable=/srv/x && true"], ("/srv/x",)),
        (["RUN /bin/sh -c #(nop) WORKDIR /app", "COPY . . # buildkit", "RUN npm ci"], ()),
    ],
)
def test_editable_installs_in_an_images_history(history: list[str], roots: tuple[str, ...]) -> None:
    assert editable_roots(history) == roots
