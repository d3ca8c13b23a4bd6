"""Evidence in, named fault out."""

import re
import socket
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from verify_parts import (
    UNHEALTHY,
    WAITING,
    failed,
    make_container,
    make_evidence,
    make_port,
    make_project,
    make_result,
)

from layerstack.engine.container import Mount
from layerstack.engine.ports import Holder
from layerstack.run.fault import Fault
from layerstack.run.health import Verdict, judge_now
from layerstack.verify.diagnosis import name_fault
from layerstack.verify.evidence import Evidence
from layerstack.verify.listening import Listener

COMPOSE = """\
services:
  api:
    mem_limit: ${API_MEMORY:-64m}
    environment:
      MONGO_URL: ${MONGO_URL}
      POSE_URL: http://pose:5000
    volumes:
      - data:/data/db
    healthcheck:
      test: ["CMD", "wget", "http://localhost:80/"]
"""
DEFINITIONS: dict[str, dict[str, Any]] = {"api": {"restart": "always"}, "mongodb": {}, "job": {"restart": "no"}}
DATA = (Mount("volume", "shop_data", "/data/db", True),)
MONGO = (Listener("0.0.0.0", 27017),)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "compose.yml").write_text(COMPOSE)
    return tmp_path


def ended(root: Path, name: str = "api", changes: dict[str, Any] | None = None, **seen: Any) -> Fault:
    """The fault of a container that does not run."""
    project = make_project(DEFINITIONS, root)
    one = make_container(name, **{"status": "exited", "networks": {}, **(changes or {})})
    verdict = judge_now(one, project.services[name], name == "job")
    result = make_result(one, failed("running", "", link="running"), verdict=verdict, name=name)
    return name_fault(make_evidence(project, result, **seen))


def running(
    root: Path, changes: dict[str, Any] | None = None, verdict: Verdict = UNHEALTHY, said: str = "down", **seen: Any
) -> Fault:
    """The fault of a container that runs and fails a check with this answer."""
    project = make_project(DEFINITIONS, root)
    one = make_container("api", **{"health": "unhealthy", **(changes or {})})
    peers = {"mongodb": make_container("mongodb")}
    defaults = {"peers": peers, "peer_listeners": {"mongodb": MONGO}, "listeners": (Listener("0.0.0.0", 80),)}
    result = make_result(one, failed(answer=said), verdict=verdict)
    return name_fault(make_evidence(project, result, **{**defaults, **seen}))


@pytest.mark.parametrize(
    ("changes", "seen", "kind", "repair"),
    [
        ({"status": "paused"}, {}, "paused", "docker unpause shop-api-1"),
        ({"exit_code": 137}, {}, "killed", "invoke up"),
        ({"exit_code": 0}, {}, "killed", "invoke up"),
        ({"exit_code": 137, "is_oom_killed": True}, {}, "out-of-memory", "invoke up api"),
        ({"exit_code": 1}, {"deaths": (-1,)}, "out-of-memory", "invoke up api"),
        ({"exit_code": 127}, {}, "command-missing", "invoke up api"),
        ({"exit_code": 134, "health_codes": (1, 0)}, {}, "crashed", "invoke up api"),
        ({"exit_code": 1}, {}, "crashed", "invoke logs api"),
        ({"status": "restarting", "exit_code": 3, "restart_count": 4}, {}, "restart-loop", "invoke logs api"),
        ({"status": "created"}, {}, "not-started", "invoke up"),
        ({"status": "created"}, {"missing_images": ("api:1",)}, "image-missing", "invoke up"),
        ({"status": "created"}, {"missing_images": ("a", "base")}, "base-missing", "invoke build api && invoke up"),
        (
            {"status": "created"},
            {"missing_networks": ("outside",)},
            "network-missing",
            "docker network create outside && invoke up",
        ),
        (
            {"status": "created"},
            {"holders": ((make_port(), Holder(8080, "nginx", 42)),)},
            "port-held",
            "kill 42 && invoke up",
        ),
        (
            {"status": "created"},
            {"holders": ((make_port(), Holder(8080, "other-web-1", project="other", is_container=True)),)},
            "port-held",
            "docker stop other-web-1 && invoke up",
        ),
    ],
)
def test_what_the_engine_knows(
    root: Path, changes: dict[str, Any], seen: dict[str, Any], kind: str, repair: str
) -> None:
    found = ended(root, changes=changes, **seen)
    assert (found.kind, found.repair) == (kind, repair)


def test_memory_is_raised_where_it_is_declared(root: Path) -> None:
    found = ended(root, changes={"is_oom_killed": True, "memory_limit_bytes": 64 * 2**20})
    assert "64 MB" in found.cause
    assert found.change == "raise API_MEMORY in .env (compose.yml:3)"


def test_a_job_that_fails_is_not_a_crash(root: Path) -> None:
    assert ended(root, "job", {"exit_code": 1}).kind == "one-shot-failed"


@pytest.mark.parametrize(
    ("log", "kind", "words"),
    [
        ("write /data/db/journal: No space left on device", "disk-full", "shop_data"),
        ("open /data/db/lock: EACCES: permission denied", "volume-unwritable", "shop_data on /data/db"),
        ("No such file or directory: '/opt/models/a.tflite'", "file-missing", "/opt/models/a.tflite"),
        ("/opt/models/a.tflite is missing: rebuild the image", "file-missing", "/opt/models/a.tflite"),
        ("No such file or directory: '/data/db/a'", "file-missing", "shop_data on /data/db hides"),
        ("KeyError: 'MONGO_URL'", "variable-missing", "MONGO_URL"),
        ("Error: MONGO_URL is not set", "variable-missing", "MONGO_URL"),
        ("missing required environment variable API_TOKEN", "variable-missing", "API_TOKEN"),
        ("sh: API_TOKEN: parameter null or not set", "variable-missing", "API_TOKEN"),
    ],
)
def test_what_a_service_says_before_its_end(root: Path, log: str, kind: str, words: str) -> None:
    found = ended(root, changes={"exit_code": 1, "mounts": DATA}, log=("starting", log))
    assert found.kind == kind
    assert words in found.cause


def ran(seconds: float, **changes: Any) -> dict[str, Any]:
    begun = datetime(2026, 1, 1, tzinfo=timezone.utc)
    return {"started_at": begun.isoformat(), "finished_at": (begun + timedelta(seconds=seconds)).isoformat(), **changes}


@pytest.mark.parametrize(
    ("changes", "seen", "kind"),
    [
        (ran(0.5), {}, "nothing-to-do"),
        (ran(0.5), {"was_stopped": True}, "killed"),
        (ran(300), {}, "killed"),
        (ran(0.5, health_codes=(0,)), {}, "killed"),
        (ran(0.5, status="restarting", restart_count=4), {}, "nothing-to-do"),
        (ran(0.5, exit_code=1), {}, "crashed"),
    ],
)
def test_a_program_that_ends_at_once_without_an_error_has_nothing_to_do(
    root: Path, changes: dict[str, Any], seen: dict[str, Any], kind: str
) -> None:
    found = ended(root, changes=changes, **seen)
    assert found.kind == kind
    if kind == "nothing-to-do":
        assert (found.repair, found.change) == (
            "invoke up api",
            "give api a command that keeps running (compose.yml:3)",
        )


def test_a_crash_without_a_name_is_told_in_its_own_words(root: Path) -> None:
    log = ("Traceback (most recent call last):", "  x = y", "ValueError: no such colour", "bye")
    crash = ended(root, changes={"exit_code": 1}, log=log)
    loop = ended(root, changes={"status": "restarting", "exit_code": 1, "restart_count": 4}, log=log)
    killed = ended(root, changes={"exit_code": 139}, log=log)
    assert crash.cause.endswith("exited with code 1: ValueError: no such colour")
    assert loop.cause.endswith("exited with code 1: ValueError: no such colour")
    assert "SIGSEGV" in killed.cause


@pytest.mark.parametrize(
    ("compose", "change"),
    [
        ("    ulimits:\n      nofile: 24\n", "raise nofile in compose.yml:5"),
        ("    user: app\n", "add `ulimits: {nofile: 65536}` to compose.yml:3"),
    ],
)
def test_a_program_that_may_open_no_further_file(tmp_path: Path, compose: str, change: str) -> None:
    (tmp_path / "compose.yml").write_text(f"services:\n  api:\n    image: a\n{compose}")
    found = ended(tmp_path, changes={"exit_code": 1}, log=("OSError: [Errno 24] Too many open files: '/srv/a'",))
    assert (found.kind, found.change) == ("out-of-files", change)
    system = ended(tmp_path, changes={"exit_code": 1}, log=("accept: Too many open files in system",))
    assert system.kind == "crashed"


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/var/cache/app/a", "add `tmpfs: [/var/cache/app]` to api, or remove compose.yml:4 (read_only)"),
        ("/srv/app/a", "let it write to a volume or a tmpfs, or remove compose.yml:4 (read_only)"),
    ],
)
def test_what_a_read_only_container_may_not_write(tmp_path: Path, path: str, change: str) -> None:
    (tmp_path / "compose.yml").write_text("services:\n  api:\n    image: a\n    read_only: true\n")
    log = (f"OSError: [Errno 30] Read-only file system: '{path}'",)
    found = ended(tmp_path, changes={"exit_code": 1}, log=log)
    assert (found.kind, found.change, found.repair) == ("file-unwritable", change, "invoke up api")
    # One that goes on, and that ends of something else, could do without.
    assert ended(tmp_path, changes={"exit_code": 1}, log=(*log, "ValueError: b")).kind == "crashed"


@pytest.mark.parametrize(
    "log",
    [
        (
            "FATAL:  database files are incompatible with server",
            "DETAIL:  The data directory was initialized by PostgreSQL version 16, not compatible with version 15.3.",
        ),
        ('{"msg":"Wrong","attr":{"error":"Invalid featureCompatibilityVersion document, found: 7.0"}}',),
        ("[ERROR] [MY-014061] Cannot boot version 80036 on data built by version 80300. Downgrade is not supported",),
    ],
)
def test_data_that_another_version_has_written_is_kept(root: Path, log: tuple[str, ...]) -> None:
    found = ended(root, changes={"exit_code": 1, "mounts": DATA}, log=log)
    assert (found.kind, found.repair) == ("data-of-other-version", "invoke up api")
    assert "volume shop_data" in found.cause
    assert re.search(r"16|7\.0|80300", found.cause)
    assert ended(root, changes={"exit_code": 1}, log=log).kind == "crashed"


def test_a_file_of_another_user_of_the_image(root: Path) -> None:
    log = ("PermissionError: [Errno 13] Permission denied: '/srv/a.db'",)
    found = ended(root, changes={"exit_code": 1, "user": "1234"}, log=log)
    assert (found.kind, "as the user 1234" in found.cause) == ("file-unwritable", True)


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ((), "the folder /opt/models is missing in its image"),
        (("/opt/models",), "the file /opt/models/a.db is missing in its image"),
        (("/opt/models", "/opt/models/a.db"), "exits right after its start"),
    ],
)
def test_a_folder_that_is_missing_is_told_from_a_file(root: Path, there: tuple[str, ...], words: str) -> None:
    log = ("No such file or directory: '/opt/models/a.db'",)
    assert words in ended(root, changes={"exit_code": 1}, log=log, has=lambda path: path in there).cause


@pytest.mark.parametrize(
    ("folder", "words"),
    [("/srv", "the file /srv/config.json is missing"), ("/data/db", "/data/db/config.json is missing: the volume")],
)
def test_a_name_is_one_of_the_folder_that_the_program_starts_in(root: Path, folder: str, words: str) -> None:
    log = ("FileNotFoundError: [Errno 2] No such file or directory: 'config.json'",)
    found = ended(root, changes={"exit_code": 1, "folder": folder, "mounts": DATA}, log=log)
    assert (found.kind, words in found.cause) == ("file-missing", True)
    assert ended(root, changes={"exit_code": 1, "folder": folder}, log=(*log, "ValueError: x")).kind == "crashed"


def test_a_program_that_is_there_and_does_not_run_was_not_replaced(root: Path) -> None:
    (root / "run.sh").write_text("")
    mounts = (Mount("bind", str(root / "run.sh"), "/srv/run.sh", False),)
    log = ("[FATAL tini (6)] exec /srv/run.sh failed: No such file or directory",)
    assert ended(root, changes={"exit_code": 127, "mounts": mounts}, log=log).kind == "command-missing"


@pytest.mark.parametrize(
    ("said", "is_named"),
    [
        ("Please provide TOKEN environment variable", True),
        ("missing environment variable TOKEN", True),
        ("environment variable `TOKEN` must be set", True),
        ("KeyError: 'TOKEN'", True),
        ("KeyError: 'token'", False),
        ("GET is not set", False),
        ("SECRET_KEY must be set", True),
    ],
)
def test_a_variable_of_one_word_is_one_where_it_is_called_so(root: Path, said: str, is_named: bool) -> None:
    assert (ended(root, changes={"exit_code": 1}, log=(said,)).kind == "variable-missing") == is_named
    given = {"exit_code": 1, "environment": {"TOKEN": "a", "SECRET_KEY": "b"}}
    assert ended(root, changes=given, log=(said,)).kind == "crashed"


@pytest.mark.parametrize(
    ("is_here", "kind", "repair"),
    [(True, "mount-replaced", "invoke restart api"), (False, "file-missing", "invoke up api")],
)
def test_a_file_that_is_here_and_not_in_the_container_is_in_a_folder_that_was_replaced(
    root: Path, is_here: bool, kind: str, repair: str
) -> None:
    (root / "src").mkdir()
    if is_here:
        (root / "src" / "start.sh").write_text("")
    mounts = (Mount("bind", str(root / "src"), "/app/src", False),)
    log = ("sh: 0: cannot open /app/src/start.sh: No such file",)
    found = ended(root, changes={"exit_code": 2, "mounts": mounts}, log=log)
    assert (found.kind, found.repair) == (kind, repair)
    assert "src/start.sh" in (found.cause if is_here else found.change)


def test_a_variable_without_a_value_is_set_in_env_another_in_its_line(root: Path) -> None:
    empty = ended(root, changes={"exit_code": 1}, log=("MONGO_URL is empty",))
    named = ended(root, changes={"exit_code": 1}, log=("POSE_URL is required",))
    new = ended(root, changes={"exit_code": 1}, log=("API_TOKEN is required",))
    assert empty.change == "set MONGO_URL in .env (compose.yml:5)"
    assert named.change == "give POSE_URL a value in compose.yml:6"
    assert new.change == "add API_TOKEN to the environment of api in compose.yml:3"


def test_a_read_only_mount_is_changed_and_a_foreign_owner_is_replaced(root: Path) -> None:
    read_only = (Mount("volume", "shop_data", "/data/db", False),)
    log = ("open /data/db/x: Permission denied",)
    fixed = ended(root, changes={"exit_code": 1, "mounts": read_only}, log=log)
    owned = ended(root, changes={"exit_code": 1, "mounts": DATA, "user": "app"}, log=log)
    assert fixed.change == "remove `ro` or `read_only` from compose.yml:8"
    assert owned.repair.endswith("--entrypoint chown api -R app /data/db && invoke up")


@pytest.mark.parametrize(
    ("url", "kind", "words"),
    [
        ("mongodb://a:b@mongo:27017", "unknown-host", "did you mean mongodb?"),
        ("mongodb://mongodb:27018", "wrong-port", "listens on 27017"),
        ("mongodb://127.0.0.1:27017", "address-of-itself", "mongodb serves port 27017"),
    ],
)
def test_an_address_that_cannot_be_right(root: Path, url: str, kind: str, words: str) -> None:
    said = "getaddrinfo ENOTFOUND mongo" if kind == "unknown-host" else "connect ECONNREFUSED 127.0.0.1:27017"
    found = running(root, {"environment": {"MONGO_URL": url}}, said=said)
    assert (found.kind, found.repair) == (kind, "invoke up api")
    assert words in found.cause
    assert found.change == "correct MONGO_URL in .env (compose.yml:5)"
    assert "a:b" not in found.cause


def test_a_right_address_and_silence_about_connections_accuse_nobody(root: Path) -> None:
    right = running(root, {"environment": {"MONGO_URL": "mongodb://mongodb"}})
    unrelated = running(root, {"environment": {"TRACES": "http://collector:4317"}}, said="division by zero")
    outside = running(root, {"environment": {"SHOP": "https://shop.example.com"}}, said="ECONNREFUSED 10.0.0.1")
    assert [one.kind for one in (right, unrelated, outside)] == ["wrong-answer"] * 3


def test_an_address_for_browsers_and_a_warning_in_the_log_accuse_nobody(root: Path) -> None:
    origin = {"environment": {"ALLOWED_ORIGIN": "http://localhost:27017"}}
    assert running(root, origin, said="mongo is down").kind == "wrong-answer"
    ready = Verdict("ready", "healthy")
    log = ("No such file or directory: '/etc/optional/file'", "SOME_OPTION is not set")
    assert running(root, {"health": "healthy"}, ready, "500", log=log).kind == "wrong-answer"


def test_an_address_of_itself_for_something_that_it_depends_on(root: Path) -> None:
    project = make_project({"api": {"depends_on": {"mongodb": {}}}, "mongodb": {}}, root)
    one = make_container("api", environment={"DB": "mongodb://localhost"})
    result = make_result(one, failed(answer="the database is down"))
    seen = make_evidence(project, result, listeners=(), peer_listeners={"mongodb": MONGO})
    assert name_fault(seen).kind == "address-of-itself"


def test_a_service_on_another_network_cannot_be_asked(root: Path) -> None:
    changes = {"environment": {"MONGO_URL": "mongodb://mongodb"}, "networks": {"shop_front": ()}}
    assert running(root, changes).kind == "no-shared-network"


def test_without_any_address_its_own_is_asked_and_a_variable_is_missing(root: Path) -> None:
    found = running(root, {"environment": {"MONGO_URL": ""}}, said="connect ECONNREFUSED 127.0.0.1:27017")
    assert found.kind == "variable-missing"
    assert "belongs to mongodb" in found.cause
    assert found.change == "set MONGO_URL in .env (compose.yml:5)"


def test_refused_credentials_are_those_of_a_variable_or_of_the_data(root: Path) -> None:
    url = {"MONGO_URL": "mongodb://a:b@mongodb"}
    client = running(root, {"environment": url}, said="MongoServerError: Authentication failed.")
    server = running(root, {"environment": {"DB_PASSWORD": "x"}, "mounts": DATA}, said="Authentication failed")
    stranger = running(root, {"environment": {"DB_PASSWORD": "x"}}, said="slow", log=("Authentication failed",))
    assert (client.kind, "MONGO_URL" in client.cause) == ("wrong-credentials", True)
    assert (server.kind, "shop_data" in server.cause) == ("wrong-credentials", True)
    assert stranger.kind == "wrong-answer"


@pytest.mark.parametrize(
    ("listeners", "kind"),
    [
        ((Listener("0.0.0.0", 80),), "health-check-wrong-address"),
        ((Listener("0.0.0.0", 80), Listener("::", 80)), "wrong-answer"),
        ((Listener("::", 80),), "wrong-answer"),
        (None, "wrong-answer"),
    ],
)
def test_a_health_check_of_localhost(root: Path, listeners: tuple[Listener, ...] | None, kind: str) -> None:
    changes = {"health_command": ("CMD", "wget", "http://localhost:80/")}
    found = running(root, changes, listeners=listeners)
    assert found.kind == kind
    if listeners and kind != "wrong-answer":
        assert found.change == "write 127.0.0.1 for localhost in compose.yml:10"


def test_a_program_on_loopback_is_reached_by_nobody(root: Path) -> None:
    found = running(root, {"ports": (make_port(),)}, listeners=(Listener("127.0.0.1", 80),))
    assert found.kind == "listens-on-loopback"


@pytest.mark.parametrize(("health", "verdict"), [("starting", WAITING), ("", Verdict("ready", "running"))])
def test_a_database_that_sets_itself_up_on_loopback_is_starting(root: Path, health: str, verdict: Verdict) -> None:
    started = datetime.now(timezone.utc) - timedelta(seconds=2)
    changes = {"ports": (make_port(),), "health": health, "started_at": started.isoformat()}
    found = running(root, changes, verdict, listeners=(Listener("127.0.0.1", 80),))
    assert found.kind == "not-ready-yet"


@pytest.mark.parametrize(
    ("said", "verdict", "kind"),
    [
        ('{"status": "starting", "reason": "loading"}', UNHEALTHY, "not-ready-yet"),
        ('{"status": "failed", "reason": "no engine"}', WAITING, "reports-failure"),
        ('{"status": "failed", "reason": "no engine"}', UNHEALTHY, "reports-failure"),
        ("nothing", WAITING, "not-ready-yet"),
        ("not JSON {", UNHEALTHY, "wrong-answer"),
    ],
)
def test_what_an_answer_says_counts_more_than_docker(root: Path, said: str, verdict: Verdict, kind: str) -> None:
    found = running(root, verdict=verdict, said=said)
    assert found.kind == kind
    assert found.can_pass == (kind == "not-ready-yet")


def test_a_halted_program(root: Path) -> None:
    assert running(root, stopped=("gunicorn",)).repair == "invoke restart api"


def test_a_wrong_check_is_not_a_fault_of_the_service(root: Path) -> None:
    project = make_project(DEFINITIONS, root)
    result = make_result(
        make_container("api"), failed(detail="the check itself is wrong: it has neither http nor exec")
    )
    assert name_fault(make_evidence(project, result)).kind == "check-invalid"


def test_facts_hold_the_evidence_for_programs(root: Path) -> None:
    project = make_project(DEFINITIONS, root)
    one = make_container("api", status="exited", exit_code=3, restart_count=2)
    seen: Evidence = make_evidence(project, make_result(one), log=("a", "b"), deaths=(3, -1))
    assert seen.facts() == {
        "exit_code": 3,
        "oom_killed": True,
        "restart_count": 2,
        "health_output": "",
        "log": ["a", "b"],
        "stopped_programs": [],
        "port_holders": [],
    }


@pytest.mark.parametrize(("age_seconds", "kind"), [(3, "not-ready-yet"), (60, "no-answer")])
def test_a_young_container_without_a_health_check_may_still_be_starting(
    root: Path, age_seconds: int, kind: str
) -> None:
    project = make_project(DEFINITIONS, root)
    started = datetime.now(timezone.utc) - timedelta(seconds=age_seconds)
    one = make_container("api", started_at=started.isoformat())
    result = make_result(one, failed(detail="GET / → no HTTP answer"), verdict=Verdict("ready", "running"))
    found = name_fault(make_evidence(project, result))
    assert (found.kind, found.can_pass) == (kind, age_seconds < 10)
    assert "no HTTP answer" in found.cause


@pytest.mark.parametrize("said", ["ENOENT: no such file, open '{}'", "Error: config {}:3 is wrong", "cannot open {}"])
def test_a_path_that_no_file_can_have_is_no_failure_of_the_engine(root: Path, said: str) -> None:
    mounts = (Mount("bind", str(root), "/app", True),)
    log = (said.format(f"/app/{'a' * 300}/b.json"),)
    assert ended(root, changes={"exit_code": 1, "mounts": mounts, "argv": ("node", "b.json")}, log=log)


def test_a_file_below_a_folder_with_a_blank_in_its_name(root: Path) -> None:
    (root / "secret").mkdir(mode=0o700)
    (root / "secret" / "conf.json").write_text("{}")
    mounts = (Mount("bind", str(root / "secret"), "/my secret", True),)
    log = ("PermissionError: [Errno 13] Permission denied: '/my secret/conf.json'",)
    assert ended(root, changes={"exit_code": 1, "mounts": mounts, "user": "1000"}, log=log).kind == "file-unreadable"


@pytest.mark.parametrize("code", [130, 137, 143])
def test_a_job_that_somebody_stops_has_not_failed(root: Path, code: int) -> None:
    assert ended(root, "job", {"exit_code": code}).kind == "killed"


BUG = "TypeError: Cannot read properties of undefined"


@pytest.mark.parametrize(
    ("warned", "changes"),
    [
        ("warn: no cache, EACCES: permission denied, open '/srv/cache/x'", {"mounts": DATA}),
        ("2026-11-29 10:00:00 WARN /etc/app/more.yml does not exist, using defaults", {}),
        ("[auth][warn] SENTRY_DSN is not set, skipping", {}),
        ('level=warning msg="no metrics: address already in use 0.0.0.0:9100"', {}),
        ('{"level": "warn", "msg": "SENTRY_DSN is not set"}', {}),
    ],
)
def test_a_warning_before_the_error_that_ended_it_is_no_cause(root: Path, warned: str, changes: dict[str, Any]) -> None:
    assert ended(root, changes={"exit_code": 1, **changes}, log=(warned, BUG)).kind == "crashed"


def test_a_complaint_that_names_its_path_is_not_about_another_volume(root: Path) -> None:
    log = ("EACCES: permission denied, open '/srv/cache/x'",)
    assert ended(root, changes={"exit_code": 1, "mounts": DATA}, log=log).kind != "volume-unwritable"


def test_what_belongs_to_the_machine_is_not_opened_to_everybody(root: Path, tmp_path_factory: Any) -> None:
    place = tmp_path_factory.mktemp("run")
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(place / "docker.sock"))
        (place / "docker.sock").chmod(0o660)
        mounts = (Mount("bind", str(place / "docker.sock"), "/var/run/docker.sock", True),)
        log = ("dial unix /var/run/docker.sock: connect: permission denied",)
        found = ended(root, changes={"exit_code": 1, "mounts": mounts, "user": "1000"}, log=log)
    assert (found.kind, found.repair) == ("file-unreadable", "invoke up api")
    assert f'group_add: ["{place.stat().st_gid}"]' in found.change
    given = (Mount("bind", str(place), "/run/app", True),)
    foreign = ended(root, changes={"exit_code": 1, "mounts": given}, log=("EROFS: read-only, open '/run/app/x'",))
    assert "chown" not in foreign.repair


@pytest.mark.parametrize(
    ("log", "kind"),
    [
        ("user bob: authentication failed", "wrong-answer"),
        ('{"method":"POST","url":"/login","status":401,"msg":"authentication failed"}', "wrong-answer"),
        ('{"level":"warn","cause":"Authentication failed.","msg":"no database"}', "wrong-credentials"),
        ("pymongo.errors.OperationFailure: Authentication failed., full error: {...}", "wrong-credentials"),
        ("MongoServerError: Authentication failed.", "wrong-credentials"),
        ('pq: password authentication failed for user "app"', "wrong-credentials"),
        ("2026-11-29 10:00:00 redis.exceptions.AuthenticationError: invalid password", "wrong-credentials"),
    ],
)
def test_a_stranger_whom_a_service_refuses_is_not_refused_by_its_database(root: Path, log: str, kind: str) -> None:
    values = {"MONGO_URL": "mongodb://a:b@mongodb:27017"}
    changes = {"health": "", "environment": values, "started_at": "2020-01-01T00:00:00Z"}
    verdict = Verdict("ready", "running (no health check)")
    assert running(root, changes, verdict, "oops", log=(log,)).kind == kind


def test_a_server_that_says_where_it_listens_does_not_ask_itself(root: Path) -> None:
    peers = {"mongodb": make_container("mongodb")}
    log = ("Listening on http://localhost:27017", BUG)
    found = ended(root, changes={"exit_code": 1}, log=log, peers=peers, peer_listeners={"mongodb": MONGO})
    assert found.kind == "crashed"


def test_a_server_behind_a_proxy_is_named_by_the_log_of_one_that_works(root: Path) -> None:
    log = ('connect() failed (111: Connection refused) while connecting to upstream: "http://172.18.0.3:8001/"',)
    peers = {"mongodb": make_container("mongodb", networks={"shop_default": ("mongodb", "172.18.0.3")})}
    changes = {"health": "", "started_at": "2020-01-01T00:00:00Z"}
    verdict = Verdict("ready", "running (no health check)")
    found = running(root, changes, verdict, "502 Bad Gateway", log=log, peers=peers)
    assert (found.kind, "listens on 27017" in found.cause) == ("wrong-port", True)


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        ("Error: ENOSPC: System limit for number of file watchers reached, watch '/app'", "out-of-files", "watches"),
        ("Error: EMFILE: too many open files, watch '/app'", "out-of-files", "instances"),
        ("Error: ENOSPC: no space left on device, write", "disk-full", "clean"),
        ("  You must specify POSTGRES_PASSWORD to a non-empty value for the", "variable-missing", "POSTGRES_PASSWORD"),
        ("Could not resolve placeholder 'DB_URL' in value", "variable-missing", "DB_URL"),
        ("Invalid environment variables: { STRIPE_KEY: [ 'Required' ] }", "variable-missing", "STRIPE_KEY"),
        ("You need to specify one of MARIADB_ROOT_PASSWORD, MARIADB_X", "variable-missing", "MARIADB_ROOT_PASSWORD"),
        (
            "You need to specify one of the following as an environment variable:\n    - MYSQL_ROOT_PASSWORD",
            "variable-missing",
            "MYSQL_ROOT_PASSWORD",
        ),
    ],
)
def test_what_the_last_words_of_well_known_programs_mean(root: Path, said: str, kind: str, told: str) -> None:
    found = ended(root, changes={"exit_code": 1}, log=tuple(said.splitlines()))
    assert found.kind == kind
    assert told in found.way_out


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Error: P1001: Can't reach database server at `mongodb`:`27018`", "wrong-port"),
        ('nginx: [emerg] host not found in upstream "mongdb" in /etc/nginx/nginx.conf:3', "unknown-host"),
    ],
)
def test_other_words_for_a_server_that_is_not_reached(root: Path, said: str, kind: str) -> None:
    values = {"MONGO_URL": "mongodb://mongodb:27018"} if kind == "wrong-port" else {}
    peers = {"mongodb": make_container("mongodb")}
    seen = {"peers": peers, "peer_listeners": {"mongodb": MONGO}, "log": (said,)}
    assert ended(root, changes={"exit_code": 1, "environment": values}, **seen).kind == kind
