"""An engine behind a local socket: what it answers, and that anything odd is left to the docker command."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any

import pytest
from answering import Answering

from layerstack.engine import disk_use, local
from layerstack.engine.local import ask

ANSWERS: dict[str, tuple[int, str]] = {
    "/images/web/json": (200, json.dumps({"Id": "sha256:web"})),
    "/images/gone/json": (404, json.dumps({"message": "No such image"})),
    "/broken": (500, "{}"),
    "/odd": (200, "no JSON"),
}


class _Engine(Answering):
    server_version = "Docker/28.5.2"

    def do_GET(self) -> None:
        self.answer(*ANSWERS[self.path])


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    found = tmp_path_factory.mktemp("e") / "s"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{found}")
    monkeypatch.setattr(local, "ask", ask)
    with ThreadingUnixStreamServer(str(found), _Engine) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


def test_answers_come_in_the_order_of_the_questions_and_what_is_missing_is_none(path: Path) -> None:
    assert ask("/images/gone/json", "/images/web/json") == [None, {"Id": "sha256:web"}]


@pytest.mark.parametrize("address", ["/broken", "/odd"])
def test_what_is_no_answer_is_left_to_the_docker_command(path: Path, address: str) -> None:
    assert ask("/images/web/json", address) is None


def test_podman_is_left_to_the_docker_command(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Engine, "server_version", "Libpod/5.8.6")
    assert ask("/images/web/json") is None


def test_an_engine_elsewhere_or_nowhere_is_left_to_the_docker_command(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf = tmp_path_factory.mktemp("e") / "s"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(deaf))
        for host in ("tcp://127.0.0.1:1", f"unix://{deaf}", f"unix://{deaf}.no"):
            monkeypatch.setenv("DOCKER_HOST", host)
            assert ask("/info") is None


@pytest.mark.parametrize(
    "answer", [{"BuildCache": [{"ID": "a"}]}, {"BuildCacheUsage": {"Items": [{"ID": "a"}], "TotalCount": 1}}]
)
def test_disk_use_is_read_as_older_and_as_newer_engines_tell_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    monkeypatch.setitem(ANSWERS, "/system/df?type=build-cache&verbose=1", (200, json.dumps(answer)))
    monkeypatch.setitem(ANSWERS, "/system/df?type=image&verbose=1", (200, "{}"))
    assert disk_use.read_disk_use("build-cache") == {"build-cache": [{"ID": "a"}]}
    assert disk_use.read_disk_use("image") == {"image": ()}
