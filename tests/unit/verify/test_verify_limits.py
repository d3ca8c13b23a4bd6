"""What a container may not do, or is told wrongly: ports, users, rights, data, addresses and the lines that decide."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from verify_parts import UNHEALTHY, failed, make_container, make_evidence, make_port, make_project, make_result

from layerstack.dockerfile.image import Image
from layerstack.engine.container import Mount
from layerstack.project.project import Project
from layerstack.run.fault import Fault
from layerstack.run.health import Verdict
from layerstack.verify.diagnosis import name_fault
from layerstack.verify.listening import Listener

COMPOSE = """services:
  api:
    build: .
    user: "4242"
    security_opt: ["no-new-privileges:true"]
    cap_drop: [ALL]
    environment:
      CACHE_URL: "http://cache:6379"
      QUOTED: '"redis://cache:6379"'
    ports: ["10.1.2.3:8080:80"]
    volumes: ["./settings.ini:/etc/app/settings.ini:ro"]
  cache:
    image: redis
"""
DOCKERFILE = """FROM python
WORKDIR /app
COPY . .
HEALTHCHECK CMD curl http://127.0.0.1:8000/health
CMD ["python", "main.py"]
"""
ENDED = Verdict("failed", "exited", "exited with code 1")
DATA = Mount("volume", "shop_data", "/data", is_writable=True)


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    (tmp_path / "compose.yml").write_text(COMPOSE)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "main.py").write_text("import os\n\nserve(host='127.0.0.1', port=8000)\n")
    (tmp_path / "worker.py").write_text("")
    (tmp_path / "settings.ini").write_text("queue = a\n")
    api: dict[str, Any] = {
        "build": {},
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "environment": {},
    }
    found = make_project({"api": api, "cache": {}}, tmp_path)
    service = replace(found.services["api"], ports=(make_port(8080, 80, "10.1.2.3"),))
    return replace(found, images={"api": Image("api", ".")}, services={**found.services, "api": service})


def ended(shop: Project, *log: str, environment: dict[str, str] | None = None, **changes: Any) -> Fault:
    """The fault of a program that has ended with these last words."""
    service = shop.services["api"]
    definition = {**service.definition, "environment": environment or {}}
    project = replace(shop, services={**shop.services, "api": replace(service, definition=definition)})
    facts = {"status": "exited", "exit_code": 1, "folder": "/app", "environment": environment or {}, **changes}
    evidence = {key: facts.pop(key) for key in ("in_image", "peers") if key in facts}
    one = make_container("api", **facts)
    result = make_result(one, failed("running", link="running"), verdict=ENDED)
    return name_fault(make_evidence(project, result, log=log, **evidence))


TRACE = ("Traceback (most recent call last):", '  File "/app/main.py", line 3, in <module>')


def test_a_port_that_only_root_may_have_is_no_matter_of_the_only_volume(shop: Project) -> None:
    said = (*TRACE, "    self.socket.bind(self.server_address)", "PermissionError: [Errno 13] Permission denied")
    assert ended(shop, *said, mounts=(DATA,)).kind == "port-denied"
    nginx = "nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)"
    assert ended(shop, nginx, mounts=(DATA,)).kind == "port-denied"


@pytest.mark.parametrize(
    ("lines", "kind", "named"),
    [
        (("OSError: [Errno 13] Permission denied: '/data/x'",), "volume-unwritable", "/data"),
        (('    open("/data/x", "w")', "PermissionError: [Errno 13] Permission denied"), "volume-unwritable", "/data"),
        (("the store refuses: permission denied",), "volume-unwritable", "/data"),
        (('    open("/tmp/x", "wb")', "OSError: [Errno 28] No space left on device"), "disk-full", "tmpfs"),
        (("OSError: [Errno 28] No space left on device: '/data/x'",), "disk-full", "shop_data"),
    ],
)
def test_a_complaint_is_of_the_path_that_it_or_its_traceback_names(
    shop: Project, lines: tuple[str, ...], kind: str, named: str
) -> None:
    in_memory = Mount("tmpfs", "", "/tmp", is_writable=True)
    found = ended(shop, *TRACE, *lines, mounts=(DATA, in_memory))
    assert (found.kind, named in found.cause) == (kind, True), found


@pytest.mark.parametrize("path", ["/app/cache.db", "/home/app"])
def test_another_path_than_the_volume_is_not_blamed_on_it(shop: Project, path: str) -> None:
    found = ended(shop, *TRACE, f"OSError: [Errno 30] Read-only file system: '{path}'", mounts=(DATA,))
    assert found.kind != "volume-unwritable"


def test_files_are_given_away_with_the_right_that_cap_drop_has_taken(shop: Project) -> None:
    found = ended(shop, "OSError: [Errno 13] Permission denied: '/data/x'", mounts=(DATA,), user="app")
    assert "--cap-add CHOWN" in found.repair
    assert found.repair.endswith("chown api -R app /data && invoke up")


def test_an_address_that_this_machine_does_not_have(shop: Project) -> None:
    error = "failed to bind host port for 10.1.2.3:8080:172.20.0.5:80/tcp: cannot assign requested address"
    found = ended(shop, status="created", exit_code=128, error=error)
    assert (found.kind, found.repair) == ("port-misplaced", "invoke up api")
    assert "10.1.2.3" in found.change


def test_a_user_without_a_name(shop: Project) -> None:
    found = ended(shop, *TRACE, "KeyError: 'getpwuid(): uid not found: 4242'", user="4242")
    assert (found.kind, "compose.yml:4" in found.change) == ("user-unknown", True)


def test_a_program_that_may_not_change_its_user(shop: Project) -> None:
    said = 'sudo: The "no new privileges" flag is set, which prevents sudo from running as root.'
    assert "compose.yml:5" in ended(shop, said).change


def test_a_secret_that_is_not_given(shop: Project) -> None:
    said = "Error: ENOENT: no such file or directory, open '/run/secrets/db_password'"
    found = ended(shop, said, environment={"DB_PASSWORD_FILE": "/run/secrets/db_password"})
    assert (found.kind, found.change) == ("file-missing", "add `secrets: [db_password]` to api (compose.yml:3)")


def test_damaged_data_is_put_back_and_never_removed(shop: Project) -> None:
    found = ended(shop, *TRACE, "sqlite3.DatabaseError: file is not a database", mounts=(DATA,))
    assert (found.kind, "invoke restore" in found.change) == ("data-damaged", True)
    assert "rm" not in found.way_out.split()


def test_an_address_with_a_scheme_that_its_program_does_not_take(shop: Project) -> None:
    said = "ValueError: Redis URL must specify one of the following schemes (redis://, rediss://)"
    found = ended(shop, *TRACE, said, environment={"CACHE_URL": "http://cache:6379"})
    assert (found.kind, "CACHE_URL" in found.change) == ("variable-wrong", True)
    quoted = ended(shop, *TRACE, said, environment={"QUOTED": '"redis://cache:6379"'})
    assert (quoted.kind, "remove the quotes" in quoted.change) == ("variable-wrong", True)


@pytest.mark.parametrize("option", ["max_connection=50", "-c"])
def test_an_option_that_its_program_does_not_know(shop: Project, option: str) -> None:
    said = '2026-11-29 GMT [1] FATAL:  unrecognized configuration parameter "max_connection"'
    found = ended(shop, said, argv=("postgres", option))
    assert (found.kind == "command-missing") is ("=" in option)


@pytest.mark.parametrize(
    ("argv", "line", "named"),
    [
        (("python", "-m", "workers"), "/opt/venv/bin/python: No module named workers", "did you mean worker?"),
        (("gunicorn", "app:app"), "ModuleNotFoundError: No module named 'app'", "there is main, worker"),
        (("gunicorn", "main:other"), "Failed to find attribute 'other' in 'main'.", "names other"),
    ],
)
def test_a_module_that_the_command_names_wrongly(shop: Project, argv: tuple[str, ...], line: str, named: str) -> None:
    found = ended(shop, line, argv=argv)
    assert (found.kind, found.repair) == ("module-missing", "invoke build api && invoke up")
    assert named in found.cause
    assert "Dockerfile" in found.change


def test_a_module_of_the_image_behind_a_mounted_folder(shop: Project) -> None:
    mount = Mount("bind", str(shop.root / "web"), "/app", is_writable=True)
    found = ended(
        shop,
        "ModuleNotFoundError: No module named 'worker'",
        argv=("gunicorn", "worker:app"),
        mounts=(mount,),
        in_image=lambda path: path == "/app/worker.py",
    )
    assert (found.kind, found.repair) == ("module-missing", "invoke up api")
    assert "hides it" in found.cause


@pytest.mark.parametrize("is_newer", [True, False])
def test_settings_that_were_changed_after_the_code_are_looked_at_first(shop: Project, is_newer: bool) -> None:
    settings, code = shop.root / "settings.ini", shop.root / "main.py"
    os.utime(settings, (2e9, 2e9) if is_newer else (1e9, 1e9))
    os.utime(code, (1.5e9, 1.5e9))
    mount = Mount("bind", str(settings), "/etc/app/settings.ini", is_writable=False)
    found = ended(shop, *TRACE, "KeyError: 'queue'", mounts=(mount,))
    assert ("settings.ini" in found.change) is is_newer
    assert "main.py:3" in found.change


def test_settings_that_the_line_below_the_error_names(shop: Project) -> None:
    mount = Mount("bind", str(shop.root / "settings.ini"), "/etc/app/settings.ini", is_writable=False)
    error = "configparser.MissingSectionHeaderError: File contains no section headers."
    found = ended(shop, *TRACE, error, "file: '/etc/app/settings.ini', line: 1", "'queue = a\\n'", mounts=(mount,))
    assert (found.kind, found.change) == ("settings-broken", "correct settings.ini:1")


@pytest.mark.parametrize("is_restarted", [True, False])
def test_a_program_whose_server_was_started_anew(shop: Project, is_restarted: bool) -> None:
    begun = "2026-11-29T01:00:20Z" if is_restarted else "2026-11-29T00:00:00Z"
    found = ended(
        shop,
        "redis.exceptions.ConnectionError: Connection closed by server.",
        environment={"CACHE_URL": "redis://cache:6379"},
        started_at="2026-11-29T00:30:00Z",
        finished_at="2026-11-29T01:00:19Z",
        peers={"cache": make_container("cache", started_at=begun)},
    )
    assert ("started anew" in found.cause) is is_restarted


def running(shop: Project, listeners: tuple[Listener, ...], **changes: Any) -> Fault:
    asks = ("CMD-SHELL", "curl http://127.0.0.1:8000/health")
    facts = {"health": "unhealthy", "health_command": asks, **changes}
    one = make_container("api", **facts)
    link = "health" if facts["health"] else "port"
    verdict = UNHEALTHY if facts["health"] else Verdict("ready", "running")
    result = make_result(one, failed("works", link=link, is_asked=True), verdict=verdict)
    return name_fault(make_evidence(shop, result, listeners=listeners))


def test_a_program_that_listens_over_ipv6_only(shop: Project) -> None:
    refused = "curl: (7) Failed to connect to 127.0.0.1 port 8000: Connection refused"
    assert running(shop, (Listener("::", 8000),), health_output=refused).kind == "listens-on-loopback"
    assert running(shop, (Listener("0.0.0.0", 8000),), health_output=refused).kind != "listens-on-loopback"
    asks = ("CMD", "curl", "http://127.0.0.1/")
    found = running(shop, (Listener("::", 80),), health_command=asks, health_output=refused.replace("8000", "80"))
    assert found.kind == "listens-on-loopback"


def test_a_health_check_that_waits_too_briefly_is_changed_where_it_is_written(shop: Project) -> None:
    found = running(shop, (Listener("0.0.0.0", 8000),), health_output="socket.timeout: timed out")
    assert (found.kind, found.repair) == ("unhealthy", "invoke build api && invoke up")
    assert "Dockerfile:4" in found.change


def test_a_health_check_of_the_image_for_another_port(shop: Project) -> None:
    found = running(shop, (Listener("0.0.0.0", 9000),), health_output="127.0.0.1 port 8000: Connection refused")
    assert (found.kind, found.repair) == ("health-check-wrong-address", "invoke build api && invoke up")
    assert "Dockerfile:4" in found.change


def test_a_health_check_that_names_no_port_asks_the_one_of_its_scheme(shop: Project) -> None:
    asks = ("CMD-SHELL", "curl http://127.0.0.1/health")
    said = "curl: (7) Failed to connect to 127.0.0.1 port 80 after 0 ms: Couldn't connect to server"
    found = running(shop, (Listener("0.0.0.0", 8080),), health_command=asks, health_output=said)
    assert (found.kind, "port 80," in found.cause) == ("health-check-wrong-address", True)


def test_the_line_of_the_code_that_listens_on_loopback(shop: Project) -> None:
    ports, begun = (make_port(8080, 80),), "2020-01-01T00:00:00Z"
    found = running(shop, (Listener("127.0.0.1", 80),), health="", ports=ports, started_at=begun)
    assert (found.kind, found.repair) == ("listens-on-loopback", "invoke build api && invoke up")
    assert "main.py:3" in found.change


@pytest.mark.parametrize(
    "said",
    [
        "ValueError: invalid data in uploaded file",
        "tarfile.ReadError: archive is corrupted",
        "ERROR:  permission denied for table users",
        "TypeError: create_app() got an unexpected keyword argument 'app'",
        "Error: Request failed with status code 401: Unauthorized",
        'TypeError [ERR_HTTP_INVALID_HEADER_VALUE]: Invalid value "undefined" for header "x-user"',
        "ArgumentError: Missing `secret_key_base` for 'production' environment, set this string with `bin/rails edit`",
        "IP address '172.18.0.4' could not be resolved: Name or service not known",
        'upstream timed out while reading response header from upstream, host: "localhost"',
        "Error: a value is required\nERR_NO_VALUE",
    ],
)
def test_an_ordinary_error_of_a_program_has_no_cause_in_the_project(shop: Project, said: str) -> None:
    given = {"DATABASE_URL": "postgres://a:hunter22@cache:5432/x", "RAILS_ENV": "production"}
    argv, cache = ("uvicorn", "main:app"), {"cache": make_container("cache", health="healthy")}
    log = (*TRACE, *said.splitlines())
    found = ended(shop, *log, environment=given, argv=argv, mounts=(DATA,), peers=cache, finished_at="2025")
    assert found.kind in ("crashed", "one-shot-failed"), found


@pytest.mark.parametrize(
    "said",
    [
        "sqlite3.DatabaseError: file is not a database",
        "PANIC:  could not locate a valid checkpoint record",
        "LOG:  invalid primary checkpoint record",
        'FATAL:  invalid data in file "backup_label"',
        "[ERROR] InnoDB: Database page [page id: space=0, page number=5] is corrupted",
    ],
)
def test_data_that_its_server_calls_damaged_is_named_and_kept(shop: Project, said: str) -> None:
    found = ended(shop, said, mounts=(DATA,))
    assert (found.kind, "rm" in found.repair.split()) == ("data-damaged", False)


def test_a_file_that_may_not_be_opened_is_no_port_whatever_stands_above_it(shop: Project) -> None:
    said = ("INFO will listen on port 8080", *TRACE, "PermissionError: [Errno 13] Permission denied: '/data/x'")
    assert ended(shop, *said, mounts=(DATA,), user="app").kind == "volume-unwritable"


def test_the_files_of_the_user_are_not_given_to_a_container(shop: Project) -> None:
    made = shop.root / "uploads"
    made.mkdir()
    said = "PermissionError: [Errno 13] Permission denied: '/srv/x'"
    uid, gid = made.stat().st_uid, made.stat().st_gid

    def by(folder: Path) -> Fault:
        return ended(shop, *TRACE, said, mounts=(Mount("bind", str(folder), "/srv", True),), user="app")

    assert ("chown" in by(made).repair) is (uid == 0)
    shop.root.chmod(0o755)
    checkout = by(shop.root)
    assert (checkout.kind, checkout.repair) == ("volume-unwritable", "invoke up api")
    assert f'user: "{uid}:{gid}"' in checkout.change


def test_a_file_that_a_stranger_asks_for_is_not_what_a_check_misses(shop: Project) -> None:
    def asked(path: str) -> Fault:
        said = f'open() "/usr/share/html/x" failed (2: No such file or directory), request: "GET {path} HTTP/1.1"'
        check = ("CMD-SHELL", "curl -f http://127.0.0.1/index.html")
        one = make_container("api", health="unhealthy", health_command=check)
        result = make_result(one, failed("health check", link="health"), verdict=UNHEALTHY)
        return name_fault(make_evidence(shop, result, log=(said,), has=lambda path: path.endswith("html")))

    assert asked("/index.html").kind == "file-missing"
    assert asked("/favicon.ico").kind == "unhealthy"


def test_a_full_disk_is_not_that_of_another_path(shop: Project) -> None:
    said = "java.io.IOException: dir /var/lib/kafka/x: No space left on device"
    assert DATA.words not in ended(shop, said, mounts=(DATA,)).cause
    assert DATA.words in ended(shop, "OSError: No space left on device", mounts=(DATA,)).cause


def test_a_secret_is_not_opened_to_everybody(shop: Project) -> None:
    (shop.root / "secrets").mkdir()
    key = shop.root / "secrets" / "server.key"
    key.touch(mode=0o600)
    for folder in (shop.root, key.parent):
        folder.chmod(0o755)
    mounts = (Mount("bind", str(key), "/run/secrets/key", is_writable=False),)
    said = "PermissionError: [Errno 13] Permission denied: '/run/secrets/key'"
    found = ended(shop, said, mounts=mounts, user="4242")
    assert (found.kind, found.repair) == ("file-unreadable", "invoke up api")
    assert f'user: "{key.stat().st_uid}:' in found.change
