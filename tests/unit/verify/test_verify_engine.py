"""The engine in front of verify: where its ports are, what it is asked inside containers, and when it goes away."""

import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_docker import install
from requests.exceptions import ConnectionError as NoConnection
from verify_parts import failed, make_container, make_evidence, make_port, make_project, make_result

from layerstack.dockerfile.image import Image
from layerstack.engine import engine
from layerstack.engine.api import ObjectMissing
from layerstack.engine.inside import run_inside, stopped_programs
from layerstack.engine.place import EnginePlace
from layerstack.errors import EngineError
from layerstack.project.service import Service
from layerstack.verify.check_graph import read_graph
from layerstack.verify.checks import CheckResult
from layerstack.verify.diagnosis import name_fault
from layerstack.verify.explanation import look_again
from layerstack.verify.health_probe import probe_health
from layerstack.verify.listening import Listener, read_listeners
from layerstack.verify.lookout import Lookout
from layerstack.verify.verify import verify
from layerstack.wait import ask_all

TABLES = """\
  sl  local_address rem_address   st
   0: 0B00007F:A70D 00000000:0000 0A 0 0
   1: 00000000:6989 00000000:0000 0A 0 0
   2: 030012AC:6989 040012AC:CEE4 01 0 0
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000001000000:1388 00000000000000000000000000000000:0000 0A 0
"""


class Api:
    """Containers in which every program says one thing, after a while."""

    def __init__(self, code: int = 0, output: str = "", seconds: float = 0.0, states: tuple[str, ...] = ("S",)) -> None:
        self.api, self.timeout, self.base_url = self, 1.0, "http+docker://localhost"
        self.started: list[list[str]] = []
        self._code, self._output, self._seconds, self._states = code, output, seconds, states

    def exec_create(self, _container: str, argv: list[str], environment: Any = None) -> dict[str, str]:
        self.started.append(argv)
        return {"Id": "1"}

    def exec_start(self, _process: str) -> bytes:
        time.sleep(self._seconds if len(self.started) == 1 else 0)
        return self._output.encode()

    def exec_inspect(self, _process: str) -> dict[str, int]:
        return {"ExitCode": self._code}

    def top(self, _container: str, ps_args: str) -> dict[str, Any]:
        return {"Processes": [[str(place), state, f"p{place}"] for place, state in enumerate(self._states)]}


def test_ports_of_another_machine() -> None:
    there = EnginePlace("builder.test")
    assert there.address(make_port(ip="0.0.0.0")) == "builder.test:8080"
    assert there.address(make_port(ip="10.0.0.7")) == "10.0.0.7:8080"
    assert there.address(make_port()) == ""
    assert EnginePlace().address(make_port(ip="0.0.0.0")) == "127.0.0.1:8080"


def test_a_program_that_takes_too_long_is_ended() -> None:
    client = Api(seconds=5)
    with pytest.raises(TimeoutError):
        run_inside(client, "c", ["slow"], 0.1)
    assert [argv[0] for argv in client.started] == ["slow", "sh"]


def test_what_listens_in_a_container_without_dockers_name_server() -> None:
    found = read_listeners(Api(output=TABLES), make_container("api"))
    assert found == (Listener("0.0.0.0", 27017), Listener("::1", 5000))
    assert [one.is_loopback for one in found] == [False, True]
    assert read_listeners(Api(1, "cat: not found"), make_container("api")) is None
    assert read_listeners(Api(), make_container("api", status="exited")) is None


def test_halted_programs_and_a_machine_without_ps() -> None:
    assert stopped_programs(Api(states=("Ss", "T", "Tl", "R")), "c") == ("p1", "p2")

    def no_ps(*_: Any, **__: Any) -> Any:
        raise ObjectMissing("ps: executable file not found")

    client = Api()
    client.top = no_ps  # type: ignore[method-assign]
    assert stopped_programs(client, "c") == ()


@pytest.mark.parametrize("test", [("CMD", "true"), ("CMD-SHELL", "true")])
def test_a_health_check_asked_now(test: tuple[str, ...]) -> None:
    client = Api(1, "cold")
    probe = probe_health(client, make_container("api", health_command=test))
    assert probe is not None
    assert (probe.is_ok, probe.output, client.started[0][-1]) == (False, "cold", "true")
    assert probe_health(client, make_container("api", health_command=("NONE",))) is None
    assert probe_health(client, make_container("api", health_command=test, status="paused")) is None


@pytest.mark.parametrize(("code", "is_ok"), [(0, True), (1, False)])
def test_a_need_of_a_broken_service_is_asked_again(code: int, is_ok: bool) -> None:
    graph = read_graph(make_project({"api": {"depends_on": {"db": {}}}, "db": {}, "alone": {}}))
    link = CheckResult("health check", True, 0, "healthy", "health")
    test = ("CMD", "true")
    results = [
        make_result(make_container("db", health_command=test, health="healthy"), link, name="db"),
        make_result(make_container("api"), failed()),
        make_result(make_container("alone", health_command=test), link, name="alone"),
    ]
    client = Api(code, "no ping")
    found = {one.service: one for one in look_again(client, graph, results)}
    assert {name: one.is_ok for name, one in found.items()} == {"db": is_ok, "api": False, "alone": True}
    assert len(client.started) == 1
    assert is_ok or "no ping" in found["db"].failed[0].detail


def test_all_are_asked_at_the_same_time_and_an_error_comes_out() -> None:
    together = threading.Barrier(3)
    assert ask_all(lambda number: together.wait(30) * 0 + number, [3, 1, 2]) == [3, 1, 2]
    with pytest.raises(ZeroDivisionError):
        ask_all(lambda number: 1 / number, [1, 0])
    assert ask_all(lambda number: number, []) == []


class DyingEngine(Api):
    """Tells of one container, and is gone at the first question about its image."""

    def containers(self, **_: Any) -> list[dict[str, str]]:
        return []

    def inspect_image(self, _reference: str) -> Any:
        raise NoConnection("connection reset")


def test_an_engine_that_dies_meanwhile_is_an_engine_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "client", DyingEngine)
    with pytest.raises(EngineError, match="stopped answering"):
        verify(make_project({"api": {}}, Path()))


class HangingEngine(DyingEngine):
    """Does not say a word any more, not to a ping either."""

    def inspect_image(self, _reference: str) -> Any:
        time.sleep(30)

    def ping(self) -> bool:
        raise NoConnection("read timed out")


def test_an_engine_that_falls_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "client", HangingEngine)
    started = time.monotonic()
    with pytest.raises(EngineError, match="stopped answering"):
        verify(make_project({"api": {}}, Path()))
    assert time.monotonic() - started < 10


class Networks(Api):
    """An engine with the network of the project."""

    def networks(self) -> list[dict[str, str]]:
        return [{"Name": "shop_default"}]


@pytest.mark.parametrize(
    ("attached", "kind", "repair"),
    [
        (("edge-of-all",), "network-detached", "docker network connect --alias api shop_default shop-api-1"),
        (("shop_default",), "network-detached", "docker network connect --alias api edge-of-all shop-api-1"),
        (None, "network-missing", "docker network create edge-of-all && invoke up"),
    ],
)
def test_a_missing_network_is_called_by_its_real_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attached: tuple[str, ...] | None, kind: str, repair: str
) -> None:
    docker = install(tmp_path, monkeypatch)
    names = {"default": {"name": "shop_default"}, "edge": {"name": "edge-of-all", "external": True}}
    docker.answers("* config --format json", stdout=json.dumps({"networks": names}))
    (tmp_path / "compose.yml").write_text("services: {api: {image: x, networks: [default, edge]}}")
    project = make_project({"api": {"networks": {"default": None, "edge": None}}}, tmp_path)
    one = make_container("api", networks={name: () for name in attached}) if attached else None
    result = make_result(one, failed(link="network" if attached else "container"))
    lookout = Lookout(Networks(), project, [result])  # type: ignore[arg-type]
    missing = tuple(lookout._missing_networks(project.services["api"], result))
    fault = name_fault(make_evidence(project, result, missing_networks=missing))
    assert (fault.kind, fault.repair) == (kind, repair)


def test_one_build_is_named_for_all_that_run_one_image(tmp_path: Path) -> None:
    services = {
        "web": Service("web", "shop:1", (), {"build": "."}),
        "worker": Service("worker", "shop:1", (), {}, borrows_image=True),
        "job": Service("job", "tools:1", (), {}, borrows_image=True),
        "db": Service("db", "mongo:7", (), {}),
    }
    images = {"web": Image("web", ".", tags=("shop:1",)), "tools": Image("tools", ".", tags=("tools:1",))}
    project = replace(make_project({}, tmp_path), services=services, images=images)
    results = [make_result(None, failed(link="image"), name=name) for name in services]
    assert Lookout(Networks(), project, results)._unbuilt == ("web", "tools")  # type: ignore[arg-type]
