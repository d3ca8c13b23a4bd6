"""A client for one endpoint: its certificates, its errors, and that the docker command reaches the same engine."""

import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import docker.errors
import fake_docker
import pytest
import requests
from answering import Answering

from layerstack.engine import engine
from layerstack.errors import EngineError, NotInEngine

SELF_SIGNED = "req -x509 -newkey rsa:2048 -nodes -days 2"
ANSWERS: dict[str, tuple[int, Any]] = {
    "/version": (200, {"ApiVersion": "1.48", "Version": "28.5.2"}),
    "/v1.48/info": (200, {"ID": "engine-a"}),
    "/v1.48/images/gone/json": (404, {"message": "No such image: gone:latest"}),
    "/v1.48/containers/gone/json": (404, {"message": "No such container: gone"}),
    "/v1.48/containers/busy/json": (500, {"message": "layer does not exist"}),
    "/v1.48/networks/odd": (502, "<html>bad gateway</html>"),
}


class _Engine(Answering):
    def do_GET(self) -> None:
        status, document = ANSWERS.get(self.path, (404, {"message": "page not found"}))
        if self.path.endswith("/break/json"):
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.answer(status, document if isinstance(document, str) else json.dumps(document))


@pytest.mark.parametrize(
    ("newest", "oldest", "spoken"), [("1.43", "1.12", "1.43"), ("1.57", "1.44", "1.51"), ("1.80", "1.60", "1.60")]
)
def test_a_newer_engine_is_asked_in_the_version_that_is_known(
    host: str, monkeypatch: pytest.MonkeyPatch, newest: str, oldest: str, spoken: str
) -> None:
    monkeypatch.setitem(ANSWERS, "/version", (200, {"ApiVersion": newest, "MinAPIVersion": oldest}))
    monkeypatch.setitem(ANSWERS, f"/v{spoken}/info", (200, {"ID": "engine-a"}))
    assert engine.client().api.api_version == spoken


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine._connect.cache_clear()
    for name in ("DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    fake_docker.install(tmp_path, monkeypatch).answers("info *", "engine-a\n")


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Engine) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


@pytest.fixture
def host(server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> str:
    found = f"tcp://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("DOCKER_HOST", found)
    return found


def openssl(folder: Path, words: str) -> None:
    subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """ca.pem, and a pair for 127.0.0.1 that it signed."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    openssl(folder, f"{SELF_SIGNED} -subj /CN=ca -keyout ca-key.pem -out ca.pem")
    openssl(folder, "req -newkey rsa:2048 -nodes -subj /CN=engine -keyout key.pem -out request.pem")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    sign = "x509 -req -days 2 -CA ca.pem -CAkey ca-key.pem -CAcreateserial"
    openssl(folder, f"{sign} -extfile names -in request.pem -out cert.pem")
    return folder


@pytest.fixture
def tls_host(server: ThreadingHTTPServer, host: str, authority: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An engine that wants a certificate of its own authority from each client."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority / "ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(authority))
    return host


def test_an_encrypted_engine_that_is_asked_without_tls(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, "/version", (400, "Client sent an HTTP request to an HTTPS server.\n"))
    with pytest.raises(EngineError) as refused:
        engine.client()
    assert "DOCKER_TLS_VERIFY" in refused.value.advice


def test_an_engine_without_tls_that_is_asked_with_it(
    host: str, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(authority))
    with pytest.raises(EngineError) as refused:
        engine.client()
    assert "unset DOCKER_TLS_VERIFY" in refused.value.advice


def test_one_client_for_a_process(host: str) -> None:
    assert engine.client() is engine.client()


def test_the_docker_command_must_reach_the_same_engine(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_docker.FakeDocker(tmp_path / "bin", monkeypatch).answers("info *", "engine-b\n")
    with pytest.raises(EngineError, match=r"two engines(.|\n)*engine-b(.|\n)*engine-a"):
        engine.client()


def test_an_engine_that_the_docker_command_does_not_reach(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = fake_docker.FakeDocker(tmp_path / "bin", monkeypatch)
    fake.answers("info *", "\n", "Cannot connect to the Docker daemon", 1)
    with pytest.raises(EngineError, match="Cannot connect"):
        engine.client()


def test_the_engines_own_authority_wins_over_a_bundle_of_the_machine(
    tls_host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bundle.pem").write_text("")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(tmp_path / "bundle.pem"))
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert engine.client().info()["ID"] == "engine-a"


def test_a_refused_certificate_is_called_that(tls_host: str, authority: Path) -> None:
    openssl(authority, f"{SELF_SIGNED} -subj /CN=other -keyout other.pem -out ca.pem")
    with pytest.raises(EngineError, match="TLS certificate"):
        engine.client()


@pytest.mark.parametrize(
    ("call", "kinds"),
    [
        (lambda api: api.inspect_image("gone"), (NotInEngine, docker.errors.ImageNotFound)),
        (lambda api: api.inspect_container("gone"), (NotInEngine, docker.errors.NotFound)),
        (lambda api: api.inspect_container("busy"), (EngineError, docker.errors.APIError)),
        (lambda api: api.inspect_network("odd"), (EngineError, docker.errors.APIError)),
        (lambda api: api.inspect_container("break"), (EngineError, requests.RequestException)),
    ],
)
def test_every_error_is_ours_and_the_sdks(host: str, call: Any, kinds: tuple[type[Exception], ...]) -> None:
    api = engine.client().api
    for kind in kinds:
        with pytest.raises(kind):
            call(api)


def test_podman_is_one_clear_sentence(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Engine, "version_string", lambda _: "Libpod/5.8.6 (linux)")
    with pytest.raises(EngineError, match=r"^This is Podman 5\.8\.6: it has no BuildKit"):
        engine.client()


def test_an_error_quotes_the_engine(host: str) -> None:
    with pytest.raises(EngineError) as failure:
        engine.client().api.inspect_container("busy")
    assert "layer does not exist" in str(failure.value)
    assert failure.value.explanation == "layer does not exist"  # type: ignore[attr-defined]
