"""Faults of what surrounds a program: names, ports, health checks, mounts, users, limits."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from verify_parts import UNHEALTHY, WAITING, failed, make_container, make_evidence, make_port, make_project, make_result

from layerstack.engine.container import Mount
from layerstack.project.project import Port
from layerstack.run.fault import Fault
from layerstack.run.health import Verdict, judge_now
from layerstack.verify.diagnosis import name_fault
from layerstack.verify.listening import Listener

COMPOSE = """\
services:
  api:
    user: shopper
    pids_limit: 4
    ports: ["8080:80"]
    extra_hosts: ["db:10.0.0.9"]
    environment:
      http_proxy: http://proxy.corp:3128
    volumes:
      - ./serve.js:/app/server.js
    healthcheck:
      test: ["CMD", "wget", "http://127.0.0.1:81/"]
      timeout: 20ms
"""
URL = {"DB_URL": "tcp://db:5432"}
PROXY = {"http_proxy": "http://me:secret@proxy.corp:3128"}
DATA = (Mount("volume", "shop_data", "/data", True),)
UNRESOLVED = "getaddrinfo ENOTFOUND db"
CHECK = ("CMD", "wget", "http://127.0.0.1:81/")


def fault(
    root: Path,
    changes: dict[str, Any] | None = None,
    said: str = "down",
    definition: dict[str, Any] | None = None,
    verdict: Verdict = UNHEALTHY,
    **seen: Any,
) -> Fault:
    """Of a service that fails a check with this answer, beside a database that is well."""
    (root / "compose.yml").write_text(COMPOSE)
    project = make_project({"api": definition or {}, "db": {}}, root)
    one = make_container("api", **{"health": "unhealthy", **(changes or {})})
    link = {} if one.is_running else {"link": "running"}
    result = make_result(one, failed(answer=said, **link), verdict=verdict)
    known = {"peers": {"db": make_container("db")}, "listeners": (Listener("0.0.0.0", 80),)}
    return name_fault(make_evidence(project, result, **{**known, **seen}))


def test_a_name_that_extra_hosts_give_away(tmp_path: Path) -> None:
    found = fault(tmp_path, {"environment": URL}, "ETIMEDOUT", {"extra_hosts": ["db=10.0.0.9"]})
    assert (found.kind, found.repair, found.change) == ("unknown-host", "invoke up api", "remove db from compose.yml:6")


def test_a_neighbour_that_has_lost_its_name_is_given_it_again(tmp_path: Path) -> None:
    nameless = {"db": make_container("db", networks={"shop_default": ("shop-db-1", "172.18.0.2")})}
    found = fault(tmp_path, {"environment": URL}, UNRESOLVED, peers=nameless)
    assert found.kind == "unknown-host"
    assert found.repair == (
        "docker network disconnect shop_default shop-db-1 && "
        "docker network connect --alias db shop_default shop-db-1 && invoke up api"
    )


def test_a_neighbour_without_its_name_that_answers_is_left_alone(tmp_path: Path) -> None:
    nameless = {"db": make_container("db", networks={"shop_default": ("shop-db-1",)})}
    assert fault(tmp_path, {"environment": URL}, "500", peers=nameless).kind != "unknown-host"


@pytest.mark.parametrize(("port", "kind"), [(80, "no-answer"), (8000, "wrong-port")])
def test_a_published_port_of_which_nobody_listens(tmp_path: Path, port: int, kind: str) -> None:
    (tmp_path / "compose.yml").write_text(COMPOSE)
    project = make_project({"api": {}}, tmp_path)
    one = make_container("api", ports=(make_port(8080, 80),), health="healthy")
    check = failed(detail="GET http://127.0.0.1:8080/ → no HTTP answer (reset)")
    result = make_result(one, check, verdict=Verdict("ready", "healthy"))
    found = name_fault(make_evidence(project, result, listeners=(Listener("0.0.0.0", port),)))
    assert found.kind == kind
    assert found.change == ("write 8000 for 80 in compose.yml:5" if kind == "wrong-port" else "")


def test_a_program_that_does_not_listen_yet_has_no_wrong_port(tmp_path: Path) -> None:
    changes = {"ports": (make_port(8080, 80),), "health": "starting"}
    assert fault(tmp_path, changes, verdict=WAITING, listeners=(Listener("0.0.0.0", 9229),)).kind == "not-ready-yet"


def test_a_health_check_that_goes_through_a_proxy(tmp_path: Path) -> None:
    output = "wget: unable to resolve host address 'proxy.corp'"
    changes = {"health_command": CHECK, "health_output": output, "environment": PROXY}
    own = fault(tmp_path, changes, definition={"environment": PROXY})
    assert (own.kind, own.repair) == ("health-check-proxied", "invoke up api")
    assert "compose.yml:8" in own.change
    # Docker gives every container the proxy of its own settings.
    assert "config.json" in fault(tmp_path, changes).change
    assert fault(tmp_path, {**changes, "health_output": "500"}).kind != "health-check-proxied"
    excepted = {**PROXY, "NO_PROXY": "localhost,127.0.0.1"}
    assert fault(tmp_path, {**changes, "environment": excepted}).kind != "health-check-proxied"


def test_a_quiet_wget_behind_a_proxy_while_all_else_answers(tmp_path: Path) -> None:
    one = make_container("api", health="unhealthy", health_command=CHECK, environment=PROXY)
    result = make_result(one, failed("health", link="health"), verdict=UNHEALTHY)
    (tmp_path / "compose.yml").write_text(COMPOSE)
    assert name_fault(make_evidence(make_project({"api": {}}, tmp_path), result)).kind == "health-check-proxied"


def test_a_health_check_that_asks_another_port(tmp_path: Path) -> None:
    refused = {"health_command": CHECK, "health_output": "Error: connect ECONNREFUSED 127.0.0.1:81"}
    found = fault(tmp_path, refused)
    assert (found.kind, found.change) == ("health-check-wrong-address", "write 80 for 81 in compose.yml:12")
    assert fault(tmp_path, refused, listeners=(Listener("0.0.0.0", 81),)).kind != "health-check-wrong-address"


def test_a_health_check_that_asks_another_port_and_says_nothing(tmp_path: Path) -> None:
    found = fault(tmp_path, {"health_command": CHECK})
    assert (found.kind, found.change) == ("health-check-wrong-address", "write 80 for 81 in compose.yml:12")
    assert fault(tmp_path, {"health_command": CHECK, "health_output": "500"}).kind != "health-check-wrong-address"


def test_a_health_check_that_asks_a_path_of_nobody(tmp_path: Path) -> None:
    command = ("CMD-SHELL", "curl -f http://localhost:80/healthz || exit 1")
    output = "curl: (22) The requested URL returned error: 404"
    found = fault(tmp_path, {"health_command": command, "health_output": output})
    assert found.kind == "health-check-wrong-address"
    assert "/healthz" in found.change
    # Neither a path that is not there nor an address of IPv6, nor the bytes of curl's progress.
    for said in ("cannot read /data/404.html", "100   404  100   404    0     0\ncurl: (22) error: 500"):
        assert fault(tmp_path, {"health_command": command, "health_output": said}).kind == "wrong-answer"


@pytest.mark.parametrize(
    ("limit", "took", "kind", "repair"),
    [
        (0.02, None, "health-check-slow", "invoke up api"),
        (10.0, 12.0, "health-check-slow", "invoke up api"),
        (10.0, 1.0, "not-ready-yet", "invoke verify --wait 120"),
        (10.0, None, "unhealthy", "invoke restart api"),
    ],
)
def test_a_health_check_without_time(tmp_path: Path, limit: float, took: float | None, kind: str, repair: str) -> None:
    output = f"Health check exceeded timeout ({limit}s)"
    one = make_container("api", health="unhealthy", health_output=output, health_timeout_seconds=limit)
    (tmp_path / "compose.yml").write_text(COMPOSE)
    result = make_result(one, failed("health", link="health"), verdict=UNHEALTHY)
    found = name_fault(make_evidence(make_project({"api": {}}, tmp_path), result, health_seconds=lambda: took))
    assert (found.kind, found.repair) == (kind, repair)


@pytest.mark.parametrize(
    ("listeners", "codes", "kind"),
    [
        ((), (1, 1), "health-check-slow"),
        ((), (0, 1), "unhealthy"),
        (None, (1, 1), "unhealthy"),
        ((Listener("0.0.0.0", 81),), (1, 1), "unhealthy"),
    ],
)
def test_a_health_check_that_gave_up_before_anything_listened(
    tmp_path: Path, listeners: tuple[Listener, ...] | None, codes: tuple[int, ...], kind: str
) -> None:
    (tmp_path / "compose.yml").write_text(COMPOSE)
    output = "connect ECONNREFUSED 127.0.0.1:81"
    one = make_container("api", health="unhealthy", health_output=output, health_command=CHECK, health_codes=codes)
    result = make_result(one, failed("health", link="health"), verdict=UNHEALTHY)
    found = name_fault(make_evidence(make_project({"api": {}}, tmp_path), result, listeners=listeners))
    assert found.kind == kind
    # A quiet check that asks a port is refused as well; one of a worker asks none.
    for command, quiet in ((CHECK, kind), (("CMD", "test", "-f", "/tmp/ready"), "unhealthy")):
        changed = replace(result, container=replace(one, health_output="", health_command=command))
        found = name_fault(make_evidence(make_project({"api": {}}, tmp_path), changed, listeners=listeners))
        assert found.kind == (quiet if not listeners else found.kind)


@pytest.mark.parametrize(
    ("published", "change"),
    [
        (80, "write 80 for 81 in compose.yml:12"),
        (81, "let its program listen on 81, the port that is published too (compose.yml:8), or write 80 for 81"),
    ],
)
def test_a_refusal_that_names_no_port_is_of_the_one_that_is_asked(tmp_path: Path, published: int, change: str) -> None:
    quiet = {"health_command": CHECK, "health_output": "Connection refused", "ports": (Port("", 8080, published),)}
    found = fault(tmp_path, quiet)
    assert (found.kind, found.repair) == ("health-check-wrong-address", "invoke up api")
    assert found.change.startswith(change)


def test_a_neighbour_that_listens_for_itself_only(tmp_path: Path) -> None:
    listening = {"db": (Listener("127.0.0.1", 5432),)}
    found = fault(tmp_path, {"environment": URL}, "connect ECONNREFUSED db:5432", peer_listeners=listening)
    assert (found.kind, found.repair) == ("listens-on-loopback", "invoke up db api")
    assert "of db listen on 0.0.0.0" in found.change
    started = (datetime.now(timezone.utc) - timedelta(seconds=9)).isoformat()
    new: dict[str, Any] = {
        "peers": {"db": make_container("db", started_at=started, mounts=DATA)},
        "peer_listeners": listening,
    }
    assert fault(tmp_path, {"environment": URL}, "ECONNREFUSED db:5432", **new).kind == "port-unreachable"
    listening = {"db": (Listener("127.0.0.1", 5432), Listener("0.0.0.0", 5432))}
    assert fault(tmp_path, {"environment": URL}, "ECONNREFUSED", peer_listeners=listening).kind == "wrong-answer"


def test_a_name_of_the_outside_that_no_name_server_answers_for_is_not_called_wrong(tmp_path: Path) -> None:
    ended = {"status": "exited", "health": "", "exit_code": 1, "environment": {"URL": "http://api.example.com:80"}}
    verdict = Verdict("failed", "exited", "exited with code 1")
    deaf = fault(tmp_path, ended, log=("getaddrinfo EAI_AGAIN api.example.com",), verdict=verdict)
    unknown = fault(tmp_path, ended, log=("getaddrinfo ENOTFOUND api.example.com",), verdict=verdict)
    assert ("name server" in deaf.cause, "getent hosts api.example.com" in deaf.change) == (True, True)
    assert unknown.change == "correct URL"


@pytest.mark.parametrize(
    ("said", "host"),
    [
        ("dial tcp: lookup api.example.com on 127.0.0.11:53: server misbehaving", "api.example.com"),
        ("java.net.UnknownHostException: api.example.com: Temporary failure in name resolution", "api.example.com"),
        ("HTTPSConnectionPool(host='api.example.com', port=443): temporary failure in name resolution", "api.example"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", ""),
        ("urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>", ""),
    ],
)
def test_only_a_host_counts_as_one(tmp_path: Path, said: str, host: str) -> None:
    ended = {"status": "exited", "health": "", "exit_code": 1}
    verdict = Verdict("failed", "exited", "exited with code 1")
    found = fault(tmp_path, ended, log=(said,), verdict=verdict)
    assert (found.kind == "unknown-host") == bool(host)
    assert f"cannot find {host}" in found.cause or not host


@pytest.mark.parametrize(
    ("networks", "said", "kind"),
    [
        ({"shop_back": True}, "getaddrinfo EAI_AGAIN api.example.com", "network-internal"),
        ({"shop_back": True, "shop_front": False}, "getaddrinfo EAI_AGAIN api.example.com", "unknown-host"),
        ({"shop_back": True}, "getaddrinfo EAI_AGAIN dbb", "unknown-host"),
        ({}, "ValueError: api.example.com is no colour", "one-shot-failed"),
    ],
)
def test_an_internal_network_reaches_nothing_outside(
    tmp_path: Path, networks: dict[str, bool], said: str, kind: str
) -> None:
    verdict = Verdict("failed", "exited", "exited with code 1")
    changes = {"status": "exited", "health": "", "exit_code": 1}
    assert fault(tmp_path, changes, log=(said,), verdict=verdict, networks=networks).kind == kind


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("https://db:5432: [SSL: CERTIFICATE_VERIFY_FAILED] certificate has expired", "certificate-expired"),
        ("request to db failed: CERT_HAS_EXPIRED", "certificate-expired"),
        ("https://shop.example.com: certificate has expired", "wrong-answer"),
    ],
)
def test_the_certificate_of_a_neighbour_is_renewed_there(tmp_path: Path, said: str, kind: str) -> None:
    found = fault(tmp_path, {"environment": URL}, said)
    assert found.kind == kind
    assert kind == "wrong-answer" or found.repair == "invoke restart db && invoke up api"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Error: certificate has expired", "certificate-expired"),
        ("https://shop.example.com: certificate has expired", "wrong-answer"),
    ],
)
def test_a_certificate_without_a_host_is_of_the_only_neighbour_that_is_asked_so(
    tmp_path: Path, said: str, kind: str
) -> None:
    assert fault(tmp_path, {"environment": {"GATE": "https://db:8443", "CACHE": "redis://db"}}, said).kind == kind


def test_a_port_of_a_service_on_an_internal_network_is_published_nowhere(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text(COMPOSE)
    link = failed("port 80", "127.0.0.1:8080 is not published by the container", link="port")
    result = make_result(make_container("api", health="healthy"), link)
    project = make_project({"api": {}}, tmp_path)
    internal = name_fault(make_evidence(project, result, networks={"shop_back": True}))
    assert (internal.kind, internal.repair) == ("network-internal", "invoke up api")
    assert "internal: true" in internal.change
    assert name_fault(make_evidence(project, result, networks={"shop_front": False})).kind == "port-unreachable"


def test_who_waits_for_the_health_of_a_service_without_a_health_check(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text(COMPOSE)
    waiting = {"depends_on": {"db": {"condition": "service_healthy"}}}
    one = make_container("api", status="created", networks={})
    verdict = Verdict("failed", "created", "was created but never started")
    result = make_result(one, failed("running", "", link="running"), verdict=verdict)
    project = make_project({"api": waiting, "db": {}}, tmp_path)
    bare, healthy = ({"db": make_container("db", health=health)} for health in ("", "healthy"))
    found = name_fault(make_evidence(project, result, peers=bare))
    assert (found.kind, found.repair) == ("check-missing", "invoke up")
    assert "condition: service_started" in found.change
    assert name_fault(make_evidence(project, result, peers=healthy)).kind == "not-started"


def test_a_user_that_the_image_does_not_have(tmp_path: Path) -> None:
    error = "unable to find user shopper: no matching entries in passwd file"
    found = fault(tmp_path, {"status": "created", "health": "", "error": error})
    assert (found.kind, found.repair) == ("user-unknown", "invoke up api")
    assert "compose.yml:3" in found.change


def test_a_folder_that_docker_made_for_a_file(tmp_path: Path) -> None:
    source = tmp_path / "serve.js"
    source.mkdir()
    ended = {"status": "exited", "health": "", "exit_code": 1}
    changes = {**ended, "mounts": (Mount("bind", str(source), "/app/server.js", True),)}
    verdict = Verdict("failed", "exited", "exited with code 1")
    missing = ("Error: Cannot find module '/app/server.js'",)
    found = fault(tmp_path, changes, log=missing, verdict=verdict)
    assert (found.kind, found.repair) == (
        "mount-mismatch",
        "rmdir serve.js && docker rm -f shop-api-1 && invoke up api",
    )
    assert fault(tmp_path, changes, log=("no such table",), verdict=verdict).kind != "mount-mismatch"
    assert "compose.yml:10" in found.change
    (source / "kept").write_text("")
    assert fault(tmp_path, changes, log=missing, verdict=verdict).kind != "mount-mismatch"


def test_a_file_over_a_folder(tmp_path: Path) -> None:
    source = tmp_path / "serve.js"
    source.write_text("")
    error = f'error mounting "{source}" to rootfs at "/app/server.js": flags: 0x5000: not a directory'
    mounts = (Mount("bind", str(source), "/app/server.js", True),)
    changes = {"status": "created", "health": "", "error": error, "mounts": mounts}
    found = fault(tmp_path, {**changes, "started_at": "0001-01-01T00:00:00Z"})
    assert (found.kind, found.repair) == ("mount-mismatch", "invoke up api")
    # One that has run once had something else there, and keeps the place of it.
    found = fault(tmp_path, {**changes, "status": "exited", "started_at": "2026-11-28T10:00:00Z"})
    assert (found.kind, found.repair) == ("mount-mismatch", "docker rm -f shop-api-1 && invoke up api")


def test_a_program_that_may_start_no_thread(tmp_path: Path) -> None:
    said = "RuntimeError: can't start new thread"
    found = fault(tmp_path, said=said)
    assert (found.kind, found.change) == ("out-of-processes", "raise pids_limit in compose.yml:4")


@pytest.mark.parametrize("log", ["ENOSPC: no space left on device, write", "write /run/a: No space left on device"])
def test_a_full_tmpfs_gets_more_room_and_no_clean_up(tmp_path: Path, log: str) -> None:
    changes = {"status": "exited", "health": "", "exit_code": 1, "mounts": (Mount("tmpfs", "", "/run", True),)}
    found = fault(tmp_path, changes, log=(log,), verdict=Verdict("failed", "exited", "exited with code 1"))
    assert (found.kind, found.repair) == ("disk-full", "invoke up api")
    assert "tmpfs" in found.change


def test_a_full_tmpfs_among_several_is_the_one_that_is_written_to(tmp_path: Path) -> None:
    mounts = (
        *(Mount("tmpfs", "", path, True) for path in ("/run", "/tmp")),
        Mount("bind", "/home/me/app", "/srv", True),
    )
    changes = {"status": "exited", "health": "", "exit_code": 1, "mounts": mounts}
    verdict = Verdict("failed", "exited", "exited with code 1")
    log = ['  File "/srv/app/main.py", line 6, in <module>', "OSError: [Errno 28] No space left on device"]
    unknown = fault(tmp_path, changes, log=tuple(log), verdict=verdict)
    log.insert(1, '    open("/tmp/cache.db", "wb").write(data)')
    known = fault(tmp_path, changes, log=tuple(log), verdict=verdict)
    assert ("tmpfs on /tmp" in known.cause, known.repair) == (True, "invoke up api")
    assert "/srv" not in unknown.cause


@pytest.mark.parametrize(
    ("said", "health", "port", "runs_out", "is_dropped"),
    [
        ("connect ETIMEDOUT db:5432", "healthy", 5432, True, True),
        ("connect ETIMEDOUT db:5432", "healthy", 5432, False, False),
        ("connect ETIMEDOUT db:5432", "starting", 5432, True, False),
        ("connect ETIMEDOUT db:5432", "healthy", 5433, True, False),
        ("connect ECONNREFUSED db:5432", "healthy", 5432, True, False),
    ],
)
def test_packets_to_a_service_that_listens_are_dropped(
    tmp_path: Path, said: str, health: str, port: int, runs_out: bool, is_dropped: bool
) -> None:
    tried: dict[str, Any] = {"peers": {"db": make_container("db", health=health)}, "runs_out": lambda *_: runs_out}
    listening = {"db": (Listener("0.0.0.0", port),)}
    found = fault(tmp_path, {"environment": URL}, said, peer_listeners=listening, **tried)
    assert (found.kind == "packets-dropped") == is_dropped
    if is_dropped:
        assert found.repair == "invoke restart db api"


@pytest.mark.parametrize(
    "detail",
    [
        "127.0.0.1:8080 is published, and nothing that can be reached listens on port 80",
        "127.0.0.1:8080 refuses connections: Connection refused",
        "GET http://127.0.0.1:8080/ → no HTTP answer ([Errno 111] Connection refused)",
    ],
)
def test_what_verify_says_of_a_port_is_no_complaint_of_the_service(tmp_path: Path, detail: str) -> None:
    project = make_project({"web": {}, "api": {}}, tmp_path)
    one = make_container("web", ports=(make_port(8080, 80),), started_at="2020-01-01T00:00:00Z")
    own, other = (Listener("0.0.0.0", 3000),), (Listener("0.0.0.0", 8080),)
    known: dict[str, Any] = {"peers": {"web": one, "api": make_container("api")}, "listeners": own}
    result = make_result(one, failed("port 80", detail), name="web")
    seen = make_evidence(project, result, peer_listeners={"web": own, "api": other}, **known)
    assert name_fault(seen).kind == "wrong-port"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"SMTP_HOST": "mail"}, "connect ECONNREFUSED 10.0.0.3:25, so no emails"),
        ({"STORE_HOST": "db"}, "connect ECONNREFUSED, asked db.example.com"),
        ({"ORIGIN": "http://localhost:80"}, "connect ECONNREFUSED 10.0.0.3:8080"),
    ],
)
def test_a_host_or_port_within_another_word_is_not_named(tmp_path: Path, values: dict[str, str], said: str) -> None:
    project = make_project({"web": {"environment": values}}, tmp_path)
    one = make_container("web", status="exited", exit_code=1, environment=values)
    verdict = judge_now(one, project.services["web"], is_one_shot=False)
    result = make_result(one, failed("running", link="running"), verdict=verdict, name="web")
    seen = make_evidence(project, result, log=(f"Error: {said}",), listeners=())
    assert name_fault(seen).kind == "one-shot-failed"
