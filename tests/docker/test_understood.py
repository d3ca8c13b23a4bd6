"""Every row of the table of understood constructs against the real builder.

Each is built twice, which must run nothing the second time, then changed: BuildKit and our reading must both notice.
"""

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.random_dockerfiles import Built, build_scenes, read_manifest, remove_images
from benchmarks.random_scenes import RUN_BASE, Scene
from layerstack.build.inputs import Manifest
from layerstack.dockerfile import understood

pytestmark = pytest.mark.docker

SERVED = b"served"
CHECKSUM = hashlib.sha256(SERVED).hexdigest()


@dataclass(frozen=True)
class Row:
    """A Dockerfile, and either its changed text or a file of the context that changes."""

    before: str
    after: str = ""
    path: str = ""


def mount(options: str) -> Row:
    return Row(
        f"FROM scratch AS s\nCOPY a /a\nFROM {RUN_BASE}\nCOPY c /c\nRUN --mount={options} ls -d /m > /n\n", path="a"
    )


def of_cache(options: str, changed: str) -> Row:
    text = "FROM {base}\nCOPY a /a\nRUN --mount=type=cache,{options} true\n"
    return Row(text.format(base=RUN_BASE, options=options), text.format(base=RUN_BASE, options=changed))


def text(before: str, after: str) -> Row:
    return Row(f"FROM {RUN_BASE}\nCOPY a /a\n{before}\n", f"FROM {RUN_BASE}\nCOPY a /a\n{after}\n")


HEALTH_UNITS = {"interval": "s", "timeout": "s", "start-period": "s", "start-interval": "s", "retries": ""}
ROWS = {
    "ADD": Row("FROM scratch\nADD a /a\n", path="a"),
    "ADD --chown": text("ADD --chown=1:1 c /c", "ADD --chown=2:2 c /c"),
    "ADD --chmod": text("ADD --chmod=600 c /c", "ADD --chmod=640 c /c"),
    "ADD --link": Row("FROM scratch\nADD --link a /a\n", path="a"),
    "ADD --exclude": text("ADD --exclude=*.md src /s", "ADD --exclude=*.py src /s"),
    "ADD --checksum": text(f"ADD --checksum=sha256:{CHECKSUM} URL /f", f"ADD --checksum=sha256:{CHECKSUM} URL /g"),
    "ARG": text("ARG V=1\nRUN true", "ARG V=2\nRUN true"),
    "CMD": text('CMD ["a"]', 'CMD ["b"]'),
    "COPY": Row("FROM scratch\nCOPY a /a\n", path="a"),
    "COPY --from": Row("FROM scratch AS s\nCOPY a /a\nFROM scratch\nCOPY --from=s /a /b\n", path="a"),
    "COPY --chown": text("COPY --chown=1:1 c /c", "COPY --chown=2:2 c /c"),
    "COPY --chmod": text("COPY --chmod=600 c /c", "COPY --chmod=640 c /c"),
    "COPY --link": Row("FROM scratch\nCOPY --link a /a\n", path="a"),
    "COPY --exclude": text("COPY --exclude=*.md src /s", "COPY --exclude=*.py src /s"),
    "ENTRYPOINT": text('ENTRYPOINT ["a"]', 'ENTRYPOINT ["b"]'),
    "ENV": text("ENV V=1\nRUN true", "ENV V=2\nRUN true"),
    "EXPOSE": text("EXPOSE 80", "EXPOSE 81"),
    "FROM": Row("FROM scratch\nCOPY a /a\n", f"FROM {RUN_BASE}\nCOPY a /a\n"),
    "FROM --platform": Row(f"FROM --platform=$BUILDPLATFORM {RUN_BASE}\nCOPY a /a\n", path="a"),
    "HEALTHCHECK": text("HEALTHCHECK CMD a", "HEALTHCHECK CMD b"),
    **{
        f"HEALTHCHECK --{name}": text(f"HEALTHCHECK --{name}=3{unit} CMD a", f"HEALTHCHECK --{name}=4{unit} CMD a")
        for name, unit in (
            ("interval", "s"),
            ("timeout", "s"),
            ("start-period", "s"),
            ("start-interval", "s"),
            ("retries", ""),
        )
    },
    "LABEL": text("LABEL a=1", "LABEL a=2"),
    "MAINTAINER": text("MAINTAINER a", "MAINTAINER b"),
    "ONBUILD": Row("FROM scratch AS s\nONBUILD COPY a /b\nFROM s\nCOPY c /c\n", path="a"),
    "RUN": text("RUN echo a", "RUN echo  a"),
    "RUN --network": text("RUN --network=none true", "RUN true"),
    "RUN --mount": mount("target=/m,source=a"),
    "SHELL": text('SHELL ["/bin/sh", "-c"]\nRUN true', 'SHELL ["/bin/bash", "-c"]\nRUN true'),
    "STOPSIGNAL": text("STOPSIGNAL 9", "STOPSIGNAL 15"),
    "USER": text("USER 1\nRUN true", "USER 2\nRUN true"),
    "VOLUME": text("VOLUME /a", "VOLUME /b"),
    "WORKDIR": text("WORKDIR /a  b", "WORKDIR /a b"),
    "bind source": mount("type=bind,target=/m,source=a"),
    "bind src": mount("type=BIND,target=/m,src=a"),
    "bind target": mount("target=/m"),
    "bind dst": mount("dst=/m,source=a"),
    "bind destination": mount("Destination=/m,source=a"),
    "bind from": mount("from=s,target=/m"),
    "bind readonly": mount("target=/m,readonly"),
    "bind ro": mount("target=/m,ro=true"),
    "bind rw": mount("target=/m,rw"),
    "bind readwrite": mount("target=/m,source=a,readwrite"),
    **{
        f"secret {name}": text(
            f"RUN --mount=type=secret,id=none,{name}={before} true",
            f"RUN --mount=type=secret,id=none,{name}={after} true",
        )
        for name, before, after in (
            *(("target", "/m", "/n"), ("dst", "/m", "/n"), ("destination", "/m", "/n"), ("mode", "0400", "0440")),
            *(("uid", "1", "2"), ("gid", "1", "2"), ("env", "A", "B")),
        )
    },
    "secret id": text("RUN --mount=type=secret,id=none true", "RUN --mount=type=secret,id=nobody true"),
    "secret required": text(
        "RUN --mount=type=secret,id=none,required=false true", "RUN --mount=type=secret,id=none,required=false true a"
    ),
    "cache source": of_cache("target=/m,from=s,source=/x", "target=/n,from=s,source=/x"),
    "cache target": of_cache("target=/m", "target=/n"),
    "cache dst": of_cache("dst=/m", "dst=/n"),
    "cache destination": of_cache("destination=/m", "destination=/n"),
    "cache id": of_cache("target=/m,id=one", "target=/n,id=one"),
    "cache sharing": of_cache("target=/m,sharing=locked", "target=/n,sharing=locked"),
    "cache uid": of_cache("target=/m,uid=1", "target=/n,uid=1"),
    "cache gid": of_cache("target=/m,gid=1", "target=/n,gid=1"),
    "cache mode": of_cache("target=/m,mode=700", "target=/n,mode=700"),
    "cache from": of_cache("target=/m,from=s", "target=/n,from=s"),
    "cache src": of_cache("target=/m,from=s,src=/x", "target=/n,from=s,src=/x"),
    "cache readonly": of_cache("target=/m,readonly", "target=/n,readonly"),
    "cache ro": of_cache("target=/m,ro", "target=/n,ro"),
    "tmpfs target": text("RUN --mount=type=tmpfs,target=/m true", "RUN --mount=type=tmpfs,target=/n true"),
    "tmpfs dst": text("RUN --mount=type=tmpfs,dst=/m true", "RUN --mount=type=tmpfs,dst=/n true"),
    "tmpfs destination": text(
        "RUN --mount=type=tmpfs,destination=/m true", "RUN --mount=type=tmpfs,destination=/n true"
    ),
    "tmpfs size": text(
        "RUN --mount=type=tmpfs,target=/m,size=1m true", "RUN --mount=type=tmpfs,target=/m,size=2m true"
    ),
    "escape": Row("# escape=`\nFROM scratch\nCOPY `\n a /a\n", path="a"),
    "check": Row("# check=skip=all\nFROM scratch\nCOPY a /a\n", path="a"),
}


def test_every_row_of_the_table_is_here() -> None:
    flags = {" --".join((keyword, name)) for keyword, names in understood.FLAGS.items() for name in names}
    options = {f"{kind} {name}" for kind, names in understood.MOUNTS.items() for name in names}
    assert set(ROWS) == {*understood.FLAGS, *flags, *options, *understood.DIRECTIVES}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "f").write_bytes(SERVED)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/f"
        server.shutdown()


@dataclass(frozen=True)
class Results:
    """Three builds of every row: the first, the same again, and after the change; and what we read before and after."""

    builds: tuple[dict[str, Built], dict[str, Built], dict[str, Built]]
    manifests: tuple[dict[str, Manifest | None], dict[str, Manifest | None]]


def written(row: str, address: str) -> str:
    """The Dockerfile of a row; one with a cache mount has a stage that the mount can begin with."""
    stage = "FROM scratch AS s\nCOPY c /x/y\n" if "type=cache" in row else ""
    return (stage + row).replace("URL", address)


def scene_of(root: Path, number: int, row: Row, address: str) -> Scene:
    scene = Scene(root / f"scene{number}", number)
    for name in ("a", "c", "src/x.py", "src/y.md"):
        path = scene.context / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{root} {number} {name}\n")
    scene.lines = [written(row.before, address)]
    scene.definition = {"context": str(scene.context), "tags": [f"understood-{scene.name}"]}
    scene.write()
    return scene


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, address: str) -> Iterator[Results]:
    root = tmp_path_factory.mktemp("understood")
    scenes = [scene_of(root, number, row, address) for number, row in enumerate(ROWS.values())]
    first, second = build_scenes(root, scenes), build_scenes(root, scenes)
    before = {scene.name: read_manifest(root, scene) for scene in scenes}
    for scene, row in zip(scenes, ROWS.values(), strict=True):
        if row.path:
            (scene.context / row.path).write_text("changed\n")
        else:
            scene.lines = [
                scene.lines[0].replace(row.before.replace("URL", address), row.after.replace("URL", address))
            ]
            if "type=cache" in row.before:
                scene.lines = ["FROM scratch AS s\nCOPY c /x/y\n" + row.after]
            scene.write()
    third = build_scenes(root, scenes)
    after = {scene.name: read_manifest(root, scene) for scene in scenes}
    yield Results((first, second, third), (before, after))
    remove_images(scenes)


@pytest.mark.parametrize(("number", "name"), list(enumerate(ROWS)), ids=list(ROWS))
def test_a_row(results: Results, number: int, name: str) -> None:
    scene = f"scene{number}"
    first, second, third = (build[scene] for build in results.builds)
    # The address itself is asked every time; what came of it is not copied again.
    assert [step for step in second.executed if "http://" not in step] == []
    assert first.image_id == second.image_id
    assert third.executed or third.image_id != second.image_id, "the row changes nothing"
    before, after = (manifests[scene] for manifests in results.manifests)
    assert before
    assert after
    assert (before.unknown, after.unknown) == ((), ())
    assert before.digest != after.digest
