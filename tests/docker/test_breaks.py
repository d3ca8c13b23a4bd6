"""Breaks of two foreign projects: service, kind and repair are named, and what is said to do ends each of them."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from broken_project import BrokenProject, broken_project
from ports import free_port

from layerstack.project import choices

pytestmark = [pytest.mark.docker, pytest.mark.long]
# A start ends with the cause long before the services' own patience (30 s of start period and more) is over.
UP_SECONDS = 25.0
LISTEN = (
    "import socket, time; s = socket.create_server(('127.0.0.1', {port})); print('ready', flush=True); time.sleep(99)"
)

Step = Callable[[BrokenProject], object]


@dataclass(frozen=True)
class Break:
    """`change` is what the diagnosis must name for a person to edit, "" where its command does all.

    By `up` it is met by somebody who starts the stack, by `build` only in a new image, else by `docker compose up`.
    """

    do: Step
    service: str
    kind: str
    repair: str
    change: str = ""
    by: str = "compose"


def edit(name: str, old: str, new: str) -> Step:
    return lambda found: found.edit(name, old, new)


def env(**variables: str) -> Step:
    return lambda found: found.write(".env", "".join(f"{name}={value}\n" for name, value in variables.items()))


def docker(*words: str, then: tuple[str, ...] = ()) -> Step:
    def do(found: BrokenProject) -> None:
        for one in filter(None, (words, then)):
            found.docker(*(word.replace("NAME", found.name) for word in one))

    return do


def anew(service: str, step: Step) -> Step:
    """A step, after which the program of a service begins anew."""
    return lambda found: [step(found), found.docker("restart", "--time", "0", found.container(service))]


def unapplied(step: Step) -> Step:
    """A break that is edited away without anybody applying that."""
    return lambda found: [step(found), found.compose_up(), found.mend()]


def mode(name: str, bits: int) -> Step:
    return lambda found: (found.root / name).chmod(bits)


SERVER, MAIN, YAML = "api/server.js", "app/main.py", "compose.yaml"
URL = "tcp://shop:secret@{}/shop"
RAN = "[node, /srv/web.js]"
# The first listens where the health check does not ask: it would pass until the second one has ended.
FIRST = 'require(\\"http\\").createServer().listen(8080, \\"127.0.0.9\\")'
TWICE = f"""[sh, -c, "node -e '{FIRST}' & sleep 1; exec node /srv/web.js"]"""
SCHEME = """[node, -e, "throw Error('its scheme must be one of postgres://, postgresql://')"]"""
NOT_THERE = 'tmpfs: ["/srv/none"]\n    entrypoint: [sh, -c, "cat /srv/none/settings.txt; exit 1"]\n    ports:'
OTHER_OWNER = "run --rm --volume NAME_notes:/n --user 0 layerstack-test/python chown -R 0 /n"
CHOWN = "docker compose run .* chown notes -R 10001:10001 /notes && invoke up"
AGAIN = "invoke build notes && invoke up"
SHOP = {
    "host": Break(
        env(DATABASE_URL=URL.format("dbb:5432")), "api", "unknown-host", "invoke up api", "DATABASE_URL in", "up"
    ),
    "port": Break(
        env(DATABASE_URL=URL.format("db:5433")), "api", "wrong-port", "invoke up api", "DATABASE_URL in", "up"
    ),
    "itself": Break(
        env(DATABASE_URL=URL.format("127.0.0.1:5432")),
        "api",
        "address-of-itself",
        "invoke up api",
        "DATABASE_URL in",
        "up",
    ),
    "password": Break(
        env(DATABASE_URL="tcp://shop:other@db:5432/shop"),
        "api",
        "wrong-credentials",
        "invoke up api",
        "DATABASE_URL in",
        "up",
    ),
    "web-host": Break(env(API_URL="http://apo:8000"), "web", "unknown-host", "invoke up web", "API_URL in"),
    "web-port": Break(env(API_URL="http://api:8001"), "web", "wrong-port", "invoke up web", "API_URL in"),
    "data": Break(env(DB_PASSWORD="changed"), "db", "wrong-credentials", "invoke up", "DB_PASSWORD in", "up"),
    "unset": Break(env(DATABASE_URL=""), "api", "variable-missing", "invoke up api", "DATABASE_URL", "up"),
    "loopback": Break(env(LISTEN="127.0.0.1"), "web", "listens-on-loopback", "invoke up web", "0.0.0.0"),
    "syntax": Break(
        anew("api", edit(SERVER, "const answer = ", "const answer = ;")),
        "api",
        "code-broken",
        "invoke up api",
        f"{SERVER}:18",
    ),
    "bracket": Break(
        anew("api", edit("api/settings.js", "'utf8');", "'utf8';")),
        "api",
        "code-broken",
        "invoke up api",
        "settings.js:3",
        "up",
    ),
    "own-module": Break(
        anew("api", edit(SERVER, "./settings.js", "./setings.js")), "api", "code-broken", "invoke up api", f"{SERVER}:3"
    ),
    "package": Break(
        anew("api", edit(SERVER, "./settings.js", "all-settings")),
        "api",
        "module-missing",
        "invoke up api",
        "all-settings",
        "up",
    ),
    "mode": Break(anew("api", mode(SERVER, 0o600)), "api", "file-unreadable", f"chmod a\\+r {SERVER} && invoke up api"),
    "setting-mode": Break(
        anew("api", mode("api/settings.txt", 0o640)),
        "api",
        "file-unreadable",
        r"chmod a\+r api/settings.txt && invoke up api",
    ),
    "folder-mode": Break(
        anew("api", mode("api", 0o700)), "api", "file-unreadable", r"chmod a\+rx api && invoke up api"
    ),
    "hidden": Break(
        edit(YAML, 'ports: ["127.0.0.1:${API', NOT_THERE + ' ["127.0.0.1:${API'),
        "api",
        "file-missing",
        "invoke up api",
        YAML,
    ),
    "read-only": Break(edit(YAML, '/uploads"', '/uploads:ro"'), "web", "volume-unwritable", "invoke up web", YAML),
    "memory": Break(edit(YAML, RAN, f"{RAN}\n    mem_limit: 6m"), "web", "out-of-memory", "invoke up web", YAML, "up"),
    "command": Break(edit(YAML, RAN, "[nodee, /srv/web.js]"), "web", "command-missing", "invoke up web", YAML, "up"),
    "not-executable": Break(
        edit(YAML, RAN, "[/srv/web.js]"), "web", "not-executable", r"chmod \+x web.js && invoke up web", by="up"
    ),
    "check-program": Break(
        edit(YAML, "[CMD, node, /srv", "[CMD, absent, /srv"), "db", "health-program-missing", "invoke up db", YAML, "up"
    ),
    "mapping": Break(edit(YAML, ':8080"]', ':80"]'), "web", "wrong-port", "invoke up web", YAML),
    "user": Break(
        edit(YAML, "user: root\n    ports", "user: shopper\n    ports"),
        "web",
        "user-unknown",
        "invoke up web",
        YAML,
        "up",
    ),
    "mount-name": Break(
        edit(YAML, "./web.js:", "./wev.js:"),
        "web",
        "mount-mismatch",
        "rmdir wev.js && docker rm -f NAME-web-1 && invoke up web",
        YAML,
        "up",
    ),
    "misspelt": Break(
        edit(YAML, "      DATABASE_URL: $", "      DATABSE_URL: $"),
        "api",
        "variable-missing",
        "invoke up api",
        "write DATABASE_URL for DATABSE_URL",
        "up",
    ),
    "misnamed": Break(
        edit(YAML, "api/server.js]", "api/serve.js]"), "api", "file-missing", "invoke up api", YAML, by="up"
    ),
    "written": Break(
        anew("web", edit("web.js", "${process.env.API_URL}/", "http://apo:8000/")),
        "web",
        "unknown-host",
        "invoke restart web",
        "web.js:7",
    ),
    "repeated": Break(
        edit(YAML, f"command: {RAN}", f"entrypoint: [node]\n    command: {RAN}"),
        "web",
        "command-missing",
        "invoke up web",
        f"remove node from command in {YAML}",
        "up",
    ),
    "two-programs": Break(edit(YAML, RAN, TWICE), "web", "port-held", "invoke up web", YAML, "up"),
    "unapplied": Break(unapplied(env(LISTEN="127.0.0.1")), "web", "listens-on-loopback", "invoke up web"),
    "killed": Break(docker("kill", "NAME-api-1"), "api", "killed", "invoke up"),
    "database-killed": Break(docker("kill", "NAME-db-1"), "db", "killed", "invoke up"),
    "paused": Break(docker("pause", "NAME-db-1"), "db", "paused", "docker unpause NAME-db-1"),
    "frozen": Break(
        docker("exec", "NAME-web-1", "sh", "-c", "kill -STOP $(pidof node)"), "web", "frozen", "invoke restart web"
    ),
    "deaf": Break(lambda found: found.ask("api", "/hang"), "api", "deaf", "invoke restart api"),
    "detached": Break(
        docker("network", "disconnect", "NAME_default", "NAME-api-1"),
        "api",
        "network-detached",
        "docker network connect --alias api NAME_default NAME-api-1",
    ),
    "address": Break(
        edit(YAML, '"127.0.0.1:${WEB', '"192.0.2.7:${WEB'), "web", "port-misplaced", "invoke up web", "192.0.2.7", "up"
    ),
    "scheme": Break(
        edit(YAML, "[node, /srv/api/server.js]", SCHEME), "api", "variable-wrong", "invoke up api", "DATABASE_URL", "up"
    ),
    "removed": Break(docker("rm", "-f", "NAME-web-1"), "web", "not-started", "invoke up"),
}
NOTES = {
    "syntax": Break(edit(MAIN, "forever()", "forever("), "notes", "code-broken", AGAIN, f"{MAIN}:2", "build"),
    "indentation": Break(
        edit("app/store.py", "        self.path.touch", "       self.path.touch"),
        "notes",
        "code-broken",
        AGAIN,
        "store.py:9",
        "build",
    ),
    "package": Break(
        edit(MAIN, "import os\n", "import os\nimport of_nobody\n"),
        "notes",
        "module-missing",
        AGAIN,
        "of_nobody",
        "build",
    ),
    "own-name": Break(
        edit(MAIN, "import Store", "import Storage"), "notes", "code-broken", AGAIN, f"{MAIN}:6", "build"
    ),
    "own-module": Break(edit(MAIN, "app.store", "app.stores"), "notes", "code-broken", AGAIN, f"{MAIN}:6", "build"),
    "unset": Break(edit(YAML, "NOTES_DIR: ", "NOTES: "), "notes", "variable-missing", "invoke up notes", "NOTES_DIR"),
    "owner": Break(anew("notes", docker(*OTHER_OWNER.split())), "notes", "volume-unwritable", CHOWN),
    "listens": Break(
        edit(MAIN, "0.0.0.0", "127.0.0.1"), "notes", "listens-on-loopback", AGAIN, "0.0.0.0 in app/main.py:", "build"
    ),
    "module": Break(
        edit("Dockerfile", '"app.main"', '"mian"'), "notes", "module-missing", AGAIN, "Dockerfile:6 (CMD)", "build"
    ),
    "not-the-volume": Break(
        edit(MAIN, "import os\n", "import os\nopen('/srv/log.txt', 'w')\n"),
        "notes",
        "file-unwritable",
        AGAIN,
        "/srv",
        "build",
    ),
    "image": Break(docker("rm", "-f", "NAME-notes-1", then=("rmi", "NAME-notes")), "notes", "image-missing", AGAIN),
    "memory": Break(
        edit(YAML, "build: .\n", "build: .\n    mem_limit: 6m\n"),
        "notes",
        "out-of-memory",
        "invoke up notes",
        YAML,
        "up",
    ),
}


@pytest.fixture(scope="module")
def shop(node_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokenProject]:
    ports = {"API_PORT": str(free_port()), "WEB_PORT": str(free_port())}
    with broken_project("shop", tmp_path_factory.mktemp("shop"), ports) as found:
        yield found


@pytest.fixture(scope="module")
def notes(engine_client: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokenProject]:
    from conftest import ROOT

    python = choices.read(ROOT).get("PYTHON_IMAGE") or "python:3.9-slim"
    engine_client.images.get(python).tag("layerstack-test/python")
    with broken_project("notes", tmp_path_factory.mktemp("notes"), {"NOTES_PORT": str(free_port())}) as found:
        yield found


@pytest.mark.parametrize("name", SHOP)
def test_a_break_of_mounted_programs(shop: BrokenProject, name: str) -> None:
    meet(shop, SHOP[name])


@pytest.mark.parametrize("name", NOTES)
def test_a_break_of_a_built_program(notes: BrokenProject, name: str) -> None:
    meet(notes, NOTES[name])


def meet(found: BrokenProject, one: Break) -> None:
    """Break it, read what is said of it, and do that."""
    one.do(found)
    if one.by == "up":
        service, kind, way_out = refused(found)
    else:
        if one.by == "build":
            found.build()
        if one.change:
            found.compose_up()
        named = found.diagnosis()
        service, kind, way_out = named.service, named.kind, named.way_out
    assert (service, kind) == (one.service, one.kind), way_out
    change, _, repair = way_out.rstrip("`").rpartition("`")
    assert re.fullmatch(one.repair.replace("NAME", found.name), repair), way_out
    assert one.change in change, way_out
    found.mend()
    found.type(repair)


def refused(found: BrokenProject) -> tuple[str, str, str]:
    """Service, kind and repair of a start that ends with them long before its services lose patience."""
    started = time.monotonic()
    error = found.refused()
    assert time.monotonic() - started < UP_SECONDS
    return error.service, error.kind, error.advice


def test_a_program_of_the_host_holds_the_port(shop: BrokenProject) -> None:
    port = shop.load().services["api"].ports[0].published
    shop.docker("rm", "-f", shop.container("api"))
    words = [sys.executable, "-c", LISTEN.format(port=port)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            holder.stdout.readline()
            named = shop.diagnosis()
            assert (named.service, named.kind, named.repair) == ("api", "port-held", f"kill {holder.pid} && invoke up")
            shop.type(named.repair)
        finally:
            holder.kill()
