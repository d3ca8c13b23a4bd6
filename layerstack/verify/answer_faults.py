"""Faults in a response: the state that a service reports, or a check that fails."""

import json
import re
from collections.abc import Mapping
from typing import Any

from layerstack.run.declared import place_or
from layerstack.run.fault import Fault, FaultKind
from layerstack.verify.checks import CheckResult
from layerstack.verify.code_faults import find_origin
from layerstack.verify.evidence import Evidence, Rule
from layerstack.verify.health_faults import asks_too_briefly, out_of_time, without_listener
from layerstack.verify.http_check import short
from layerstack.verify.last_words import ERROR, shortened, telling_lines
from layerstack.wording import duration

STATES = ("status", "state")
REASONS = ("reason", "detail", "error", "message", "cause", "title")
STARTING = ("starting", "loading", "initializing", "initialising", "warming", "pending")
FAILED = ("failed", "error", "fatal", "unhealthy", "broken", "down", "degraded")
# `HTTP Error 500: INTERNAL SERVER ERROR`, `503 Service Unavailable`
SERVER_ERROR = re.compile(r"\b50[0-4]\b")
# As Python, curl, Node.js and Go say that a connection was taken and closed again.
NO_RESPONSE = re.compile(
    r"closed connection without response|empty reply from server|socket hang up|other side closed|: EOF\b",
    re.IGNORECASE,
)
WAIT = "invoke verify --wait 120"


def check_invalid(seen: Evidence) -> Fault | None:
    failed = next((check for check in seen.result.failed if check.is_asked), None)
    if failed is None or not failed.detail.startswith("the check itself is wrong"):
        return None
    change = f"correct {place_or(seen.declared('x-layerstack', 'verify'), f'x-layerstack of {seen.name}')}"
    return Fault("check-invalid", f"`{failed.check}`: {failed.detail}", "invoke verify", change)


def still_starting(seen: Evidence) -> Fault | None:
    """Waiting by Docker's word, or by its own although Docker's patience is over."""
    body = _body(seen)
    said = _state(body)
    # What it says itself is newer than Docker's word, which is as old as the last health check.
    if said in FAILED:
        return None
    if seen.result.verdict.phase == "waiting" or said in STARTING:
        words = seen.result.verdict.words if seen.result.verdict.phase == "waiting" else said
        reason = _reason(body)
        text = f"is not ready yet: {words}{f' ({reason})' if reason else ''}"
        return Fault("not-ready-yet", text, WAIT)
    return None


def just_started(seen: Evidence) -> Fault | None:
    """A failed check of a container that has no health check to say when it is ready."""
    one, failed = seen.container, seen.result.failed[0]
    if one and seen.is_starting:
        age = f"is not ready yet: up {duration(one.uptime_seconds)}, without a health check"
        return Fault("not-ready-yet", f"{age}, and `{failed.check}` fails: {failed.detail}", WAIT)
    return None


def reports_failure(seen: Evidence) -> Fault | None:
    body = _body(seen)
    state = _state(body)
    if state not in FAILED:
        return None
    reason = _reason(body)
    return Fault("reports-failure", f"responds with status {state}{f': {reason}' if reason else ''}", seen.logs)


def check_failed(seen: Evidence) -> Fault | None:
    """The last word: a check that fails for no reason that has a name."""
    failed = next((check for check in seen.result.failed if check.is_asked), None)
    if failed is None:
        return None
    # With so little time nothing is known of the program.
    slow = out_of_time(seen)
    if slow and slow.kind == "health-check-slow":
        return slow
    # Not where a newer image is built: a restart would only start the old one again.
    if seen.is_newest and (silent := _deaf_check(seen)):
        cause = f"is deaf: it takes connections and does not answer (`{silent.check}`: {silent.detail})"
        return Fault("deaf", cause, f"invoke restart {seen.name}")
    if failed.link == "health":
        unhealthy = Fault("unhealthy", seen.result.verdict.reason or failed.detail, seen.logs)
        return slow or without_listener(seen) or asks_too_briefly(seen) or _failing_inside(seen) or unhealthy
    words = f"{seen.result.verdict.words}, but the check `{failed.check}` fails: {failed.detail}"
    # As http_check words a time-out and a refused connection.
    is_silent = "no answer" in failed.detail or "no HTTP answer" in failed.detail
    kind: FaultKind = "no-answer" if is_silent else "port-unreachable" if failed.link == "port" else "wrong-answer"
    if seen.is_newest:
        return Fault(kind, words, seen.logs)
    return Fault(kind, f"{words}; its container runs an older image than the one that is built", "invoke up")


def _failing_inside(seen: Evidence) -> Fault | None:
    """A server that answers its health check with its own failure: its log has the error."""
    said = telling_lines(seen.log)
    error = shortened(said[-1]) if said and ERROR.match(said[-1]) else ""
    reason = seen.result.verdict.reason
    if not error or not (SERVER_ERROR.search(reason) or NO_RESPONSE.search(reason)):
        return None
    words = f"answers its health check with a failure of its own: {error}"
    origin = find_origin(seen, error)
    return (
        Fault("unhealthy", words, origin[1], f"see to {origin[0]}, where that comes from")
        if origin
        else Fault("unhealthy", words, seen.logs)
    )


def _deaf_check(seen: Evidence) -> CheckResult | None:
    """The check that timed out on a program that listens; None where another failure says more."""
    silent = next((check for check in seen.result.failed if "no answer within" in check.detail), None)
    # A kernel takes connections for a program that listens, even when the program hangs.
    ports = {port.target for port in seen.container.ports} if seen.container else set()
    return silent if ports & {one.port for one in seen.listeners or ()} else None


def _body(seen: Evidence) -> Mapping[str, Any]:
    """The first JSON object among its responses that contains a state."""
    for text in seen.answers:
        # Words may stand before the document, as in the output of a health check.
        start = text.find("{")
        try:
            found = json.loads(text[start:]) if start >= 0 else None
        except ValueError:
            continue
        if isinstance(found, dict) and _state(found):
            return found
    return {}


def _state(body: Mapping[str, Any]) -> str:
    return next((str(body[key]).lower() for key in STATES if isinstance(body.get(key), str)), "")


def _reason(body: Mapping[str, Any]) -> str:
    return short(next((str(body[key]) for key in REASONS if body.get(key)), ""))


RULES: tuple[Rule, ...] = (check_invalid, still_starting, reports_failure, just_started, check_failed)
