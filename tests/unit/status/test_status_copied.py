"""Where files of the working tree stand in an image, by its Dockerfile, and whether a container holds the same."""

import io
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from image_folder import ImageFolder

from layerstack.status.copied_files import MOST_READ, ContainerFiles, find_places


@pytest.fixture
def app(tmp_path: Path) -> ImageFolder:
    own = ImageFolder(tmp_path)
    for name in ("a.js", "b.js", "src/c.js", "src/deep/d.js"):
        own.write(name, f"{name}\n")
    return own


def places(app: ImageFolder, dockerfile: str, folder: str = "/") -> dict[str, list[str]]:
    app.dockerfile(dockerfile)
    found = find_places(app.image, app.manifest(), lambda name: folder)
    return {name.removeprefix("app/"): sorted(paths) for name, paths in found.items()}


@pytest.mark.parametrize(
    ("copy", "expected"),
    [
        ("COPY a.js /srv/", {"a.js": ["/srv/a.js"]}),
        ("COPY a.js /srv/main.js", {"a.js": ["/srv/main.js"]}),
        ("COPY a.js ./", {"a.js": ["/srv/a.js"]}),
        ("COPY a.js .", {"a.js": ["/srv/a.js"]}),
        ("COPY a.js b.js /srv", {"a.js": ["/srv/a.js"], "b.js": ["/srv/b.js"]}),
        ('COPY ["a.js", "b.js", "/srv/"]', {"a.js": ["/srv/a.js"], "b.js": ["/srv/b.js"]}),
        ("COPY --chown=1:1 --chmod=755 a.js /srv/", {"a.js": ["/srv/a.js"]}),
        ("COPY *.js lib/", {"a.js": ["/srv/lib/a.js"], "b.js": ["/srv/lib/b.js"]}),
        ("COPY src src", {"src/c.js": ["/srv/src/c.js"], "src/deep/d.js": ["/srv/src/deep/d.js"]}),
        ("COPY src/ /srv", {"src/c.js": ["/srv/c.js"], "src/deep/d.js": ["/srv/deep/d.js"]}),
        ("WORKDIR inner\nCOPY a.js ./", {"a.js": ["/srv/inner/a.js"]}),
        ("COPY --parents src/c.js /srv/", {}),
    ],
)
def test_a_copy_says_where_its_files_stand(app: ImageFolder, copy: str, expected: dict[str, list[str]]) -> None:
    assert places(app, f"FROM system\n{copy}\n", "/srv") == expected


def test_files_go_from_stage_to_stage(app: ImageFolder) -> None:
    dockerfile = """FROM system AS build
WORKDIR /app
COPY a.js b.js ./
COPY src src
FROM system AS runtime
COPY --from=build /app/src /srv/src
COPY --from=build /app/a.js /srv/
FROM runtime
RUN true
"""
    assert places(app, dockerfile) == {
        "a.js": ["/srv/a.js"],
        "src/c.js": ["/srv/src/c.js"],
        "src/deep/d.js": ["/srv/src/deep/d.js"],
    }


class Engine:
    """Gives out files of one container."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files
        self.mounts: list[dict[str, str]] = []
        self.api = self

    def inspect_container(self, _: str) -> dict[str, Any]:
        return {"Mounts": self.mounts}

    def get_archive(self, _: str, path: str, chunk_size: int | None = 0) -> tuple[list[bytes], dict[str, Any]]:
        from layerstack.engine.api import ObjectMissing

        if path not in self.files:
            raise ObjectMissing("no such file")
        archive, content = io.BytesIO(), self.files[path].encode()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            member = tarfile.TarInfo(Path(path).name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        return [archive.getvalue()], {}


def files_of(app: ImageFolder, **held: str) -> ContainerFiles:
    engine = SimpleNamespace(api=Engine({f"/srv/{name}.js": text for name, text in held.items()}))
    return ContainerFiles(engine, "id", app.image, app.manifest(), app.root, lambda name: "/")


def test_contents_are_compared(app: ImageFolder) -> None:
    app.dockerfile("FROM system\nCOPY a.js b.js /srv/\n")
    found = files_of(app, a="a.js\n", b="older\n")
    assert found.holds("app/a.js") is True
    assert found.holds("app/b.js") is False
    assert found.holds("app/src/c.js") is None
    assert files_of(app).holds("app/a.js") is False


def test_a_container_is_not_opened_while_the_source_of_a_mount_is_gone(app: ImageFolder, tmp_path: Path) -> None:
    app.dockerfile("FROM system\nCOPY a.js /srv/\n")
    found = files_of(app, a="a.js\n")
    source = tmp_path / "settings.txt"
    found.client.api.mounts = [{"Type": "bind", "Source": str(source), "Destination": "/srv/settings.txt"}]
    assert found.holds("app/a.js") is None
    source.touch()
    assert found.holds("app/a.js") is True


def test_only_so_many_files_are_read(app: ImageFolder) -> None:
    app.dockerfile("FROM system\nCOPY a.js /srv/\n")
    found = files_of(app, a="a.js\n")
    assert [found.holds("app/a.js") for _ in range(MOST_READ + 1)] == [True] * MOST_READ + [None]
