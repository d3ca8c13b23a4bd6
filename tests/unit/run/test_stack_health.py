"""What the states of containers mean, and who depends on whom."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from layerstack.engine.api import EngineGone, ObjectMissing
from layerstack.engine.container import Container, Mount, from_inspect, read_all
from layerstack.errors import EngineError, UsageError
from layerstack.project.dependency import all_dependencies, in_start_order, is_one_shot
from layerstack.project.project import Port, Project, Service
from layerstack.run.health import exit_reason, judge, judge_now, worst

RUNNING = Container(id="1", name="web-1", service="web", status="running", created_at="2026-01-01")


def make_project(services: dict[str, dict[str, Any]]) -> Project:
    made = {name: Service(name, "", (), definition) for name, definition in services.items()}
    return Project(Path(), "demo", "cpu", (), (), {}, made)


def needs(*names: str, condition: str = "service_healthy") -> dict[str, Any]:
    return {"depends_on": {name: {"condition": condition} for name in names}}


WEB = Service("web", "", (), {"ports": [{"target": 80}]})


@pytest.mark.parametrize(
    ("changes", "crashes", "phase", "words"),
    [
        ({}, 0, "ready", "running (no health check)"),
        ({"health": "healthy"}, 0, "ready", "healthy"),
        ({"health": "starting"}, 0, "waiting", "starting"),
        ({"health": "unhealthy"}, 0, "failed", "unhealthy"),
        ({"status": "exited"}, 0, "failed", "exited"),
        ({"status": "exited", "exit_code": 1}, 0, "failed", "exited"),
        ({"status": "created"}, 0, "failed", "created"),
        ({"status": "created", "error": "no such file"}, 0, "failed", "not started"),
        ({"status": "paused"}, 0, "failed", "paused"),
        ({"status": "restarting", "exit_code": 1}, 1, "waiting", "restarting after exit code 1"),
        ({"status": "restarting", "exit_code": 127}, 1, "failed", "restarting"),
        ({"status": "restarting", "exit_code": 1}, 2, "failed", "restarting"),
        ({"health": "starting"}, 2, "failed", "restarting"),
        ({"status": "removing"}, 0, "waiting", "removing"),
    ],
)
def test_judge(changes: dict[str, Any], crashes: int, phase: str, words: str) -> None:
    verdict = judge(replace(RUNNING, **changes), WEB, False, crashes)
    assert (verdict.phase, verdict.words) == (phase, words)
    assert bool(verdict.repair) == (phase == "failed")


def test_a_one_shot_may_end_well_but_not_badly() -> None:
    ended = replace(RUNNING, status="exited")
    assert judge(ended, WEB, True).phase == "ready"
    assert judge(replace(ended, exit_code=2), WEB, True).phase == "failed"


def test_an_old_crash_of_a_long_running_container_is_forgotten() -> None:
    old = replace(RUNNING, restart_count=7, started_at="2020-01-01T00:00:00.123456789Z")
    assert judge_now(old, WEB, False).phase == "ready"


def test_one_bad_replica_makes_the_service_bad() -> None:
    replicas = (RUNNING, replace(RUNNING, status="exited", exit_code=1))
    assert worst(judge_now(one, WEB, False) for one in replicas).phase == "failed"


@pytest.mark.parametrize(
    ("code", "memory", "said"),
    [
        (3, False, "exited with code 3"),
        (127, False, "not found in the image"),
        (137, True, "ran out of memory (limit 64 MB"),
        (137, False, "killed (SIGKILL)"),
        (143, False, "SIGTERM"),
        (128 + 63, False, "signal 63"),
    ],
)
def test_exit_reason(code: int, memory: bool, said: str) -> None:
    assert said in exit_reason(code, memory, 64 * 2**20)


def test_a_code_of_its_own_is_no_signal() -> None:
    assert exit_reason(255) == "exited with code 255"


def test_dependencies_come_first() -> None:
    project = make_project({"web": needs("api"), "api": needs("db", "cache"), "db": {}, "cache": {}, "other": {}})
    assert in_start_order(project, ["web"]) == ("db", "cache", "api", "web")
    assert set(in_start_order(project)) == set(project.services)
    assert all_dependencies(project, "web") == {"api", "db", "cache"}
    with pytest.raises(UsageError, match="wep"):
        in_start_order(project, ["wep"])


def test_nothing_can_be_started_where_all_that_is_asked_for_is_scaled_to_zero() -> None:
    project = make_project({"base": {"scale": 0}, "tool": {"deploy": {"replicas": 0}}, "web": needs("base")})
    assert in_start_order(project) == ("web",)
    for names in (["base"], ["tool", "base"]):
        with pytest.raises(UsageError, match=", ".join(names)):
            in_start_order(project, names)


def test_what_counts_as_a_one_shot() -> None:
    project = make_project(
        {
            "migrate": {"ports": [{"target": 80}]},
            "app": needs("migrate", condition="service_completed_successfully"),
            "job": {"restart": "on-failure:3"},
            "server": {"healthcheck": {"test": ["CMD", "true"]}},
            "daemon": {"restart": "unless-stopped"},
        }
    )
    found = {name for name, service in project.services.items() if is_one_shot(project, service)}
    assert found == {"migrate", "app", "job"}


# A container as `docker inspect` prints it.
INSPECTED = {
    "Id": "abc",
    "Name": "/demo-web-1",
    "Created": "2026-01-01T00:00:00Z",
    "Image": "sha256:1",
    "RestartCount": 2,
    "State": {
        "Status": "running",
        "ExitCode": 0,
        "OOMKilled": True,
        "StartedAt": "2026-01-01T00:00:00.5Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "Health": {
            "Status": "unhealthy",
            "Log": [{"Output": "old", "ExitCode": 0}, {"Output": "refused\n", "ExitCode": 1}],
        },
    },
    "HostConfig": {"Memory": 5, "DeviceRequests": [{"Capabilities": [["gpu"]]}], "RestartPolicy": {"Name": ""}},
    "Config": {
        "Image": "web:1",
        "User": "app",
        "Env": ["A=1", "URL=http://x?a=b"],
        "Healthcheck": {"Test": ["CMD", "true"], "Timeout": 5_000_000_000},
        "Labels": {"com.docker.compose.service": "web", "layerstack.stand-in-for": "x:1"},
    },
    "Mounts": [{"Type": "volume", "Name": "data", "Source": "/var/data", "Destination": "/data", "RW": False}],
    "NetworkSettings": {
        "Networks": {"demo_default": {"DNSNames": ["demo-web-1", "web"], "IPAddress": "10.0.0.2"}},
        "Ports": {
            "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
            "53/udp": [{"HostIp": "0.0.0.0", "HostPort": "53"}],
            "90/tcp": None,
            "91/tcp": [{"HostIp": "127.0.0.1", "HostPort": "9100"}, {"HostIp": "::", "HostPort": "9101"}],
        },
    },
}


def test_a_container_is_read_from_what_inspect_says() -> None:
    one = from_inspect(INSPECTED)
    assert (one.name, one.service, one.state, one.health_output) == ("demo-web-1", "web", "unhealthy", "refused")
    # What is open on IPv6 alone is a port of its own; elsewhere it is the same one again.
    assert one.ports == (Port("0.0.0.0", 8080, 80), Port("127.0.0.1", 9100, 91), Port("::", 9101, 91))
    assert one.has_gpu
    assert one.is_oom_killed
    assert one.stand_in_for == "x:1"
    assert one.uptime_seconds > 0
    assert (one.was_healthy, one.ran_seconds, one.health_timeout_seconds) == (True, 0.0, 5.0)
    assert (one.user, one.environment) == ("app", {"A": "1", "URL": "http://x?a=b"})
    assert one.networks == {"demo_default": ("demo-web-1", "web", "10.0.0.2")}
    assert one.mounts == (Mount("volume", "data", "/data", False),)


def test_how_long_an_ended_container_ran() -> None:
    ended = replace(RUNNING, status="exited", started_at="2026-01-01T00:00:00.5Z", finished_at="2026-01-01T00:01:30.1Z")
    assert ended.ran_seconds == pytest.approx(89.6)
    assert replace(ended, finished_at="0001-01-01T00:00:00Z").ran_seconds == 0


class DyingEngine:
    """An engine that goes away between two questions."""

    def __init__(self, error: Exception) -> None:
        self.api, self._error = self, error

    def containers(self, **_: Any) -> list[dict[str, str]]:
        return [{"Id": "1"}]

    def inspect_container(self, container: str) -> dict[str, Any]:
        raise self._error


def test_an_engine_that_goes_away_is_an_engine_error() -> None:
    with pytest.raises(EngineError, match="reset"):
        read_all(DyingEngine(EngineGone("reset")), "demo")


def test_a_container_that_goes_away_is_left_out() -> None:
    assert read_all(DyingEngine(ObjectMissing("gone")), "demo") == {}
