"""What is written wrongly: health checks, commands, values; and programs that say little of their end."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from verify_parts import UNHEALTHY, failed, make_container, make_evidence, make_project, make_result

from layerstack.dockerfile.image import Image
from layerstack.engine.container import Mount
from layerstack.project.project import Project
from layerstack.project.service import Service
from layerstack.run.fault import Fault
from layerstack.run.health import Verdict, judge_now
from layerstack.verify.check_graph import CheckGraph
from layerstack.verify.diagnosis import name_fault
from layerstack.verify.explanation import with_waiting
from layerstack.verify.listening import Listener

COMPOSE = """services:
  api:
    build: .
    command: serve -p $API_PORT /wwww
    read_only: true
    environment:
      EVERY: 0
    volumes: ["./www:/www:ro"]
    healthcheck:
      test: ["CMD-SHELL", "wget", "-qO-", "http://127.0.0.1:8080/index.json"]
  migrate:
    image: api:1
    command: manage.py migrate
"""
DOCKERFILE = """FROM debian
COPY entry.sh poll.pl /srv/
USER poller
ENTRYPOINT ["/srv/entry.sh"]
"""
ENDED = Verdict("failed", "exited", "exited with code 1")
SHOWN_PATH = "http://127.0.0.1:8080/index.json"
DATA = Mount("volume", "shop_uploads", "/uploads", is_writable=True)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("API_PORT", "8080")
    (tmp_path / "compose.yml").write_text(COMPOSE)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "entry.sh").write_text('#!/bin/sh\nset -e\n[ -n "$TOKEN" ]\nexec "$@"\n')
    (tmp_path / "poll.pl").write_text("use JSON::XS;\n")
    (tmp_path / "www").mkdir()
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger/worker.py").write_text("")
    api = {"build": {"context": "."}, "environment": {"EVERY": "0"}}
    found: Project = make_project({"api": api, "migrate": {"command": "manage.py migrate"}}, tmp_path)
    return replace(found, images={"api": Image("api", ".", dockerfile="Dockerfile", tags=("api:1",))})


def ended(shop: Project, *log: str, **changes: Any) -> Fault:
    facts = {"status": "exited", "exit_code": 1, "folder": "/srv", **changes}
    evidence = {key: facts.pop(key) for key in ("has", "was_stopped") if key in facts}
    one = make_container("api", **facts)
    return name_fault(make_evidence(shop, make_result(one, failed(link="running"), verdict=ENDED), log=log, **evidence))


def unhealthy(shop: Project, said: str, *command: str, **changes: Any) -> Fault:
    one = make_container("api", health="unhealthy", health_output=said, health_command=command, **changes)
    result = make_result(one, failed(link="health", answer=said), verdict=replace(UNHEALTHY, reason=said))
    return name_fault(make_evidence(shop, result))


@pytest.mark.parametrize(
    ("command", "is_malformed"),
    [
        (("CMD-SHELL", "wget", "-qO-", SHOWN_PATH), True),
        (("CMD", f"wget -qO- {SHOWN_PATH}"), True),
        (("CMD-SHELL", f"wget -qO- {SHOWN_PATH}"), False),
        (("CMD", "wget", "-qO-", SHOWN_PATH), False),
    ],
)
def test_a_health_check_whose_words_are_parted_wrongly(
    shop: Project, command: tuple[str, ...], is_malformed: bool
) -> None:
    found = unhealthy(shop, "Usage: wget [-cqS]", *command)
    assert (found.kind == "health-check-malformed") is is_malformed
    if is_malformed:
        assert (found.repair, "compose.yml:10" in found.change) == ("invoke up api", True)


def test_a_health_check_that_is_to_log_in(shop: Project) -> None:
    said = "wget: server returned error: HTTP/1.1 401 Unauthorized"
    found = unhealthy(shop, said, "CMD", "wget", SHOWN_PATH)
    assert (found.kind, "compose.yml:10" in found.change) == ("health-check-wrong-address", True)


def test_a_health_check_of_files_in_a_folder_that_docker_made(shop: Project) -> None:
    mount = Mount("bind", str(shop.root / "www"), "/www", is_writable=False)
    said = "wget: server returned error: HTTP/1.1 404 Not Found"
    found = unhealthy(shop, said, "CMD", "wget", SHOWN_PATH, mounts=(mount,))
    assert (found.kind, "compose.yml:8" in found.change) == ("file-missing", True)
    (shop.root / "www/other").write_text("")
    assert unhealthy(shop, said, "CMD", "wget", SHOWN_PATH, mounts=(mount,)).kind == "health-check-wrong-address"


def test_a_user_of_the_dockerfile_needs_a_build(shop: Project) -> None:
    found = ended(shop, status="created", error="unable to find user poller: no matching entries in passwd file")
    assert (found.kind, found.repair) == ("user-unknown", "invoke build api && invoke up")
    assert "Dockerfile:3" in found.change


def test_a_value_that_its_program_names_by_its_variable(shop: Project) -> None:
    found = ended(shop, "EVERY is 0")
    assert (found.kind, "compose.yml:7" in found.change) == ("variable-wrong", True)
    assert ended(shop, "EVERY is 0", "polled").kind == "variable-wrong"
    assert ended(shop, "sleeping EVERY second").kind != "variable-wrong"


@pytest.mark.parametrize("said", ["/srv/entry.sh: line 3: TOKEN: parameter not set", "token: unbound variable"])
def test_a_variable_that_a_shell_misses(shop: Project, said: str) -> None:
    assert ended(shop, said).kind == "variable-missing"


def test_a_command_with_a_variable_that_nothing_sets(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(shop, "usage: serve [-p PORT]").kind != "variable-missing"
    monkeypatch.delenv("API_PORT")
    found = ended(shop, "usage: serve [-p PORT]")
    assert (found.kind, found.repair) == ("variable-missing", "invoke up api")
    assert "compose.yml:4" in found.cause


def test_a_path_in_the_command_that_is_not_there(shop: Project) -> None:
    said = "serve: can't change directory to '/wwww': No such file or directory"
    argv = ("serve", "-p", "8080", "/wwww")
    found = ended(shop, said, argv=argv, has=lambda _: False)
    assert (found.kind, "compose.yml:4" in found.change) == ("file-missing", True)
    mount = Mount("bind", str(shop.root / "www"), "/www", is_writable=False)
    near = ended(shop, said, argv=argv, has=lambda _: False, mounts=(mount,))
    assert "did you mean /www?" in near.cause
    assert "force" not in found.repair


def test_a_file_in_the_script_of_the_command_that_the_image_has_under_a_similar_name(shop: Project) -> None:
    said = 'Can\'t open perl script "/srv/pol.pl": No such file or directory'
    found = ended(shop, said, argv=("sh", "-c", "exec perl /srv/pol.pl"), has=lambda path: path == "/srv/poll.pl")
    assert (found.kind, "did you mean /srv/poll.pl?" in found.cause) == ("file-missing", True)


@pytest.mark.parametrize(
    ("log", "name"),
    [
        (
            ("Can't locate JSON/XS.pm in @INC (you may need to install the JSON::XS module) at /srv/poll.pl line 1.",),
            "JSON::XS",
        ),
        (("/srv/app.rb:1:in 'require': cannot load such file -- sinatra (LoadError)",), "sinatra"),
        (
            ('Exception in thread "main" java.lang.NoClassDefFoundError: org/slf4j/LoggerFactory',),
            "org/slf4j/LoggerFactory",
        ),
        (('PHP Fatal error:  Uncaught Error: Class "Redis" not found in /srv/index.php:3',), "Redis"),
    ],
)
def test_a_package_of_another_language(shop: Project, log: tuple[str, ...], name: str) -> None:
    found = ended(shop, *log, exit_code=255)
    assert (found.kind, found.repair) == ("module-missing", "invoke build api && invoke up")
    assert name in found.cause
    assert "Dockerfile" in found.change


def test_a_module_in_a_package_that_the_command_names_wrongly(shop: Project) -> None:
    found = ended(shop, "/usr/bin/python3: No module named ledger.workers", argv=("python3", "-m", "ledger.workers"))
    assert (found.kind, "ledger.worker?" in found.cause) == ("module-missing", True)


def test_a_script_that_says_nothing_is_run_again_with_its_steps(shop: Project) -> None:
    found = ended(shop, argv=("/srv/entry.sh", "serve"))
    assert "--entrypoint sh api -x /srv/entry.sh serve" in found.repair
    assert ended(shop, "a word", argv=("/srv/entry.sh", "serve")).repair == "invoke logs api"


def test_a_script_that_is_closed_to_the_user_is_not_looked_into(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> str:
        raise PermissionError

    monkeypatch.setattr(Path, "read_text", refuse)
    assert ended(shop, argv=("/srv/entry.sh", "serve")).repair == "invoke logs api"


def test_a_crash_of_python_is_run_again_with_its_stack(shop: Project) -> None:
    assert "PYTHONFAULTHANDLER=1" in ended(shop, exit_code=139, argv=("python3", "app.py")).repair
    assert "PYTHONFAULTHANDLER" not in ended(shop, exit_code=139, argv=("serve",)).repair


@pytest.mark.parametrize(
    "said",
    [
        'psycopg.errors.UndefinedTable: relation "entries" does not exist',
        'ERROR:  column "amount" of relation "entries" does not exist',
        "sqlite3.OperationalError: no such table: entries",
        "Table 'ledger.entries' doesn't exist",
    ],
)
def test_a_database_without_its_migrations(shop: Project, said: str) -> None:
    found = ended(shop, said)
    assert found.kind == "schema-missing"
    assert "run --rm migrate && invoke up" in found.repair


def test_a_relative_file_of_a_read_only_container_is_no_matter_of_its_volume(shop: Project) -> None:
    found = ended(shop, "OSError: [Errno 30] Read-only file system: 'cache.db'", mounts=(DATA,))
    assert (found.kind, "chown" in found.repair) == ("file-unwritable", False)
    inside = ended(shop, "PermissionError: [Errno 13] Permission denied: 'cache.db'", mounts=(DATA,))
    assert (inside.kind, "chown" in inside.repair) == ("file-unwritable", False)
    of_volume = ended(shop, "PermissionError: [Errno 13] Permission denied: 'a.db'", mounts=(DATA,), folder="/uploads")
    assert of_volume.kind == "volume-unwritable"


def test_a_closed_connection_is_a_failure_of_the_server_and_not_its_slowness(shop: Project) -> None:
    said = (
        "    h.request(req.get_method(), timeout=req.timeout)\n"
        "http.client.RemoteDisconnected: Remote end closed connection without response"
    )
    command = ("CMD", "python3", "-c", "urlopen('http://127.0.0.1:8080/')")
    one = make_container("api", health="unhealthy", health_output=said, health_command=command)
    verdict = replace(UNHEALTHY, reason=said.splitlines()[-1])
    result = make_result(one, failed(link="health", answer=said), verdict=verdict)
    log = ('  File "/srv/poll.pl", line 1, in get', "ZeroDivisionError: division by zero")
    found = name_fault(make_evidence(shop, result, log=log, listeners=(Listener("0.0.0.0", 8080),)))
    assert (found.kind, "ZeroDivisionError" in found.cause) == ("unhealthy", True)
    assert "poll.pl:1" in found.change


def test_what_waits_for_a_broken_service_is_started_by_its_repair() -> None:
    results = [
        make_result(make_container("db"), name="db"),
        make_result(make_container("api", status="created"), name="api"),
    ]
    graph = CheckGraph(("db", "api"), {"db": frozenset(), "api": frozenset({"db"})})
    fault = Fault("variable-missing", "", "invoke up db")
    assert with_waiting(fault, "db", graph, results).repair == "invoke up"
    assert with_waiting(fault, "db", graph, results[:1]).repair == "invoke up db"
    one = make_container("api", status="exited", exit_code=1)
    ended = make_result(one, failed(link="running"), verdict=ENDED, name="api")
    assert with_waiting(fault, "db", graph, [results[0], ended]).repair == "invoke up"


def test_the_complaint_of_a_stack_is_the_line_at_its_margin() -> None:
    said = 'Traceback (most recent call last):\n  File "x.py", line 1\n    return f(timeout)\nbad.Thing: no such'
    one = make_container("api", health="unhealthy", health_output=said)
    assert judge_now(one, Service("api", "api", (), {}), is_one_shot=False).reason.endswith("bad.Thing: no such")


def test_a_module_that_a_variable_asks_for(shop: Project) -> None:
    environment = {"NODE_OPTIONS": "--max-old-space-size=99 --require ./otel.js"}
    said = ("Error: Cannot find module './otel.js'", "Require stack:", "- internal/preload")
    found = ended(shop, *said, environment=environment)
    assert (found.kind, "NODE_OPTIONS" in found.cause) == ("variable-wrong", True)


def test_a_file_that_neither_the_image_nor_a_mount_has(shop: Project) -> None:
    said = "FileNotFoundError: [Errno 2] No such file or directory: '/srv/config.json'"
    here = {"has": lambda path: path == "/srv"}
    assert "--force" not in ended(shop, said, **here).repair
    (shop.root / "config.json").write_text("{}")
    assert "copy config.json" in ended(shop, said, **here).change
    mounts = {"volumes": [{"target": "/srv/config.json"}]}
    other = replace(shop, services={**shop.services, "migrate": Service("migrate", "api:1", (), mounts)})
    assert "mount it on api" in ended(other, said, **here).change
    (shop.root / "Dockerfile").write_text("FROM debian\nRUN curl -o /srv/config.json http://host/config.json\n")
    (shop.root / "config.json").unlink()
    assert "--force" in ended(shop, said, **here).repair


def test_a_program_that_was_given_no_port(shop: Project) -> None:
    said = "connect ECONNREFUSED 127.0.0.1:3000"
    one = make_container(
        "api",
        health="unhealthy",
        health_output=said,
        environment={"PORT": ""},
        health_command=("CMD", "node", "-e", "fetch('http://127.0.0.1:3000/')"),
    )
    result = make_result(one, failed(link="health", answer=said), verdict=UNHEALTHY)
    found = name_fault(make_evidence(shop, result, listeners=(Listener("0.0.0.0", 37343),)))
    assert (found.kind, found.repair) == ("wrong-port", "invoke up api")
    assert "PORT" in found.change


def test_a_script_that_waits_for_ever(shop: Project) -> None:
    (shop.root / "entry.sh").write_text("#!/bin/sh\nuntil nc -z postgress 5432; do sleep 1; done\nexec $@\n")
    said = "wget: can't connect to remote host (127.0.0.1): Connection refused"
    one = make_container("api", health="unhealthy", health_output=said, health_command=("CMD", "wget", SHOWN_PATH))
    one = replace(one, argv=("/srv/entry.sh", "serve"))
    result = make_result(one, failed(link="health", answer=said), verdict=UNHEALTHY)
    found = name_fault(make_evidence(shop, result, listeners=()))
    assert (found.kind, found.repair) == ("unhealthy", "invoke build api && invoke up")
    assert "entry.sh:2" in found.change
    assert "postgress" in found.cause


@pytest.mark.parametrize("said", ["[cause]: Error: unknown scheme", 'Get "db:80/x": unsupported protocol scheme "db"'])
def test_an_address_without_its_scheme(shop: Project, said: str) -> None:
    api = replace(shop.services["api"], definition={"environment": {"EVERY": "db:80"}})
    found = ended(replace(shop, services={"api": api, "db": Service("db", "db", (), {})}), said)
    assert (found.kind, "compose.yml:7" in found.change) == ("variable-wrong", True)
    assert ended(shop, said).kind != "variable-wrong"


def test_a_program_that_listens_on_its_outer_address_only(shop: Project) -> None:
    said = "connect ECONNREFUSED 127.0.0.1:8080"
    one = make_container("api", health="unhealthy", health_output=said, health_command=("CMD", "wget", SHOWN_PATH))
    one = replace(one, environment={"EVERY": "api"})
    result = make_result(one, failed(link="health", answer=said), verdict=UNHEALTHY)
    outer, every = (
        name_fault(make_evidence(shop, result, listeners=(Listener(ip, 8080),))) for ip in ("172.18.0.3", "0.0.0.0")
    )
    assert (outer.kind, "EVERY in compose.yml:7" in outer.change) == ("health-check-wrong-address", True)
    assert every.kind != outer.kind


def test_a_password_that_ends_its_address_too_early(shop: Project) -> None:
    environment = {"DB_URL": "postgres://me:p@ss/w#rd@migrate:5432/x"}
    said = "socket.gaierror: [Errno -2] Name or service not known"
    assert ended(shop, said, environment=environment).kind == "variable-wrong"
    plain = {"DB_URL": "postgres://me:pass@migrat:5432/x"}
    assert ended(shop, said, environment=plain).kind == "unknown-host"


@pytest.mark.parametrize(("reached", "is_blamed"), [((), False), (("127.0.0.1", "::1"), False), (("::1",), True)])
def test_a_health_check_that_says_nothing_is_no_proof_of_a_wrong_family(
    shop: Project, reached: tuple[str, ...], is_blamed: bool
) -> None:
    one = make_container("api", health="unhealthy", health_command=("CMD", "wget", SHOWN_PATH))
    result = make_result(one, failed(link="health"), verdict=UNHEALTHY)
    listening = (Listener("::", 8080),)
    seen = make_evidence(shop, result, listeners=listening, runs_out=lambda host, _: host in reached)
    assert (name_fault(seen).kind == "listens-on-loopback") is is_blamed


def test_the_line_is_named_and_not_a_variable_beside_the_wrong_part(shop: Project) -> None:
    url = "postgres://me:${DB_PASSWORD}@migrat:5432/ledgers"
    (shop.root / "compose.yml").write_text(COMPOSE.replace("EVERY: 0", f"DB_URL: {url}"))
    environment = {"DB_URL": url.replace("${DB_PASSWORD}", "secret")}
    api = replace(shop.services["api"], definition={"environment": environment})
    other = replace(shop, services={**shop.services, "api": api})
    host = ended(other, "gaierror: Name or service not known: migrat", environment=environment)
    assert (host.kind, host.change) == ("unknown-host", "correct DB_URL in compose.yml:7")
    name = ended(other, 'OperationalError: FATAL:  database "ledgers" does not exist', environment=environment)
    assert (name.kind, name.change) == ("variable-wrong", "correct DB_URL in compose.yml:7")


def test_an_empty_value_that_its_program_cannot_read(shop: Project) -> None:
    api = replace(shop.services["api"], definition={"environment": {"EVERY": ""}})
    other = replace(shop, services={**shop.services, "api": api})
    found = ended(other, "ValueError: invalid literal for int() with base 10: ''")
    assert (found.kind, "compose.yml:7" in found.change) == ("variable-missing", True)
    assert ended(shop, "ValueError: invalid literal for int() with base 10: ''").kind != "variable-missing"


def test_a_misspelt_command_of_npm(shop: Project) -> None:
    said = ('Unknown command: "strat"', "", "To see a list of supported npm commands, run:", "  npm help")
    found = ended(shop, *said, argv=("npm", "strat"))
    assert (found.kind, "did you mean start?" in found.cause) == ("command-missing", True)


def test_a_missing_env_file_with_an_example(shop: Project) -> None:
    (shop.root / "compose.yml").write_text(COMPOSE.replace("EVERY: 0", "DB_PASSWORD: ${DB_PASSWORD}"))
    said = "You must specify DB_PASSWORD to a non-empty value"
    assert "cp " not in ended(shop, said).repair
    (shop.root / ".env.example").write_text("DB_PASSWORD=change-me\n")
    assert ended(shop, said).repair == "cp .env.example .env && invoke up"
