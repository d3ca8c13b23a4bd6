"""What verify asks of one running service: over HTTP, or inside the container; and what came back."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerstack import http_check
from layerstack.container import Container
from layerstack.errors import CheckFailed
from layerstack.wait import call_within

# A busy machine needs seconds to start a shell like mongosh; what hangs longer than this is broken.
TIMEOUT_SECONDS = 30.0
KNOWN_KEYS = {
    *("check", "http", "exec", "method", "port", "upload", "auth", "status", "contains", "expect", "timeout_seconds"),
}


@dataclass(frozen=True)
class CheckResult:
    """One question and its answer in words."""

    check: str
    is_ok: bool
    milliseconds: float
    detail: str

    def to_json(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "ok": self.is_ok,
            "milliseconds": round(self.milliseconds, 1),
            "detail": self.detail,
        }


@dataclass(frozen=True)
class Target:
    """What a check is asked of; `root` is the folder that upload paths start from."""

    client: Any
    container: Container
    root: Path


def as_check(entry: Any) -> Mapping[str, Any]:
    """An entry of `verify:` as a check; one that is not even a mapping becomes a check that fails."""
    return entry if isinstance(entry, Mapping) else {"check": str(entry)}


def run_declared(declared: Mapping[str, Any], target: Target) -> CheckResult:
    """Ask one question of `x-layerstack.verify`; bounded by its `timeout_seconds`, never raises."""
    try:
        timeout_seconds = float(declared.get("timeout_seconds", TIMEOUT_SECONDS))
    except (TypeError, ValueError):
        wrong = f"the check itself is wrong: timeout_seconds is {declared['timeout_seconds']!r}"
        return CheckResult(_name(declared), False, 0.0, wrong)
    return _timed(_name(declared), timeout_seconds, lambda: _ask(declared, target, timeout_seconds))


def guess(container: Container) -> list[CheckResult]:
    """Without declared checks: does something speak HTTP on the published ports? Any status is an answer."""
    if not container.ports:
        return [CheckResult("answer", True, 0.0, "not checked: it publishes no port and declares no check")]
    return [
        _timed(f"port {port.published}", http_check.GUESS_TIMEOUT_SECONDS * 2, lambda port=port: http_check.guess(port))  # type: ignore[misc]
        for port in container.ports
    ]


def not_asked(declared: Sequence[Mapping[str, Any]], reason: str) -> list[CheckResult]:
    """The declared checks of a container that cannot answer."""
    return [CheckResult(_name(one), False, 0.0, f"not asked: {reason}") for one in declared]


def _name(declared: Mapping[str, Any]) -> str:
    return str(declared.get("check") or declared.get("http") or "unnamed")


def _timed(name: str, timeout_seconds: float, ask: Callable[[], str]) -> CheckResult:
    started = time.monotonic()
    try:
        is_ok, detail = True, call_within(timeout_seconds, ask)
    except Exception as error:
        is_ok, detail = False, str(error) or type(error).__name__
    return CheckResult(name, is_ok, (time.monotonic() - started) * 1000, detail)


def _ask(declared: Mapping[str, Any], target: Target, timeout_seconds: float) -> str:
    if unknown := set(declared) - KNOWN_KEYS:
        raise CheckFailed(f"the check itself is wrong: unknown key {', '.join(sorted(unknown))}")
    if "exec" in declared:
        return _ask_inside(declared, target)
    if "http" in declared:
        return http_check.ask(declared, target.container, target.root, timeout_seconds)
    raise CheckFailed("the check itself is wrong: it has neither http nor exec")


def _ask_inside(declared: Mapping[str, Any], target: Target) -> str:
    argv = [str(word) for word in declared["exec"]]
    api = target.client.api
    process = api.exec_create(target.container.id, argv)["Id"]
    output = api.exec_start(process).decode("utf-8", errors="replace").strip()
    code, wanted = int(api.exec_inspect(process)["ExitCode"]), int(declared.get("status", 0))
    # The arguments may hold a password.
    asked = f"{argv[0]} in the container → exit code {code}"
    if code != wanted:
        raise CheckFailed(f"{asked} (wanted {wanted}): {http_check.short(output) or 'it said nothing'}")
    if (text := declared.get("contains")) is not None and str(text) not in output:
        raise CheckFailed(f"{asked}, without {text!r}: {http_check.short(output)}")
    return asked
