"""Mounts that hide what an image installed: each kind on a real engine, and the same mounts where nothing is hidden."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from imported import Imported, imported

import docker
from layerstack import command
from layerstack.doctor import mount_shadow
from layerstack.engine import image_tree
from layerstack.finding import Finding
from layerstack.owner import own_mark
from layerstack.project import compose_source, project
from layerstack.project.project import Project
from layerstack.run import stack
from layerstack.run.rehearsal import remove_all

pytestmark = pytest.mark.docker

WEB = {
    "app/package.json": "{}",
    "app/src/server.js": "new",
    "app/node_modules/vite/package.json": '{"version": "2"}',
    "app/node_modules/vite/index.js": "new",
}
START = ("WORKDIR /app", 'CMD ["/none", "src/server.js"]')
WEIGHTS = b"w" * (1 << 20)


@pytest.fixture
def made(engine_client: Any) -> Iterator[Imported]:
    with imported(engine_client, "shadow") as found:
        yield found


class Shop:
    """A project with one service `web` in a folder of its own."""

    def __init__(self, client: Any, root: Path) -> None:
        self.client, self.root = client, root
        self.loaded: Project | None = None

    def write(self, image: str, *settings: str, volumes: str = "") -> None:
        lines = [f"name: layerstack-test-shadow-{os.getpid()}", "services:", "  web:", f"    image: {image}"]
        text = "\n".join([*lines, *(f"    {one}" for one in settings)])
        (self.root / "compose.yaml").write_text(f"{text}\n{volumes}")
        self.loaded = project.load(self.root, "gpu")

    def look(self, is_local: bool = True, seconds: float = 60.0) -> list[Finding]:
        """The findings that are not ok."""
        assert self.loaded is not None
        source = compose_source.read_source(self.root, self.loaded.compose_files)
        found = mount_shadow.check_mounts(self.client, self.loaded, source, is_local, seconds)
        return [one for one in found if one.severity != "ok"]

    def create(self, *options: str) -> None:
        """Containers and volumes, without starting anything."""
        assert self.loaded is not None
        command.run(self.loaded.compose("create", *options), cwd=self.root).require()


@pytest.fixture
def shop(engine_client: Any, tmp_path: Path) -> Iterator[Shop]:
    found = Shop(engine_client, tmp_path)
    for folder in ("app/src", "empty"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "app" / "package.json").write_text("{}")
    (tmp_path / "app" / "src" / "server.js").write_text("edited")
    before = {one["Id"] for one in looking(engine_client)}
    yield found
    assert {one["Id"] for one in looking(engine_client)} <= before
    if found.loaded:
        remove_all(found.loaded.name)


def looking(client: Any) -> list[Any]:
    containers: list[Any] = client.api.containers(all=True, filters={"label": f"{image_tree.LOOK_LABEL}={own_mark()}"})
    return containers


def test_a_bind_mount_over_node_modules(shop: Shop, made: Imported) -> None:
    shop.write(made.make("web", WEB, START), "volumes:", "  - ./app:/app")
    (found,) = shop.look()
    assert (found.check, found.severity, found.service, found.place) == (
        "mount-shadow",
        "warning",
        "web",
        "compose.yaml:6",
    )
    assert "node_modules" in found.detail
    assert "/app/node_modules/vite/" in found.detail
    assert "`- /app/node_modules`" in found.remedy


def test_a_volume_below_it_keeps_node_modules(shop: Shop, made: Imported) -> None:
    shop.write(made.make("web", WEB, START), "volumes:", "  - ./app:/app", "  - /app/node_modules")
    assert shop.look() == []


def test_a_deeper_bind_mount_is_looked_at_by_itself(shop: Shop, made: Imported) -> None:
    shop.write(made.make("web", WEB, START), "volumes:", "  - ./app:/app", "  - ./empty:/app/node_modules")
    assert [one.place for one in shop.look()] == ["compose.yaml:7"]


def test_a_development_mount_of_the_source_is_fine(shop: Shop, made: Imported) -> None:
    shop.write(
        made.make("web", WEB, START),
        "volumes:",
        "  - ./app/src:/app/src:ro",
        "  - ./app/package.json:/app/package.json",
    )
    assert shop.look() == []


def test_the_file_of_the_command_is_an_error(shop: Shop, made: Imported) -> None:
    shop.write(made.make("web", WEB, START), "volumes: ['./empty:/app/src']")
    (found,) = shop.look()
    assert (found.severity, "/app/src/server.js" in found.detail) == ("error", True)


def test_a_folder_that_is_not_there_hides_everything(shop: Shop, made: Imported) -> None:
    shop.write(made.make("conf", {"etc/web/site.conf": "x"}), "volumes: ['./gone:/etc/web']")
    (found,) = shop.look()
    assert "/etc/web/site.conf" in found.detail
    assert not (shop.root / "gone").exists()
    (shop.root / "gone").mkdir()
    (shop.root / "gone" / "mine.conf").touch()
    assert shop.look() == []


def test_tmpfs_over_model_data(shop: Shop, made: Imported) -> None:
    shop.write(made.make("model", {"models/best.pth": WEIGHTS, "models/README": "x"}), "tmpfs: /models")
    (found,) = shop.look()
    assert (found.severity, found.place) == ("warning", "compose.yaml:5")
    assert "/models/best.pth" in found.detail
    shop.write(made.make("model", {"models/README": "x"}), "tmpfs: /models")
    assert shop.look() == []


PYTHON = {
    "opt/venv/lib/python3.9/site-packages/numpy/__init__.py": "x",
    "opt/venv/lib/python3.9/site-packages/numpy-2.0.dist-info/METADATA": "x",
}
VOLUMES = "volumes: { kept: {} }\n"


def test_a_named_volume_with_older_packages(shop: Shop, made: Imported) -> None:
    older = {path.replace("2.0", "1.26"): content for path, content in PYTHON.items()}
    shop.write(made.make("python", older), "volumes: ['kept:/opt/venv']", volumes=VOLUMES)
    assert shop.look() == []
    shop.create()
    assert shop.look() == []
    shop.write(made.make("python", PYTHON), "volumes: ['kept:/opt/venv']", volumes=VOLUMES)
    (found,) = shop.look()
    assert "Python packages (/opt/venv/lib/python3.9/site-packages/numpy-2.0.dist-info/METADATA)" in found.detail
    assert f"docker volume rm layerstack-test-shadow-{os.getpid()}_kept" in found.remedy


def test_looking_into_a_volume_leaves_it_as_it_is(shop: Shop, made: Imported, engine_client: Any) -> None:
    """Also where this user may not read the engine's own folder."""
    reference = made.make("python", PYTHON)
    name = f"layerstack-test-shadow-{os.getpid()}-empty"
    engine_client.volumes.create(name)
    try:
        image_id = engine_client.api.inspect_image(reference)["Id"]
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(os, "access", lambda *_: False)
            assert image_tree.read_volume(engine_client, image_id, name, time.monotonic() + 20) == {}
        assert image_tree.read_volume(engine_client, image_id, name, time.monotonic() + 20) == {}
    finally:
        engine_client.volumes.get(name).remove()


def test_both_ways_into_a_volume_see_the_same(shop: Shop, made: Imported, engine_client: Any) -> None:
    reference = made.make("python", PYTHON)
    shop.write(reference, "volumes: ['kept:/opt/venv']", volumes=VOLUMES)
    shop.create()
    image_id, name = engine_client.api.inspect_image(reference)["Id"], f"layerstack-test-shadow-{os.getpid()}_kept"
    direct = image_tree.read_volume(engine_client, image_id, name, time.monotonic() + 20)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "access", lambda *_: False)
        through = image_tree.read_volume(engine_client, image_id, name, time.monotonic() + 20)
    assert direct == through
    assert len(direct) == 2


def test_an_anonymous_volume_that_outlived_its_image(shop: Shop, made: Imported) -> None:
    older = {**WEB, "app/node_modules/vite/package.json": '{"version": "1"}'}
    shop.write(made.make("web", older, START), "volumes: ['/app/node_modules']")
    shop.create()
    assert shop.look() == []
    shop.write(made.make("web", WEB, START), "volumes: ['/app/node_modules']")
    shop.create("--force-recreate")
    (found,) = shop.look()
    assert "a newer version of node_modules (/app/node_modules/vite/package.json)" in found.detail
    assert found.remedy.endswith("--renew-anon-volumes web")
    assert shop.loaded is not None
    stack.down(shop.loaded, removes_volumes=True)
    assert shop.look() == []


def test_a_volume_that_the_image_declares(shop: Shop, made: Imported) -> None:
    changes = (*START, "VOLUME /app/src")
    shop.write(made.make("web", {**WEB, "app/src/server.js": "old"}, changes))
    shop.create()
    assert shop.look() == []
    shop.write(made.make("web", WEB, changes))
    shop.create("--force-recreate")
    (found,) = shop.look()
    assert "/app/src/server.js" in found.detail


def test_an_editable_install(shop: Shop, made: Imported) -> None:
    files = {
        "lib/shop.egg-info/PKG-INFO": "x",
        "lib/shop/__init__.py": "",
        "lib/shop/fast.so": "x",
        "lib/README": "x",
    }
    shop.write(made.make("editable", files), "volumes: ['./lib:/lib']")
    (shop.root / "lib" / "shop").mkdir(parents=True)
    (shop.root / "lib" / "shop" / "__init__.py").touch()
    (found,) = shop.look()
    assert "an editable install (/lib/shop/fast.so)" in found.detail
    (shop.root / "lib" / "shop" / "fast.so").touch()
    assert shop.look() == []


def test_an_image_that_is_not_here_is_passed_over(shop: Shop) -> None:
    shop.write("layerstack-test/absent:1", "volumes: ['./empty:/app']")
    assert shop.look() == []


def test_an_image_that_was_seen_before_is_not_read_again(
    shop: Shop, made: Imported, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = {f"app/node_modules/p{number // 20}/f{number}.js": f"{number}" for number in range(100)}
    shop.write(made.make("many", {**WEB, **many}, START), "volumes:", "  - ./app:/app")
    first = shop.look()
    monkeypatch.delattr(image_tree, "read_container")
    assert shop.look() == first
    assert len(first) == 1


def test_what_cannot_be_looked_at_in_time_is_said(shop: Shop, made: Imported) -> None:
    shop.write(made.make("web", WEB, START), "volumes: ['./app:/app']")
    (found,) = shop.look(seconds=-1.0)
    assert (found.severity, found.service) == ("warning", "web")
    assert "node_modules" not in found.detail


def test_folders_of_another_machine_are_not_judged(shop: Shop, made: Imported) -> None:
    shop.write(made.make("web", WEB, START), "volumes: ['./gone:/app']", "tmpfs: /app/node_modules")
    assert len(shop.look()) == 2
    assert [one.place for one in shop.look(is_local=False)] == ["compose.yaml:6"]


def test_what_a_killed_look_left_is_removed_by_the_next(shop: Shop, made: Imported, engine_client: Any) -> None:
    reference = made.make("web", WEB, START)
    say_mark = [sys.executable, "-c", "from layerstack.owner import own_mark; print(own_mark())"]
    ended = subprocess.run(say_mark, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    marks = {"gone": ended, "alive": own_mark(), "elsewhere": f"01234567.{ended.partition('.')[2]}"}
    ids = {
        name: engine_client.api.create_container(reference, ["/none"], labels={image_tree.LOOK_LABEL: mark})["Id"]
        for name, mark in marks.items()
    }
    try:
        shop.write(reference, "volumes: ['./app/src:/app/src']")
        assert shop.look() == []
        left = {one["Id"] for one in engine_client.api.containers(all=True)}
        assert {name for name, one in ids.items() if one in left} == {"alive", "elsewhere"}
    finally:
        for one in ids.values():
            with contextlib.suppress(docker.errors.NotFound):
                engine_client.api.remove_container(one, force=True)
