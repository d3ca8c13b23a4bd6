"""Declared checks against a real HTTP server of this process."""

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from layerstack.engine.container import Container
from layerstack.engine.inside import Answer
from layerstack.engine.place import EnginePlace
from layerstack.errors import CheckFailed
from layerstack.project.project import Port
from layerstack.verify import checks, inside_http
from layerstack.verify.checks import CheckResult, Target, as_check, guess, run_declared
from layerstack.verify.http_check import look_up

BODY = {"people": [{"name": "a"}, {"name": "b"}], "state": "ready", "none": None}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/hang":
            time.sleep(60)
        if self.path == "/drip":
            self.send_response(200)
            self.end_headers()
            for _ in range(600):
                self.wfile.write(b"x")
                time.sleep(0.1)
            return
        if self.path == "/secret":
            wanted = "Basic dXNlcjpww6Rzcw=="
            self.answer(200 if self.headers.get("Authorization") == wanted else 401, b"")
        elif self.path == "/json":
            self.answer(200, json.dumps(BODY).encode())
        else:
            self.answer(503, b"the database\nis away")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201, b"seen" if b'name="photo"; filename="a.jpg"' in body and b"PIXELS" in body else b"missed")

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep the test output quiet."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that gives up is what some tests are about."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def target(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    # Asked for after two seconds, which a busy machine may take for an answer.
    monkeypatch.setattr(checks, "stopped_programs", lambda *_: [])
    (tmp_path / "a.jpg").write_bytes(b"PIXELS")
    ports = (Port("127.0.0.1", port, 8000),)
    return Target(None, Container("1", "web-1", "web", "running", "", ports=ports), tmp_path)


def ask(target: Target, **declared: Any) -> CheckResult:
    return run_declared({"check": "it", **declared}, target)


@pytest.mark.parametrize(
    "declared",
    [
        {"http": "/json"},
        {"http": "/json", "expect": {}},
        {"http": "/json", "expect": {"state": "ready", "people.1.name": "b", "people.length": 2, "none": None}},
        {"http": "/json", "contains": '"ready"'},
        {"http": "/json", "port": 8000},
        {"http": "/anything", "status": 503},
        {"http": "/secret", "status": 401},
        {"http": "/secret", "auth": "user:päss"},
        {"http": "/upload", "upload": {"photo": "a.jpg"}, "contains": "seen", "status": 201},
    ],
)
def test_right_answers(target: Target, declared: dict[str, Any]) -> None:
    result = ask(target, **declared)
    assert result.is_ok, result.detail
    assert result.milliseconds > 0


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"http": "/away"}, "→ 503, wanted 2xx or 3xx: the database is away"),
        ({"http": "/json", "status": 404}, "→ 200, wanted 404"),
        ({"http": "/json", "expect": {"people.0.name": "z"}}, "people.0.name is 'a', wanted 'z'"),
        ({"http": "/json", "expect": {"people.7.name": "z"}}, "there is no people.7.name in it"),
        ({"http": "/away", "status": 503, "expect": {}}, "not JSON"),
        ({"http": "/json", "contains": "absent"}, "without 'absent'"),
        ({"http": "/secret", "status": 200}, "→ 401, wanted 200: empty body"),
        ({"http": "/upload", "upload": {"photo": "absent.jpg"}}, "cannot be read"),
        ({"http": "/json", "port": 9}, "does not publish port 9"),
        ({"http": "/json", "contain": "typo"}, "unknown key contain"),
        ({"http": "/json", "timeout_seconds": "soon"}, "timeout_seconds is 'soon'"),
        ({}, "neither http nor exec"),
    ],
)
def test_wrong_answers_say_what_was_asked_and_what_came_back(
    target: Target, declared: dict[str, Any], said: str
) -> None:
    result = ask(target, **declared)
    assert not result.is_ok
    assert said in result.detail


@pytest.mark.parametrize("path", ["/hang", "/drip"])
def test_a_hanging_answer_is_given_up_in_time(target: Target, path: str) -> None:
    started = time.monotonic()
    result = ask(target, http=path, timeout_seconds=0.4)
    assert not result.is_ok
    assert "no answer within" in result.detail
    assert time.monotonic() - started < 30


def test_a_proxy_for_the_outside_is_not_asked(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert ask(target, http="/json").is_ok


def test_a_closed_port_is_said_so(target: Target) -> None:
    closed = Container("1", "web-1", "web", "running", "", ports=(Port("127.0.0.1", 9, 8000),))
    result = ask(Target(None, closed, target.root), http="/")
    assert not result.is_ok
    assert "no HTTP answer" in result.detail


def test_without_checks_a_failure_of_the_service_counts_and_silence_is_not_checked(target: Target) -> None:
    [broken] = guess(target)
    assert (broken.is_ok, broken.answer) == (False, "the database\nis away")
    silent = Container("1", "web-1", "web", "running", "", ports=(Port("127.0.0.1", 9, 8000),))
    assert guess(Target(None, silent, target.root))[0].detail.startswith("not checked:")


CRASH = (
    "Traceback (most recent call last):",
    '  File "/app/worker.py", line 3, in <module>',
    "    import redis",
    "ModuleNotFoundError: No module named 'redis'",
)


@pytest.mark.parametrize(
    ("said", "is_ok"),
    [
        ((), True),
        (("waiting for bd:5432", "waiting for bd:5432"), False),
        (("connect ECONNREFUSED db:5432",), True),
        (("Waiting for messages", "Waiting for messages"), True),
        (("connect ECONNREFUSED db:5432", "sent 3 letters"), True),
        (CRASH * 2, False),
        (CRASH, True),
        ((*CRASH, "job 7 is done", *CRASH), True),
        (("sh: 1: wroker: not found",) * 3, False),
        (("python: can't open file '/app/wroker.py': [Errno 2] No such file or directory",) * 2, False),
        (("0 failed jobs",) * 9, True),
    ],
)
def test_a_worker_that_nothing_checks_is_heard(
    target: Target, monkeypatch: pytest.MonkeyPatch, said: tuple[str, ...], is_ok: bool
) -> None:
    monkeypatch.setattr(checks, "read_log", lambda *_: said)
    [found] = guess(Target(None, Container("1", "web-1", "web", "running", ""), target.root))
    assert (found.is_ok, found.detail.startswith("not checked:")) == (is_ok, is_ok)


class Inside:
    """A container with some of this machine's programs; its port is the server's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *programs: str) -> None:
        self.programs = programs
        monkeypatch.setattr(inside_http, "run_inside", self.run)

    def run(self, _client: Any, _container: str, argv: Sequence[str], timeout_seconds: float) -> Answer:
        if argv[0] not in self.programs:
            return Answer(127, "executable file not found")
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout_seconds, check=False)
        return Answer(done.returncode, (done.stdout + done.stderr).strip())


@pytest.fixture
def there(target: Target) -> Target:
    """The same on an engine of another machine, which publishes the port for itself only."""
    (port,) = target.container.ports
    inside = replace(target.container, ports=(Port("127.0.0.1", 1, port.published),))
    return replace(target, container=inside, place=EnginePlace("builder.test"))


@pytest.mark.parametrize("program", ["curl", "node", "python3"])
def test_a_port_that_only_the_engines_machine_reaches_is_asked_inside(
    there: Target, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    if not shutil.which(program):
        pytest.skip(f"no {program} here")
    Inside(monkeypatch, program)
    assert ask(there, http="/json", expect={"people.length": 2, "state": "ready"}).is_ok
    assert ask(there, http="/secret", auth="user:päss").is_ok
    assert ask(there, http="/secret", status=401).is_ok
    broken = ask(there, http="/")
    assert not broken.is_ok
    assert "→ 503" in broken.detail
    assert "the database is away" in broken.detail
    dead = replace(there, container=replace(there.container, ports=(Port("127.0.0.1", 1, 9),)))
    assert not ask(dead, http="/").is_ok


def test_what_cannot_be_asked_inside_is_not_checked(there: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    Inside(monkeypatch)
    for result in (ask(there, http="/"), ask(there, http="/", upload={"photo": "a.jpg"}), guess(there)[0]):
        assert result.is_ok
        assert result.detail.startswith("not checked:")


def test_what_needs_something_that_does_not_run_is_not_waited_for(target: Target) -> None:
    result = ask(replace(target, is_doomed=True), http="/hang", timeout_seconds=30)
    assert not result.is_ok
    assert result.milliseconds < 20_000


def test_an_entry_that_is_no_mapping_fails_and_does_not_raise(target: Target) -> None:
    assert "neither http nor exec" in run_declared(as_check("/health"), target).detail


class FakeExec:
    """An engine whose containers run every command with one outcome."""

    def __init__(self, code: int, output: bytes) -> None:
        self.api, self._code, self._output = self, code, output

    def exec_create(self, container: str, argv: list[str], environment: dict[str, str]) -> dict[str, str]:
        return {"Id": "1"}

    def exec_start(self, process: str) -> bytes:
        return self._output

    def exec_inspect(self, process: str) -> dict[str, int]:
        return {"ExitCode": self._code}


@pytest.mark.parametrize(
    ("code", "declared", "is_ok", "said"),
    [
        (0, {}, True, "exit code 0"),
        (1, {}, False, "exit code 1 (wanted 0): not authorized"),
        (1, {"status": 1}, True, "exit code 1"),
        (0, {"contains": "authorized"}, True, "exit code 0"),
        (0, {"contains": "welcome"}, False, "without 'welcome'"),
    ],
)
def test_a_command_inside(target: Target, code: int, declared: dict[str, Any], is_ok: bool, said: str) -> None:
    inside = Target(FakeExec(code, b"not authorized\n"), target.container, target.root)
    result = ask(inside, exec=["mongosh", "--password=hidden"], **declared)
    assert (result.is_ok, said in result.detail) == (is_ok, True)
    assert "hidden" not in result.detail


def test_look_up_refuses_what_is_not_there() -> None:
    assert look_up({"a": [{"b": 1}]}, "a.0.b") == 1
    for path in ("b", "a.1", "a.x", "a.0.b.c", "length"):
        with pytest.raises(CheckFailed):
            look_up({"a": [{"b": 1}]}, path)
