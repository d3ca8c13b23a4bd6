"""Messages of Compose 2.40 with the place and the repair that they are given."""

from pathlib import Path

import pytest

from layerstack.command import CommandResult
from layerstack.errors import EngineError, StackError
from layerstack.project.compose_errors import unreadable

COMPOSE = """services:
  web:
    image: ${IMAGE:?name it}
    env_file: [web.env]
    port: ["1:1"]
    ports: ["127.0.0.1:${PORT:-80}:80", "x80:90"]
    depends_on: [db]
    volumes: ["data:/data"]
  low: {image: low, profiles: [later]}
  queue: {image: queue, depends_on: [web], healthcheck: {interval: 2}, cpuset: 3}
  Job 1: {image: job, healthcheck: {test: [wget, "http://127.0.0.1"]}}
secrets: {key: {file: key.txt}}
"""


def error(root: Path, said: str, **variables: str) -> StackError:
    (root / "compose.yaml").write_text(COMPOSE)
    result = CommandResult(("docker", "compose", "config"), 1, "", said.replace("ROOT", str(root)), 0.1)
    return unreadable("The Compose file", result, root, [root / "compose.yaml"], variables)


@pytest.mark.parametrize(
    ("said", "place", "advice"),
    [
        (
            "validating ROOT/compose.yaml: services.web additional properties 'port' not allowed",
            "compose.yaml:5",
            "ports",
        ),
        ("env file ROOT/web.env not found: stat ROOT/web.env: no such file or directory", "web.env", "Write web.env"),
        ("couldn't find env file: ROOT/own.env", "own.env", "Write own.env"),
        (
            "error while interpolating services.web.image: required variable IMAGE is missing a value: name it",
            "compose.yaml:3",
            "echo IMAGE=VALUE >> .env",
        ),
        ("Invalid hostPort: x80", "compose.yaml:6", "x80"),
        ("Invalid ip address: x80", "compose.yaml:6", "x80"),
        ('healthcheck.test must start either by "CMD", "CMD-SHELL" or "NONE"', "compose.yaml:11", "CMD"),
        ("failed to read ROOT/.env: line 3: key cannot contain a space", ".env:3", "line 3"),
        (
            'service "web" depends on undefined service "db": invalid compose project',
            "compose.yaml:7",
            "no service db",
        ),
        (
            'service "web" refers to undefined volume data: invalid compose project',
            "compose.yaml:8",
            "Declare `data:` below a top-level `volumes:`",
        ),
        (
            "dependency cycle detected: web -> queue -> web",
            "web waits for queue waits for web (compose.yaml:7)",
            "Take one of these out of `depends_on`: compose.yaml:7, compose.yaml:10.",
        ),
        ('service "web" depends on undefined service "wep"', "compose.yaml:7", "Did you mean web?"),
        ('service "web" declares unknown service "low" as additional contexts x', "compose.yaml:2", "PROFILES=later"),
        ("validating ROOT/compose.yaml: services.web.image must be a string", "compose.yaml:3", "compose.yaml:3"),
        ("project name must not be empty", "my shop gives it no name", "`name:`"),
        ('invalid project name "My Shop": must consist only of', "COMPOSE_PROJECT_NAME in .env", "`my-shop`"),
        ('service "low" has neither an image nor a build context specified', "compose.yaml:9", "Give low an `image:`"),
        (
            'failed to parse ROOT/compose.yaml: line 4: mapping key "image" already defined at line 3',
            "compose.yaml:4",
            "of line 3 or of line 4",
        ),
        ("open ROOT/compos.yaml: no such file or directory", "compos.yaml", "Did you mean compose.yaml?"),
        (
            'cannot extend service "web" in ROOT/compose.yaml: service "lwo" not found in compose.yaml',
            "compose.yaml:2",
            "Did you mean low?",
        ),
        ("include cycle detected:\nROOT/compose.yaml\n include ROOT/compose.yaml", "compose.yaml:1", "`include:`"),
        (
            "docker-bake.hcl:2\n----\n  2 | >>> x\nERROR: docker-bake.hcl:2,1-3",
            "docker-bake.hcl:2",
            "docker-bake.hcl:2",
        ),
        (
            'service "web" refers to undefined build secret token: invalid compose project',
            "compose.yaml:2",
            "Declare `token:` below a top-level `secrets:`",
        ),
        (
            "validating ROOT/compose.yaml: services.web.build additional properties 'contxt' not allowed",
            "compose.yaml:2",
            "Did you mean context?",
        ),
        (
            "validating ROOT/compose.yaml: services.web.depends_on.db.condition value must be one of 'started', "
            "'healthy'",
            "compose.yaml:7: services.web.depends_on.db.condition value must be one of",
            "Correct compose.yaml:7",
        ),
        ("services.low.profiles value must be one of 'latest', 'x'", "compose.yaml:9", "Correct compose.yaml:9"),
        ("services.low.image value must be one of 'lows', 'x'", "compose.yaml:9", "Write `lows` for `low`"),
        ("services.queue.healthcheck.interval must be a string", "compose.yaml:10", "Write `2s` in"),
        ("validating ROOT/compose.yaml:  additional properties 'servcies' not allowed", "compose.yaml:1", "services?"),
        (
            "validating ROOT/compose.yaml:  additional properties 'web' not allowed",
            "compose.yaml:1",
            "below `services:`",
        ),
        ("validating ROOT/compose.yaml: volumes must be a mapping", "compose.yaml:", "Correct"),
        ("invalid interpolation format for services.web.image.\nUnset: ${TAG", "compose.yaml:", "`${NAME}`"),
        ("services.queue.cpuset must be a string", "compose.yaml:10", 'Write `"3"`'),
        ("services additional properties 'Job 1' not allowed", "compose.yaml:11", "Write `Job-1` for `Job 1`"),
        ("secrets.key conflicts with imported resource", "compose.yaml:12", "Remove key from compose.yaml:12"),
        ("something else", "something else", "docker compose config"),
    ],
)
def test_a_message(tmp_path: Path, said: str, place: str, advice: str) -> None:
    root = tmp_path / "my shop"
    root.mkdir()
    found = error(root, said)
    assert place in str(found.args[0]).splitlines()[0]
    assert advice in found.advice


@pytest.mark.parametrize("named", ["web", "api"])
def test_a_container_name_of_two_services_is_told_by_both_whichever_compose_names(tmp_path: Path, named: str) -> None:
    file = tmp_path / "compose.yaml"
    one = "  {}:\n    image: x\n    container_name: shop\n"
    file.write_text("services:\n" + one.format("web") + one.format("api"))
    said = f'services.{named}: container name "shop" is already in use by service {{}}"'
    result = CommandResult(("docker", "compose", "config"), 1, "", said, 0.1)
    found = unreadable("The Compose file", result, tmp_path, [file], {})
    assert "compose.yaml:4" in str(found.args[0])
    assert "compose.yaml:7" in found.advice
    assert "web" in found.advice


def test_a_docker_context_that_is_gone_is_no_fault_of_the_compose_file(tmp_path: Path) -> None:
    found = error(tmp_path, 'Failed to initialize: unable to resolve docker endpoint: context "off": context not found')
    assert isinstance(found, EngineError)
    assert "off" in str(found.args[0])


def test_tls_files_that_are_gone_are_no_fault_of_the_compose_file(tmp_path: Path) -> None:
    said = "Failed to initialize: unable to resolve docker endpoint: open /certs/ca.pem: no such file or directory"
    found = error(tmp_path, said)
    assert isinstance(found, EngineError)
    assert "/certs/ca.pem" in str(found.args[0])


def test_an_example_beside_a_missing_env_file_is_the_repair(tmp_path: Path) -> None:
    (tmp_path / ".env.example").touch()
    found = error(tmp_path, "env file ROOT/.env not found: stat ROOT/.env: no such file or directory")
    assert found.advice.startswith("`cp .env.example .env")


def test_every_env_file_that_has_an_example_is_copied_at_once(tmp_path: Path) -> None:
    root = tmp_path / "my shop"
    (root / "apps").mkdir(parents=True)
    for example in (".env.example", "apps/.env.example", "there.env", "other.env.example"):
        (root / example).touch()
    listed = "[.env, {path: there.env}, {path: other.env, required: false}, $NAMED.env]"
    services = f"services:\n  web: {{image: x, env_file: {listed}}}\n  api: {{image: x, env_file: apps/.env}}\n"
    (root / "compose.yaml").write_text(services)
    said = f'time="2026" level=warning msg="The \\"A\\" variable is not set."\nenv file {root}/.env not found: stat'
    found = unreadable("It", CommandResult((), 1, "", said, 0.1), root, [root / "compose.yaml"], {})
    assert found.advice == "`cp .env.example .env && cp apps/.env.example apps/.env`"
    assert "variable" not in str(found.args[0])


def test_a_wrong_port_from_the_env_file_is_named_there(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nPORT=abc\n")
    found = error(tmp_path, "Invalid hostPort: abc", PORT="abc")
    assert ".env:2" in str(found.args[0])
    assert "PORT=abc" in found.advice


def test_a_wrong_port_from_the_environment_is_named_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "abc")
    found = error(tmp_path, "Invalid hostPort: abc", PORT="abc")
    assert "compose.yaml:6" in str(found.args[0])
    assert "unset PORT" in found.advice


def test_what_is_no_yaml_is_named_before_what_compose_says(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("a: [\n")
    result = CommandResult(("docker",), 1, "", "yaml: line 1", 0.1)
    found = unreadable("The Compose file", result, tmp_path, [tmp_path / "other.yaml"], {})
    assert "other.yaml:2" in str(found.args[0])


def test_a_missing_plugin_is_the_engine_s(tmp_path: Path) -> None:
    assert isinstance(error(tmp_path, "docker: 'compose' is not a docker command."), EngineError)


def test_a_fresh_clone_gets_its_example_copied(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services:\n  web:\n    image: ${IMAGE:?name it}\n")
    (tmp_path / ".env.example").write_text("IMAGE=nginx\n")
    message = "error while interpolating services.web.image: required variable IMAGE is missing a value: name it"
    failed = CommandResult(("docker", "compose", "config"), 15, "", message, 0.1)
    refused = unreadable("The Compose file", failed, tmp_path, [tmp_path / "compose.yaml"], {})
    assert "`cp .env.example .env`" in refused.advice
    (tmp_path / ".env").touch()
    assert "cp " not in unreadable("The Compose file", failed, tmp_path, [tmp_path / "compose.yaml"], {}).advice


@pytest.mark.parametrize(
    ("said", "example", "advice"),
    [
        (
            "services.web.read_only: failed to cast to expected type: invalid boolean: ",
            "LOCKED=true\n",
            "`cp env.example .env`",
        ),
        (
            "services.web.read_only: failed to cast to expected type: invalid boolean: ",
            "OTHER=1\n",
            "`echo LOCKED=VALUE",
        ),
        ("invalid spec: :/data: empty section between colons", "DATA=/srv\n", "`cp env.example .env`"),
        ("invalid spec: :/data: empty section between colons", "OTHER=1\n", "docker compose config"),
    ],
)
def test_what_an_unset_variable_left_empty_is_no_fault_of_the_line(
    tmp_path: Path, said: str, example: str, advice: str
) -> None:
    (tmp_path / "env.example").write_text(example)
    text = "services:\n  web:\n    image: x\n    read_only: ${LOCKED}\n    volumes: ['${DATA}:/data']\n"
    (tmp_path / "compose.yaml").write_text(text)
    result = CommandResult(("docker", "compose", "config"), 1, "", said, 0.1)
    found = unreadable("The Compose file", result, tmp_path, [tmp_path / "compose.yaml"], {})
    assert advice in found.advice


def test_a_quote_without_its_end_is_named_where_it_begins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('A=1\nB="hello\nC=2\n')
    found = error(tmp_path, 'failed to read ROOT/.env: line 4: unterminated quoted value "hello')
    assert ".env:2: unterminated quoted value" in str(found.args[0])
    assert "line 2" in found.advice


def test_a_file_to_extend_is_not_the_one_that_extends_it(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services:\n  web:\n    extends: {file: common.yml, service: base}\n")
    said = f"open {tmp_path}/common.yml: no such file or directory"
    result = CommandResult(("docker", "compose", "config"), 1, "", said, 0.1)
    found = unreadable("The Compose file", result, tmp_path, [tmp_path / "compose.yaml"], {})
    assert "compose.yaml:3" in str(found)
    assert "Did you mean" not in found.advice
