"""Files that cannot be loaded, read or run: told by what the program wrote last, with their name in the project."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from verify_parts import UNHEALTHY, failed, make_container, make_evidence, make_port, make_project, make_result

from layerstack.dockerfile.image import Image
from layerstack.engine.container import Mount
from layerstack.project.project import Service
from layerstack.verify.answer_faults import check_failed
from layerstack.verify.code_faults import cannot_load, read_complaint
from layerstack.verify.container_faults import not_executable
from layerstack.verify.listening import Listener
from layerstack.verify.right_faults import unreadable

NODE_SYNTAX = """\
file:///app/src/server.js:48
const x = ;
          ^

SyntaxError: Unexpected token ';'
    at ModuleLoader.moduleStrategy (node:internal/modules/esm/translators:152:18)

Node.js v18.20.4"""
NODE_REQUIRE = """\
node:internal/modules/cjs/loader:1137
  throw err;
  ^

Error: Cannot find module './setings.js'
Require stack:
- /app/src/server.js
    at Module._resolveFilename (node:internal/modules/cjs/loader:1134:15)
    at Object.<anonymous> (/app/src/server.js:3:26) {
  code: 'MODULE_NOT_FOUND',
}"""
NODE_PACKAGE = """\
node:internal/errors:496
Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'express' imported from /app/src/server.js
    at new NodeError (node:internal/errors:405:5)
  code: 'ERR_MODULE_NOT_FOUND'"""
PYTHON_SYNTAX = """\
Traceback (most recent call last):
  File "/opt/venv/lib/python3.9/site-packages/gunicorn/util.py", line 371, in import_app
    mod = importlib.import_module(module)
  File "/app/src/main.py", line 12
    serve(
         ^
SyntaxError: '(' was never closed"""
PYTHON_PACKAGE = """\
Traceback (most recent call last):
  File "/app/src/main.py", line 4, in <module>
    import psycopg
ModuleNotFoundError: No module named 'psycopg'"""
JSON_LOG = (
    '{"level": "error", "error": "SyntaxError: invalid syntax (main.py, line 7)", "traceback": "Traceback:\\n'
    '  File \\"/app/src/main.py\\", line 7\\n    x = (\\nSyntaxError: invalid syntax"}'
)
SOURCES = Mount("bind", "/shop/api/src", "/app/src", is_writable=False)


@pytest.mark.parametrize(
    ("log", "kind", "named"),
    [
        (NODE_SYNTAX, "code-broken", "api/src/server.js:48"),
        (NODE_REQUIRE, "code-broken", "api/src/server.js:3"),
        (NODE_PACKAGE, "module-missing", "express"),
        (PYTHON_SYNTAX, "code-broken", "api/src/main.py:12"),
        (PYTHON_PACKAGE, "module-missing", "psycopg"),
        (JSON_LOG, "code-broken", "api/src/main.py:7"),
    ],
)
@pytest.mark.parametrize("is_watched", [False, True])
def test_the_file_and_line_are_named(log: str, kind: str, named: str, is_watched: bool) -> None:
    one = make_container("api", status="running" if is_watched else "exited", exit_code=0 if is_watched else 1)
    one = replace(one, mounts=(SOURCES,), ports=(make_port(),))
    seen = make_evidence(
        make_project({"api": {}}, Path("/shop")),
        make_result(one, failed(), verdict=UNHEALTHY),
        log=tuple(log.splitlines()),
        listeners=() if is_watched else None,
    )
    found = cannot_load(seen)
    assert found is not None
    again = "restart" if is_watched and kind == "code-broken" else "up"
    assert (found.kind, found.repair) == (kind, f"invoke {again} api")
    assert named in found.change


@pytest.mark.parametrize(
    "log",
    [
        "ready\nGET / 200",
        f"{NODE_SYNTAX}\nsaved, starting again",
        f"{PYTHON_PACKAGE}\nlistening on 8000",
        "SyntaxError: Unexpected token } in JSON at position 5",
        "TypeError: x is not a function\n    at /app/src/server.js:3:1",
    ],
)
def test_other_words_are_no_broken_code(log: str) -> None:
    assert read_complaint(log.splitlines()) is None


def test_a_program_that_listens_is_loaded() -> None:
    one = make_container("api", ports=(make_port(),))
    seen = make_evidence(
        make_project({"api": {}}),
        make_result(one, failed()),
        log=tuple(PYTHON_PACKAGE.splitlines()),
        listeners=(Listener("0.0.0.0", 80),),
    )
    assert cannot_load(seen) is None


def test_an_end_from_outside_is_no_broken_code() -> None:
    one = make_container("api", status="exited", exit_code=137)
    seen = make_evidence(make_project({"api": {}}), make_result(one, failed()), log=tuple(NODE_SYNTAX.splitlines()))
    assert cannot_load(seen) is None


@pytest.mark.parametrize(
    ("mode", "user", "is_named"),
    [(0o600, "app", True), (0o640, "12345:12345", True), (0o644, "app", False), (0o600, str(os.getuid()), False)],
)
def test_a_mounted_file_that_its_user_may_not_read_is_told_by_its_mode(
    tmp_path: Path, mode: int, user: str, is_named: bool
) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "server.js").touch()
    (tmp_path / "server.js").chmod(mode)
    mount = Mount("bind", str(tmp_path), "/app/src", is_writable=False)
    one = make_container("api", status="exited", exit_code=1, mounts=(mount,), user=user)
    log = ("Error: EACCES: permission denied, open '/app/src/server.js'",)
    found = unreadable(make_evidence(make_project({"api": {}}, tmp_path), make_result(one, failed()), log=log))
    assert bool(found) == is_named
    if found:
        assert (found.kind, found.repair) == ("file-unreadable", "chmod a+r server.js && invoke up api")
        assert f"{mode:o}" in found.cause
        assert user in found.cause


@pytest.mark.parametrize(
    ("error", "log"),
    [
        ('exec: "/app/src/start.sh": permission denied', ()),
        ('exec: "./start.sh": permission denied', ()),
        ("", ("[FATAL tini (8)] exec /app/src/start.sh failed: Permission denied",)),
    ],
)
def test_a_program_that_may_not_be_run_is_named(tmp_path: Path, error: str, log: tuple[str, ...]) -> None:
    (tmp_path / "api" / "src").mkdir(parents=True)
    (tmp_path / "api" / "src" / "start.sh").touch()
    mount = replace(SOURCES, source=str(tmp_path / "api" / "src"))
    one = make_container("api", status="exited", exit_code=126, error=error, mounts=(mount,), folder="/app/src")
    project = make_project({"api": {}}, tmp_path)
    found = not_executable(make_evidence(project, make_result(one, failed()), log=log))
    assert found is not None
    assert (found.kind, found.repair) == ("not-executable", "chmod +x api/src/start.sh && invoke up api")
    # In an image it is copied by a build.
    services = {"api": Service("api", "api:1", (), {"build": {"context": "api"}})}
    built = replace(project, services=services, images={"api": Image("api", "api", tags=("api:1",))})
    inside = not_executable(make_evidence(built, make_result(replace(one, mounts=()), failed()), log=log))
    assert inside is not None
    assert inside.repair == "chmod +x api/src/start.sh && invoke build api && invoke up"


def test_a_program_that_listens_and_does_not_answer_is_deaf() -> None:
    one = make_container("api", ports=(make_port(),), health="healthy")
    silent = failed("page", "GET / → no answer within 2 s")
    listening = (Listener("0.0.0.0", 80),)
    found = check_failed(make_evidence(make_project({"api": {}}), make_result(one, silent), listeners=listening))
    assert found is not None
    assert (found.kind, found.repair) == ("deaf", "invoke restart api")
    elsewhere = check_failed(make_evidence(make_project({"api": {}}), make_result(one, silent), listeners=()))
    assert elsewhere is not None
    assert elsewhere.kind == "no-answer"
