"""The project's own file behind a path of a container."""

from pathlib import Path

import pytest

from layerstack.dockerfile.image import Image
from layerstack.project.project import Project, Service
from layerstack.run.own_file import find_own

DOCKERFILE = """FROM node AS build
COPY src /srv/src
FROM nginx
COPY nginx.conf /etc/nginx/conf.d/default.conf
COPY settings.ini more.ini /etc/app/
COPY --from=build /srv/src /www
COPY $X /etc/other.conf
"""


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/etc/nginx/conf.d/default.conf", "nginx.conf"),
        ("/etc/app/settings.ini", "settings.ini"),
        ("/etc/app/more.ini", "more.ini"),
        ("/srv/src/main.js", "src/main.js"),
        ("/app/src/main.js", "src/main.js"),
        ("/etc/other.conf", ""),
    ],
)
def test_a_file_that_copy_has_renamed(tmp_path: Path, path: str, name: str) -> None:
    folder = tmp_path / "web"
    (folder / "src").mkdir(parents=True)
    for file in ("nginx.conf", "settings.ini", "more.ini", "src/main.js"):
        (folder / file).touch()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    service = Service("web", "web:1", (), {"build": {}})
    shop = Project(tmp_path, "shop", "cpu", (), (), {"web": Image("web", "web")}, {"web": service})
    assert find_own(shop, service, None, path) == (folder / name if name else None)


def test_what_is_copied_last_is_what_the_image_has(tmp_path: Path) -> None:
    for file in ("default.conf", "own.conf"):
        (tmp_path / file).touch()
    (tmp_path / "Dockerfile").write_text("FROM nginx\nCOPY default.conf /etc/x.conf\nCOPY own.conf /etc/x.conf\n")
    service = Service("web", "web:1", (), {"build": {}})
    shop = Project(tmp_path, "shop", "cpu", (), (), {"web": Image("web", ".")}, {"web": service})
    assert find_own(shop, service, None, "/etc/x.conf") == tmp_path / "own.conf"
