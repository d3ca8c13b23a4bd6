"""Names, values and ports that a project writes wrongly: the place of each, by what its container shows and says."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from verify_parts import failed, make_container, make_evidence, make_project, make_result

from layerstack.engine.container import Mount
from layerstack.engine.ports import Holder
from layerstack.run.fault import Fault
from layerstack.run.health import Verdict
from layerstack.verify.diagnosis import name_fault
from layerstack.verify.listening import Listener

COMPOSE = """\
services:
  api:
    image: api
    command: [sh, -c, "wait-for db:5433; exec serve"]
    working_dir: /app
    cap_drop: [ALL]
    network_mode: host
    environment:
      DB_HOST: db
      DB_PORT: "5433"
      LEVEL: verbos
      TOKN: x
      API_URL: https://db:5432
  db:
    image: db
"""
ENDED = Verdict("failed", "exited", "exited with code 1")
REFUSED = "connect ECONNREFUSED 172.18.0.2:8080"
UNKNOWN = "getaddrinfo ENOTFOUND postgres"
IN_USE = "Error: listen EADDRINUSE: address already in use :::8000"
STARTS_TWO = ("sh", "-c", "node a.js >/dev/null 2>&1 & sleep 1; exec node b.js")
LOCKED = "A server is already running (pid: 1, file: /data/server.pid)."
UNTRUSTED = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"


def fault(
    root: Path, said: str, definition: dict[str, Any] | None = None, peer: dict[str, Any] | None = None, **changes: Any
) -> Fault:
    """Of `api`, which has ended with these words, beside a `db` that listens on 5432."""
    (root / "compose.yml").write_text(COMPOSE)
    project = make_project({"api": definition or {}, "db": {}}, root)
    holder = changes.pop("holder", None)
    one = make_container("api", **{"status": "exited", "exit_code": 1, **changes})
    result = make_result(one, failed("running", ENDED.reason, link="running"), verdict=ENDED)
    names = {"shop_default": ("db", "172.18.0.2")}
    other = make_container("db", **{"networks": names, "health": "healthy", **(peer or {})})
    known = {"peers": {"db": other}, "peer_listeners": {"db": (Listener("0.0.0.0", 5432),)}}
    seen = make_evidence(project, result, log=tuple(said.splitlines()), holder_of=lambda _: holder, **known)
    return name_fault(seen)


def mounted(root: Path, name: str, text: str) -> tuple[Mount, ...]:
    (root / name).write_text(text)
    return (Mount("bind", str(root / name), f"/srv/{name}", False),)


def environment(**values: str) -> dict[str, Any]:
    return {"definition": {"environment": values}, "environment": values}


@pytest.mark.parametrize(
    ("said", "text", "kind", "words", "change"),
    [
        (UNKNOWN, "x\nopen('postgres')", "unknown-host", "postgres", "correct proxy.js:2"),
        (UNKNOWN, "x", "unknown-host", "postgres", "correct that name in the program or the settings of api"),
        (REFUSED, "to http://db:8080/x", "wrong-port", "listens on 5432", "correct proxy.js:1"),
        ("waiting for db:5433", "", "wrong-port", "listens on 5432", "correct compose.yml:4"),
        ("Connection ended from 172.18.0.2:5433", "", "crashed", "", ""),
        ("user:1234 connected", "", "crashed", "", ""),
        (UNKNOWN, "postgres://db\nopen('postgres')", "unknown-host", "postgres", "correct proxy.js:2"),
        ("connection from 172.18.0.2:56470 timed out", "", "crashed", "", ""),
        ("error at status:500, not resolved", "status:500", "crashed", "", ""),
    ],
)
def test_an_address_that_no_variable_holds(
    tmp_path: Path, said: str, text: str, kind: str, words: str, change: str
) -> None:
    found = fault(tmp_path, said, mounts=mounted(tmp_path, "proxy.js", text))
    assert (found.kind in (kind, "one-shot-failed"), found.change) == (True, change)
    assert words in found.cause


def test_a_running_program_is_restarted_after_the_correction(tmp_path: Path) -> None:
    mounts = mounted(tmp_path, "proxy.js", "http://db:8080")
    assert fault(tmp_path, REFUSED, mounts=mounts, status="running").repair == "invoke restart api"


def test_the_port_of_a_host_in_a_variable_of_its_own(tmp_path: Path) -> None:
    found = fault(tmp_path, "Connection refused", **environment(DB_HOST="db", DB_PORT="5433"))
    assert (found.kind, found.change) == ("wrong-port", "correct DB_PORT in compose.yml:10")


def test_who_was_started_too_early_waits_for_the_other(tmp_path: Path) -> None:
    found = fault(tmp_path, "Connection refused", {"depends_on": {"db": {}}}, {"health": "starting"})
    assert "before db was ready" in found.cause
    assert "service_healthy" in found.change
    assert found.repair == "invoke up api"
    own = fault(tmp_path, "127.0.0.1:9000 refused", {"depends_on": {"db": {}}}, {"health": "starting"})
    assert "db" not in own.cause


@pytest.mark.parametrize(
    ("said", "values", "kind", "change"),
    [
        ("Name or service not known", {"DB_HOST": '"db"'}, "variable-wrong", "remove the quotes: DB_HOST"),
        ("Name or service not known", {"DB_HOST": "db "}, "variable-wrong", "remove the blanks: DB_HOST"),
        ("unknown level 'verbos'", {"LEVEL": "verbos", "MODE": "x"}, "variable-wrong", "correct LEVEL"),
        ("TOKEN_X is required", {"TOKN_X": "x"}, "variable-missing", "write TOKEN_X for TOKN_X"),
        ("WRONGPASS invalid password", {"DB_HOST": "db", "DB_PASSWORD": "x"}, "wrong-credentials", "correct DB_PASS"),
        (UNTRUSTED, {"API_URL": "https://db:5432"}, "certificate-refused", "mount that certificate"),
        ("wrong version number", {"API_URL": "https://db:5432"}, "wrong-scheme", "take the s"),
    ],
)
def test_a_value_that_is_not_taken(tmp_path: Path, said: str, values: dict[str, str], kind: str, change: str) -> None:
    found = fault(tmp_path, said, **environment(**values))
    assert (found.kind, found.repair) == (kind, "invoke up api")
    assert found.change.startswith(change)


def test_two_programs_of_one_container_are_both_named(tmp_path: Path) -> None:
    found = fault(tmp_path, IN_USE, argv=STARTS_TWO)
    assert found.kind == "port-held"
    assert all(part in found.cause for part in ("port 8000", "`node a.js`", "`node b.js`"))
    assert "compose.yml:4" in found.change


def test_a_port_in_the_network_of_this_machine(tmp_path: Path) -> None:
    found = fault(tmp_path, IN_USE, network_mode="host", holder=Holder(8000, "python3", 42))
    assert (found.kind, found.repair) == ("port-held", "kill 42 && invoke up api")


@pytest.mark.parametrize(("mode", "change"), [("host", "remove network_mode"), ("service:db", "move the ports of api")])
def test_ports_of_a_network_that_publishes_none(tmp_path: Path, mode: str, change: str) -> None:
    (tmp_path / "compose.yml").write_text(COMPOSE)
    definition = {"network_mode": mode, "ports": [{"target": 8000, "published": "8000"}]}
    project = make_project({"api": definition, "db": {}}, tmp_path)
    one = make_container("api") if mode == "host" else None
    result = make_result(one, failed("port 8000", "127.0.0.1:8000 is not published by the container", link="port"))
    found = name_fault(make_evidence(project, result))
    assert found.change.startswith(change)
    assert "compose.yml:7" in found.change + found.cause


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("ImportError: libGL.so.1: cannot open shared object file: No such file", "library-missing", "libGL.so.1"),
        ("/lib/libc.so.6: version `GLIBC_2.38' not found (required by /x.node)", "library-unfit", "/x.node"),
        ("Error loading shared library ld-linux-x86-64.so.2: No such file (needed by /x)", "library-unfit", "ld-linux"),
        ('npm error Missing script: "serve"', "command-missing", "the script serve"),
        ("FATAL ERROR: JavaScript heap out of memory", "out-of-memory", "heap"),
        (LOCKED, "lock-left", "/data/server.pid"),
        ("chown: /data: Operation not permitted", "file-unwritable", "cap_drop"),
    ],
)
def test_what_a_program_ends_with(tmp_path: Path, said: str, kind: str, words: str) -> None:
    data = (Mount("volume", "shop_data", "/data", True),)
    found = fault(tmp_path, said, {"cap_drop": ["ALL"]}, mounts=data)
    assert found.kind == kind
    assert words in found.cause


def test_a_lock_is_no_leftover_while_somebody_else_has_the_volume(tmp_path: Path) -> None:
    data = (Mount("volume", "shop_data", "/data", True),)
    assert fault(tmp_path, LOCKED, peer={"mounts": data}, mounts=data).kind != "lock-left"


def test_a_lock_is_no_leftover_where_another_replica_may_have_it(tmp_path: Path) -> None:
    data = (Mount("volume", "shop_data", "/data", True),)
    assert fault(tmp_path, LOCKED, {"scale": 2}, mounts=data).kind != "lock-left"


def test_a_program_that_starts_again_and_again_is_not_somebody_else_with_its_volume(tmp_path: Path) -> None:
    one = make_container("api", mounts=(Mount("volume", "shop_data", "/data", True),), restart_count=5)
    result = make_result(one, failed("running", ENDED.reason, link="running"), verdict=ENDED)
    project = make_project({"api": {}}, tmp_path)
    seen = make_evidence(project, result, log=(LOCKED,), deaths=(1, 1), peers={"api": one})
    assert name_fault(seen).kind == "lock-left"


@pytest.mark.parametrize(
    ("said", "argv", "change"),
    [
        (
            "can't open file '/app/main.py': [Errno 2] No such file",
            ("python3", "main.py"),
            "compose.yml:5 (working_dir)",
        ),
        ("Error: Cannot find module '/srv/man.py'", ("node", "/srv/man.py"), "command in compose.yml:4"),
        ("can't open file '/app/python3': No such file", ("python3", "python3", "x.py"), "remove python3 from command"),
    ],
)
def test_a_command_that_names_its_file_wrongly(tmp_path: Path, said: str, argv: tuple[str, ...], change: str) -> None:
    found = fault(tmp_path, said, argv=argv, exit_code=2, mounts=mounted(tmp_path, "main.py", ""))
    assert found.kind in ("file-missing", "command-missing")
    assert change in found.change


def test_a_server_that_is_not_well_may_refuse_everybody(tmp_path: Path) -> None:
    values = {"DB_HOST": "db", "DB_PASSWORD": "x"}
    found = fault(tmp_path, "WRONGPASS invalid password", peer={"health": "starting"}, **environment(**values))
    assert found.kind != "wrong-credentials"


def test_folders_of_packages_are_not_even_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "node_modules" / "pg").mkdir(parents=True)
    (tmp_path / "node_modules" / "pg" / "index.js").write_text("postgres")
    scandir, listed = os.scandir, []
    monkeypatch.setattr("os.scandir", lambda path: listed.append(str(path)) or scandir(path))
    found = fault(tmp_path, UNKNOWN, mounts=(Mount("bind", str(tmp_path), "/srv", True),))
    assert found.change == "correct that name in the program or the settings of api"
    assert not any("node_modules" in path for path in listed)


@pytest.mark.parametrize(
    ("said", "is_left"),
    [
        ('FATAL: lock file "postmaster.pid" already exists', True),
        ("node.lock is already locked", True),
        ("Error: bun.lock already exists", False),
        ("Error: yarn.lock is in use by another process", False),
    ],
)
def test_only_what_a_process_leaves_is_removed(tmp_path: Path, said: str, is_left: bool) -> None:
    data = (Mount("volume", "shop_data", "/", True),)
    found = fault(tmp_path, said, mounts=data)
    assert (found.kind == "lock-left") == is_left
    assert is_left or " rm " not in found.repair


@pytest.mark.parametrize(
    "said", ["Could not resolve placeholder 'spring.url'", "Failed to resolve 'react'", "lookup table is empty"]
)
def test_what_is_no_host_may_not_be_resolved_as_well(tmp_path: Path, said: str) -> None:
    assert fault(tmp_path, f"Error: {said}").kind != "unknown-host"


def test_a_container_made_anew_keeps_its_anonymous_volumes(tmp_path: Path) -> None:
    data = (Mount("volume", "f" * 64, "/var/lib/data", True),)
    assert fault(tmp_path, LOCKED.replace("/data", "/run")).repair == "docker rm -f shop-api-1 && invoke up api"
    kept = fault(tmp_path, LOCKED.replace("/data", "/run"), mounts=data)
    assert kept.kind == "lock-left"
    assert (" rm " in kept.repair, "--force-recreate" in kept.repair) == (False, True)


def test_a_repair_by_compose_names_the_files_of_this_device(tmp_path: Path) -> None:
    project = make_project({"api": {}}, tmp_path)
    files = (tmp_path / "compose.yml", tmp_path / "compose.cpu.yml")
    data = (Mount("volume", "shop_data", "/data", True),)
    one = make_container("api", status="exited", exit_code=1, mounts=data)
    result = make_result(one, failed("running", link="running"), verdict=ENDED)
    found = [
        name_fault(make_evidence(replace(project, compose_files=files[:count]), result, log=(LOCKED,)))
        for count in (1, 2)
    ]
    assert [one.kind for one in found] == ["lock-left", "lock-left"]
    assert ["compose.cpu.yml run" in one.repair for one in found] == [False, True]


def test_the_scheme_of_an_address_is_no_place_of_its_host(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text("services:\n  api:\n    environment:\n      URL: postgres://db:5432/x\n")
    project = make_project({"api": {}, "db": {}}, tmp_path)
    one = make_container("api", status="exited", exit_code=1)
    result = make_result(one, failed("running", link="running"), verdict=ENDED)
    found = name_fault(make_evidence(project, result, log=(UNKNOWN,)))
    assert (found.kind, "compose.yml:4" in found.change) == ("unknown-host", False)
