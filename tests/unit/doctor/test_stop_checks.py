"""The first program of a container hears its stop signal, or Docker kills it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from compose_project import load

from layerstack.doctor import stop_checks
from layerstack.engine.container import Container
from layerstack.errors import EngineError
from layerstack.finding import Finding

TERM, QUIT = f"{1 << 14:016x}", f"{1 << 2:016x}"
NOTHING = "0000000000000000"


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The finding on one running container whose first program, of the number 7, catches and blocks these signals."""

    def find(mask: str, status: str = "running", blocked: str = NOTHING, host: Any = None, **config: Any) -> Finding:
        facts = {"State": {"Pid": 7}, "HostConfig": host, "Config": config}
        rows = [["9", TERM, NOTHING], ["7", mask, blocked]]
        api = SimpleNamespace(inspect_container=lambda _: facts, top=lambda _, ps_args: {"Processes": rows})
        one = Container("1", "shop-web-1", "web", status, "")
        monkeypatch.setattr(stop_checks, "read_all", lambda *_: {"web": (one,), "gone": (one,)})
        project, source = load(tmp_path, "services:\n  web:\n    image: w\n")
        client: Any = SimpleNamespace(api=api)
        (found,) = stop_checks.check_stops(client, project, source)
        return found

    return find


def test_a_program_that_ignores_its_signal_is_named_with_the_wait(check: Any) -> None:
    found = check(NOTHING)
    assert (found.check, found.severity, found.service, found.place) == (
        "slow-stop",
        "warning",
        "web",
        "compose.yaml:2",
    )
    assert "10 s" in found.detail
    assert "45 s" in check(TERM, StopSignal="SIGQUIT", StopTimeout=45).detail


@pytest.mark.parametrize(
    ("mask", "given"),
    [
        (TERM, {}),
        (QUIT, {"StopSignal": "SIGQUIT"}),
        (QUIT, {"StopSignal": "3"}),
        (NOTHING, {"blocked": TERM}),
        (NOTHING, {"host": {"Init": True}}),
        (NOTHING, {"host": {"PidMode": "host"}}),
        (NOTHING, {"StopSignal": "KILL"}),
        (NOTHING, {"StopTimeout": 1}),
        (NOTHING, {"StopTimeout": 0}),
        (NOTHING, {"status": "exited"}),
        ("no mask", {}),
    ],
)
def test_what_ends_or_cannot_be_told_is_no_finding(check: Any, mask: str, given: dict[str, Any]) -> None:
    assert check(mask, **given).severity == "ok"


def test_a_machine_without_ps_tells_nothing() -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise EngineError("ps is not there")

    client: Any = SimpleNamespace(api=SimpleNamespace(top=fail))
    assert stop_checks._heard(client, "1", 7) is None
